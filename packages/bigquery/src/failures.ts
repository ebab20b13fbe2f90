import type { BigQueryDatasource, SourceTools } from 'zenml/sources'

/** What the client throws: an answer that is an error, or a connection that gives none. */
interface ClientError {
  /** Of an answer its status, of a connection the system's code. */
  readonly code?: number | string
  readonly status?: number | string
  readonly errors?: readonly { readonly reason?: string; readonly message?: string }[]
  readonly message?: string
}

/**
 * An error of the API in words that do not depend on it, by the table of
 * https://cloud.google.com/bigquery/docs/error-messages. The reason decides before the status: a job that failed says there why.
 */
export function failureOf(
  error: unknown,
  spec: BigQueryDatasource,
  isReading: boolean,
  { ZenmlError, placeOf, sourceFailure }: SourceTools,
): unknown {
  if (!(error instanceof Error) || error instanceof ZenmlError) return error
  const { code, errors = [] } = error as ClientError
  const [first] = errors
  const said = new Error(first?.message ?? error.message, { cause: error })
  const reason = first?.reason ?? ''
  if (reason === 'bytesBilledLimitExceeded')
    return new ZenmlError('ZEN_SOURCE_LIMIT', `${placeOf(spec)} was not read: ${sentence(said.message)}`, {
      facts: { type: spec.type, maxBytesBilled: spec.maxBytesBilled ?? null },
      next: 'Raise maxBytesBilled, or read less in a query.',
      cause: error,
      exitCode: 1,
    })
  if (reason === 'responseTooLarge')
    return new ZenmlError('ZEN_SOURCE_LIMIT', `${placeOf(spec)} was not read: ${sentence(said.message)}`, {
      facts: { type: spec.type },
      next: 'Read less in a query: fewer columns, or a part of the rows.',
      cause: error,
      exitCode: 1,
    })
  const away = isReading ? 'ZEN_SOURCE_LOST' : 'ZEN_SOURCE_CONNECT'
  if (/^(rateLimitExceeded|backendError|internalError|jobBackendError|jobInternalError)$/.test(reason))
    return sourceFailure(away, spec, said)
  if (/^(invalidQuery|invalid|duplicate|notFound|resourcesExceeded)$/.test(reason))
    return sourceFailure('ZEN_SOURCE_QUERY', spec, said)
  if (code === 401 || /^(accessDenied|authError|required)$/.test(reason))
    return sourceFailure('ZEN_SOURCE_DENIED', spec, said)
  // Of the rest (quotaExceeded, billingNotEnabled, stopped …) the message says what to do.
  if (reason !== '' && typeof code === 'number' && code < 500) return sourceFailure('ZEN_SOURCE_READ', spec, said)
  if (code === 403) return sourceFailure('ZEN_SOURCE_DENIED', spec, said)
  if (code === 400 || code === 404) return sourceFailure('ZEN_SOURCE_QUERY', spec, said)
  if (typeof code === 'string' || code === 429 || (code !== undefined && code >= 500) || isCut(error))
    return sourceFailure(away, spec, said)
  return sourceFailure('ZEN_SOURCE_READ', spec, said)
}

/**
 * Credentials that are not good. Nothing is shown that the file itself may hold: a parser quotes what it stumbles over.
 */
export function credentialsFailure(error: unknown, spec: BigQueryDatasource, tools: SourceTools): unknown {
  const { code, status, message = '' } = error as ClientError
  const answered = [code, status].some((value) => /^4\d\d$/.test(String(value)))
  if (/^(ECONN|ENOTFOUND|EAI_|ETIMEDOUT|EHOST|ENET|5\d\d$|429$)/.test(String(code ?? status ?? '')) && !answered)
    return tools.sourceFailure('ZEN_SOURCE_CONNECT', spec, new Error(`credentials cannot be checked: ${message}`))
  const what = answered
    ? message
    : code === 'ENOENT' || /does not exist/.test(message)
      ? 'there is no such file'
      : 'the file holds no credentials of Google'
  return tools.sourceFailure('ZEN_SOURCE_DENIED', spec, new Error(`GOOGLE_APPLICATION_CREDENTIALS: ${what}`))
}

/** A body that broke off: what has come is then no whole JSON. */
function isCut(error: Error): boolean {
  return /premature close|unexpected end of JSON|socket hang up|terminated/i.test(error.message)
}

function sentence(text: string): string {
  return `${text.replace(/[.\s]+$/, '')}.`
}
