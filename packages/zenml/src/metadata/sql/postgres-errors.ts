import { systemCode, ZenmlError } from '../../base/errors.ts'
import { SqlError } from './database.ts'
import type { ServerLocation } from './location.ts'
import { isTlsCode, noSpace, refused, unreachable } from './server-errors.ts'

/** What errors of the connection say that have no code; the last where something else than PostgreSQL answers. */
const broken =
  /^(Connection terminated|Client has encountered a connection error|Client was closed|timeout expired|Received unexpected \w+ message)/

/** What an error of pg means; its codes are those of PostgreSQL (https://www.postgresql.org/docs/current/errcodes-appendix.html). */
export function kindOf(error: unknown): 'lost' | 'conflict' | 'other' {
  if (error instanceof ZenmlError || error instanceof SqlError) return 'other'
  const code = systemCode(error) ?? ''
  if (code === '40P01' || code === '40001' || code === '55P03') return 'conflict'
  if (/^(08|57P0[1235]|53300|ECONN|EPIPE|ETIMEDOUT|ENOENT|ENOTFOUND|EAI_AGAIN|E(HOST|NET)(UNREACH|DOWN))/.test(code))
    return 'lost'
  return code === '' && error instanceof Error && broken.test(error.message) ? 'lost' : 'other'
}

/** An error of pg in words that do not depend on the database. */
export function postgresError(location: ServerLocation, error: unknown): unknown {
  const code = systemCode(error) ?? ''
  // 25006: a server that is read-only, as a replica is.
  if (/^(28|42501|3D000|25006)/.test(code)) return refused(location, error)
  if (code === '53100') return noSpace(location, error)
  // The driver itself refuses to answer a question for a password that it was not given.
  if (error instanceof Error && error.message.startsWith('SASL: ')) return refused(location, error)
  if (code === '23505') return new SqlError('unique', error)
  if (code === '42P01' || code === '42703') return new SqlError('missing', error)
  if (code === '22003') return new SqlError('range', error)
  // Also one that is too long for an index.
  if (code === '22001' || code === '54000') return new SqlError('long', error)
  // NUL, which no text of PostgreSQL holds, and what the encoding of the database lacks.
  if (code === '22021' || code === '22P05') return new SqlError('text', error)
  return kindOf(error) === 'lost' || isTls(error) ? unreachable(location, error) : error
}

/** Certificates that do not fit, and servers without encryption. */
export function isTls(error: unknown): boolean {
  return (
    isTlsCode(error) ||
    (error instanceof Error &&
      /^(The server does not support SSL|There was an error establishing an SSL) connection/.test(error.message))
  )
}
