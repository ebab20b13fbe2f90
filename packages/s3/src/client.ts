import { S3Client, type S3ClientConfig } from '@aws-sdk/client-s3'
import { fromIni } from '@aws-sdk/credential-provider-ini'
import type { ConnectOptions, S3Datasource, SourceTools } from 'zenml/sources'

/**
 * Opens the official client with the credentials of `AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY` and `AWS_SESSION_TOKEN`, else with those of the
 * profile that `AWS_PROFILE` names, or with none where the datasource says `anonymous`. What a machine has beside them is not looked for. The client
 * itself tries three times what the service calls temporary.
 *
 * Throws `ZEN_SOURCE_DENIED` for credentials that are not there or not good.
 */
export async function openClient(options: ConnectOptions<S3Datasource>, tools: SourceTools): Promise<S3Client> {
  const { region = 'us-east-1', endpoint, pathStyle = false, anonymous = false } = options.spec
  const credentials = anonymous ? undefined : await credentialsOf(options, tools)
  return withoutWarning(
    () =>
      new S3Client({
        region,
        followRegionRedirects: true,
        forcePathStyle: pathStyle,
        // Nothing that no configuration tells of: neither AWS_ENDPOINT_URL nor files of a home decide where data is read.
        ignoreConfiguredEndpointUrls: true,
        ...({ useDualstackEndpoint: false, useFipsEndpoint: false, useArnRegion: false } satisfies S3ClientConfig),
        ...({
          maxAttempts: 3,
          retryMode: 'standard',
          responseChecksumValidation: 'WHEN_SUPPORTED',
        } satisfies S3ClientConfig),
        ...(endpoint === undefined ? {} : { endpoint }),
        ...(credentials === undefined
          ? { credentials: { accessKeyId: '', secretAccessKey: '' }, signer: { sign: async (request) => request } }
          : { credentials }),
      }),
  )
}

/** What requests are signed with. */
interface Credentials {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string
}

async function credentialsOf(
  { spec, environment }: ConnectOptions<S3Datasource>,
  tools: SourceTools,
): Promise<Credentials> {
  const variable = (name: string): string | undefined => environment[name] || undefined
  const accessKeyId = variable('AWS_ACCESS_KEY_ID')
  const secretAccessKey = variable('AWS_SECRET_ACCESS_KEY')
  const sessionToken = variable('AWS_SESSION_TOKEN')
  if (accessKeyId !== undefined && secretAccessKey !== undefined)
    return { accessKeyId, secretAccessKey, ...(sessionToken === undefined ? {} : { sessionToken }) }
  const profile = variable('AWS_PROFILE')
  if (profile === undefined)
    throw new tools.ZenmlError(
      'ZEN_SOURCE_DENIED',
      `${tools.placeOf(spec)} needs credentials: neither AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY nor AWS_PROFILE are set.`,
      {
        facts: { variables: ['AWS_ACCESS_KEY_ID', 'AWS_SECRET_ACCESS_KEY', 'AWS_PROFILE'] },
        next: 'Set them, or write anonymous: true for a public bucket.',
        exitCode: 1,
      },
    )
  const filepath = variable('AWS_SHARED_CREDENTIALS_FILE')
  const configFilepath = variable('AWS_CONFIG_FILE')
  try {
    return await fromIni({
      profile,
      ignoreCache: true,
      ...(filepath === undefined ? {} : { filepath }),
      ...(configFilepath === undefined ? {} : { configFilepath }),
    })()
  } catch {
    // What the client says may quote from the files.
    throw tools.sourceFailure('ZEN_SOURCE_DENIED', spec, new Error(`AWS_PROFILE: "${profile}" gives no credentials`))
  }
}

/** Makes a client without its news for developers about versions of Node to come: the version of the client is pinned. */
function withoutWarning<T>(make: () => T): T {
  const name = 'AWS_SDK_JS_NODE_VERSION_SUPPORT_WARNING_DISABLED'
  const before = process.env[name]
  process.env[name] = 'true'
  try {
    return make()
  } finally {
    if (before === undefined) delete process.env[name]
    else process.env[name] = before
  }
}
