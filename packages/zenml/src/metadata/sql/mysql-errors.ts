import { systemCode, ZenmlError } from '../../base/errors.ts'
import { SqlError } from './database.ts'
import type { ServerLocation } from './location.ts'
import { isTlsCode, noSpace, refused, unreachable } from './server-errors.ts'

/** Numbers of MySQL's and MariaDB's errors (https://mariadb.com/kb/en/mariadb-error-code-reference). */
const numbers = {
  /** Lock wait timeout, deadlock, a row that changed under a snapshot, a lock that could not be had at once. */
  conflict: [1205, 1213, 1020, 3572],
  /** Too many connections, shutdown, killed connection, lost or idle connection. */
  lost: [1040, 1053, 1927, 2006, 2013, 4031, 1077, 1079],
  /** Also a server that is read-only, as a replica is. */
  access: [1044, 1045, 1049, 1129, 1130, 1142, 1143, 1227, 1290, 1698, 1836],
  /** Disk full, error while a file was written, table full. */
  full: [3, 1021, 1026, 1114],
  unique: [1062, 1586],
  missing: [1146, 1054],
  range: [1264, 1690],
  long: [1406, 1153],
  text: [1366],
}

const systemCodes = /^(ECONN|EPIPE|ETIMEDOUT|ENOENT|ENOTFOUND|EAI_AGAIN|EHOSTUNREACH|ENETUNREACH|EHOSTDOWN|PROTOCOL_)/

/** What an error of mysql2 means. */
export function kindOf(error: unknown): 'lost' | 'conflict' | 'other' {
  const number = numberOf(error)
  if (number !== undefined && numbers.conflict.includes(number)) return 'conflict'
  if (number !== undefined && numbers.lost.includes(number)) return 'lost'
  if (error instanceof ZenmlError || error instanceof SqlError) return 'other'
  return systemCodes.test(systemCode(error) ?? '') && !isTls(error) ? 'lost' : 'other'
}

/** An error of mysql2 in words that do not depend on the database. */
export function mysqlError(location: ServerLocation, error: unknown): unknown {
  const number = numberOf(error)
  if (number !== undefined) {
    if (numbers.access.includes(number)) return refused(location, error)
    if (numbers.full.includes(number)) return noSpace(location, error)
    for (const kind of ['unique', 'missing', 'range', 'long', 'text'] as const)
      if (numbers[kind].includes(number)) return new SqlError(kind, error)
  }
  return kindOf(error) === 'lost' || isTls(error) ? unreachable(location, error) : error
}

/** A statement that the server would end the connection for. */
export function tooLarge(most: number): SqlError {
  return new SqlError('long', `A statement must not be larger than max_allowed_packet of the server, ${most} bytes.`)
}

/** Certificates that do not fit, and servers without encryption. */
export function isTls(error: unknown): boolean {
  return isTlsCode(error) || systemCode(error)?.startsWith('HANDSHAKE_') === true
}

/** The number that the server gave to an error. System errors have negative ones. */
function numberOf(error: unknown): number | undefined {
  if (typeof error !== 'object' || error === null || !('errno' in error)) return undefined
  return typeof error.errno === 'number' && error.errno > 0 ? error.errno : undefined
}
