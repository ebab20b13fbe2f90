import type { TlsOptions } from '../../model/tls-options.ts'

/** Where an SQLite database is kept. */
export interface SqliteLocation {
  readonly type: 'sqlite'
  /** The database file; created where it is missing. */
  readonly path: string
  readonly journal?: SqliteJournal
}

/**
 * How SQLite keeps a transaction whole. `wal`: readers go on while one writes; needs a local disk, since its processes share memory.
 * `delete`: a journal beside the file for as long as a transaction takes, also for network file systems. Default: what the file
 * has, `wal` for a new one.
 */
export type SqliteJournal = 'wal' | 'delete'

/** Where a database of a server is kept. */
export interface ServerLocation {
  readonly type: 'mysql' | 'postgres'
  readonly host: string
  readonly port: number
  /** A socket instead of host and port: MySQL's file, PostgreSQL's folder. */
  readonly socket?: string
  readonly user: string
  readonly password: string
  /** The name of the database; created where it is missing and the user may do that. */
  readonly database: string
  readonly tls?: TlsOptions
}

/** Where metadata is kept. */
export type DatabaseLocation = SqliteLocation | ServerLocation

/** A place in words, without the user and the password. */
export function placeOf({ type, host, port, socket, database }: ServerLocation): string {
  return `the ${type} database "${database}" at ${socket ?? `${host}:${port}`}`
}
