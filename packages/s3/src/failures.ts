import type { S3Datasource, SourceTools } from 'zenml/sources'

/** What the client throws: an answer that is an error, or a connection that gives none. */
interface ClientError {
  /** The code of the service, or the kind of error. */
  readonly name?: string
  readonly message?: string
  readonly $metadata?: { readonly httpStatusCode?: number }
}

/** The status of the answer that an error tells of; undefined where there was none. */
export function statusOf(error: unknown): number | undefined {
  return (error as ClientError).$metadata?.httpStatusCode
}

/** An error of the service in words that do not depend on it (https://docs.aws.amazon.com/AmazonS3/latest/API/ErrorResponses.html). */
export function failureOf(
  error: unknown,
  spec: S3Datasource,
  isReading: boolean,
  { ZenmlError, sourceFailure }: SourceTools,
): unknown {
  if (!(error instanceof Error) || error instanceof ZenmlError) return error
  const status = statusOf(error)
  const { name } = error
  const said = new Error(saidBy(error, status), { cause: error })
  if (status === 401 || status === 403 || /^(ExpiredToken|InvalidToken|AuthorizationHeaderMalformed)$/.test(name))
    return sourceFailure('ZEN_SOURCE_DENIED', spec, said)
  if (status === 404)
    return new ZenmlError('ZEN_SOURCE_MISSING', `There is nothing at ${spec.uri}: ${said.message}`, {
      facts: { uri: spec.uri },
      next: 'Mend the URI.',
      cause: error,
      exitCode: 1,
    })
  // An answer that is no XML has a status of its own, that of success.
  if (status === undefined || status === 408 || status === 429 || status >= 500)
    return sourceFailure(isReading ? 'ZEN_SOURCE_LOST' : 'ZEN_SOURCE_CONNECT', spec, said)
  return sourceFailure('ZEN_SOURCE_READ', spec, said)
}

/** In one line, with the code of the service; an answer without a body has nothing but its status. */
function saidBy({ name, message }: Error, status: number | undefined): string {
  const text = message.split('\n')[0]!.slice(0, 300)
  if (status === undefined) return text === '' ? name : text
  return text === '' || text === 'UnknownError' ? `it answers with status ${status}` : `${name}: ${text}`
}
