import type { JsonObject } from '../base/json.ts'
import type { SqliteJournal } from '../metadata/sql/location.ts'
import type { TlsOptions } from '../model/tls-options.ts'

/** A database of a server, as `.zenml/config.json` names it. It never holds a password. */
export interface ServerMetadata {
  readonly type: 'mysql' | 'postgres'
  readonly host: string
  readonly port: number
  readonly socket?: string
  readonly user: string
  readonly database: string
  /** The variable that holds the password, as `${env:NAME}`. Default the user's credentials file. */
  readonly password?: string
  readonly tls?: TlsOptions
}

/** Where metadata is kept. */
export type MetadataConfig =
  | { readonly type: 'sqlite'; readonly path: string; readonly journal?: SqliteJournal }
  | ServerMetadata

/** The name of the variable in `${env:NAME}`, or undefined for all else. */
export function variableOf(password: string): string | undefined {
  return /^\$\{env:([A-Za-z_][A-Za-z0-9_]*)\}$/.exec(password)?.[1]
}

/** A place of metadata in one line, without the password. */
export function describeMetadata(config: MetadataConfig): string {
  if (config.type === 'sqlite') return `sqlite ${config.path}`
  const { type, host, port, socket, user, database } = config
  return `${type} ${user}@${socket ?? `${host}:${port}`}/${database}`
}

/** Reads what the configuration says about a place of metadata; `wrong` makes the error for what it does not understand. */
export function parseMetadata(value: JsonObject, wrong: (what: string) => Error): MetadataConfig {
  const { type } = value
  const text = (name: string): string => {
    const given = value[name]
    if (typeof given !== 'string' || given === '' || given.includes('\0'))
      throw wrong(`metadata.${name} must be a text`)
    return given
  }
  if (type === 'sqlite') {
    const { journal } = value
    if (journal !== undefined && journal !== 'wal' && journal !== 'delete')
      throw wrong('metadata.journal must be "wal" or "delete"')
    return { type, path: text('path'), ...(journal === undefined ? {} : { journal }) }
  }
  if (type !== 'mysql' && type !== 'postgres') throw wrong('metadata.type must be "sqlite", "mysql" or "postgres"')
  const { port, socket, password, tls } = value
  if (typeof port !== 'number' || !Number.isInteger(port) || port < 1 || port > 65_535)
    throw wrong('metadata.port must be a whole number from 1 to 65535')
  if (password !== undefined && (typeof password !== 'string' || variableOf(password) === undefined))
    // The text itself may be a password, so it is not shown.
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what one types
    throw wrong('metadata.password must be a reference like "${env:NAME}"')
  return {
    type,
    host: text('host'),
    port,
    ...(socket === undefined ? {} : { socket: text('socket') }),
    user: text('user'),
    database: text('database'),
    ...(password === undefined ? {} : { password }),
    ...(tls === undefined ? {} : { tls: parseTls(tls, wrong) }),
  }
}

/** The keys that a place of metadata may have. */
export function metadataKeys(type: unknown): readonly string[] {
  return type === 'mysql' || type === 'postgres'
    ? ['type', 'host', 'port', 'socket', 'user', 'database', 'password', 'tls']
    : ['type', 'path', 'journal']
}

function parseTls(value: unknown, wrong: (what: string) => Error): TlsOptions {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw wrong('metadata.tls must be an object')
  const tls: { ca?: string; cert?: string; key?: string; verify?: boolean } = {}
  for (const [key, given] of Object.entries(value) as [string, unknown][]) {
    if ((key === 'ca' || key === 'cert' || key === 'key') && typeof given === 'string' && given !== '') tls[key] = given
    else if (key === 'verify' && typeof given === 'boolean') tls.verify = given
    else throw wrong(`metadata.tls.${key} must be the path "ca", "cert" or "key", or "verify" with true or false`)
  }
  return tls
}
