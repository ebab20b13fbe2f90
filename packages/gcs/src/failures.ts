import type { GcsDatasource, SourceTools } from 'zenml/sources'

/** What the client throws: an answer that is an error, or a connection that gives none. */
interface ClientError {
  /** Of an answer its status, of a connection the system's code. */
  readonly code?: number | string
  readonly status?: number | string
  readonly message?: string
}

/** The status of the answer that an error tells of; undefined where there was none. */
export function statusOf(error: unknown): number | undefined {
  const { code, status } = error as ClientError
  const found = [code, status].find((value) => /^[1-5]\d\d$/.test(String(value)))
  return found === undefined ? undefined : Number(found)
}

/** An error of the API in words that do not depend on it (https://cloud.google.com/storage/docs/json_api/v1/status-codes). */
export function failureOf(
  error: unknown,
  spec: GcsDatasource,
  isReading: boolean,
  { ZenmlError, sourceFailure }: SourceTools,
): unknown {
  if (!(error instanceof Error) || error instanceof ZenmlError) return error
  const status = statusOf(error)
  const said = new Error(saidBy(error), { cause: error })
  if (status === 401 || status === 403) return sourceFailure('ZEN_SOURCE_DENIED', spec, said)
  if (status === 404)
    return new ZenmlError('ZEN_SOURCE_MISSING', `There is nothing at ${spec.uri}: ${said.message}`, {
      facts: { uri: spec.uri },
      next: 'Mend the URI.',
      cause: error,
      exitCode: 1,
    })
  if (status === undefined || status === 408 || status === 429 || status >= 500)
    return sourceFailure(isReading ? 'ZEN_SOURCE_LOST' : 'ZEN_SOURCE_CONNECT', spec, said)
  return sourceFailure('ZEN_SOURCE_READ', spec, said)
}

/** What the service says, in one line: of a file that is read the client gives the answer as it came. */
function saidBy({ message }: Error): string {
  try {
    return String(JSON.parse(message).error.message)
  } catch {
    return message.split('\n')[0]!.slice(0, 300)
  }
}

/** Credentials that are not good. Nothing is shown that the file itself may hold: a parser quotes what it stumbles over. */
export function credentialsFailure(error: unknown, spec: GcsDatasource, tools: SourceTools): unknown {
  const { code, message = '' } = error as ClientError
  const status = statusOf(error)
  if (
    status === 429 ||
    (status !== undefined && status >= 500) ||
    (/^(E[A-Z]+|EAI_.*)$/.test(String(code)) && code !== 'ENOENT')
  )
    return tools.sourceFailure('ZEN_SOURCE_CONNECT', spec, new Error(`credentials cannot be checked: ${message}`))
  const what =
    status !== undefined
      ? message
      : code === 'ENOENT' || /does not exist/.test(message)
        ? 'there is no such file'
        : 'the file holds no credentials of Google'
  return tools.sourceFailure('ZEN_SOURCE_DENIED', spec, new Error(`GOOGLE_APPLICATION_CREDENTIALS: ${what}`))
}
