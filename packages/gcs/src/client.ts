import type { Readable } from 'node:stream'
import { type Bucket, type File, Storage } from '@google-cloud/storage'
import type { ConnectOptions, GcsDatasource, SourceTools } from 'zenml/sources'
import { credentialsFailure } from './failures.ts'

/** How long the client pauses at most before it tries again what failed for the moment. Seconds. Default 64. */
export interface Patience {
  readonly longestPause?: number
}

/**
 * Opens the official client with the credentials that `GOOGLE_APPLICATION_CREDENTIALS` names, or with none where the datasource says
 * `anonymous`: what a machine or a home has beside them is not looked for. The client itself tries what the service calls temporary (408, 429, 5xx,
 * lost connections) three times more, with pauses that double.
 *
 * Throws `ZEN_SOURCE_DENIED` for credentials that are not there or not good, `ZEN_SOURCE_CONNECT` where nobody can be asked about them.
 */
export async function openBucket(
  { spec, environment, signal }: ConnectOptions<GcsDatasource>,
  tools: SourceTools,
  { longestPause = 64 }: Patience,
): Promise<Bucket> {
  const { uri, endpoint = 'https://storage.googleapis.com', anonymous = false } = spec
  const keyFilename = environment['GOOGLE_APPLICATION_CREDENTIALS']
  if (!anonymous && (keyFilename === undefined || keyFilename === ''))
    throw new tools.ZenmlError(
      'ZEN_SOURCE_DENIED',
      `${tools.placeOf(spec)} needs credentials: GOOGLE_APPLICATION_CREDENTIALS is not set.`,
      {
        facts: { variable: 'GOOGLE_APPLICATION_CREDENTIALS' },
        next: 'Set it to the path of a file of Google credentials, or write anonymous: true for a public bucket.',
        exitCode: 1,
      },
    )
  const storage = new Storage({
    // With a slash the client takes it for another place than Google's, and sends credentials there only if it is told to.
    apiEndpoint: `${endpoint.replace(/\/+$/, '')}/`,
    useAuthWithCustomEndpoint: !anonymous,
    retryOptions: { maxRetryDelay: longestPause },
    ...(anonymous ? {} : { keyFilename: keyFilename! }),
  })
  // The client would take the place from STORAGE_EMULATOR_HOST, which no configuration tells of.
  storage.baseUrl = `${endpoint.replace(/\/+$/, '')}/storage/v1`
  if (!anonymous) {
    try {
      // First of all, so that a wrong file is told from a source that refuses.
      await storage.authClient.getAccessToken()
    } catch (error) {
      throw signal?.aborted === true ? signal.reason : credentialsFailure(error, spec, tools)
    }
  }
  return storage.bucket(/^gs:\/\/([^/]+)\//.exec(uri)![1]!)
}

/** The bytes of a file as they are stored, also where they are compressed; kept when the service has answered. */
export async function bodyOf(file: File, signal: AbortSignal): Promise<Readable> {
  signal.throwIfAborted()
  // Lengths and checksums are compared by whom they are given to.
  const stream = file.createReadStream({ decompress: false, validation: false })
  const stop = (): void => void stream.destroy(signal.reason)
  signal.addEventListener('abort', stop)
  stream.once('close', () => signal.removeEventListener('abort', stop))
  return await new Promise((resolve, reject) => {
    stream.once('error', reject)
    stream.once('response', ({ statusCode }) => {
      // For others an error follows.
      if (statusCode === 200) resolve(stream)
    })
    // The client sends the request when somebody reads.
    stream.read(0)
  })
}
