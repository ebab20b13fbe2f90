import { readFile } from 'node:fs/promises'
import { messageOf, systemCode, ZenmlError } from '../../base/errors.ts'
import type { TlsOptions } from '../../model/tls-options.ts'
import { placeOf, type ServerLocation } from './location.ts'

/** A server that cannot be reached. */
export function unreachable(location: ServerLocation, cause: unknown): ZenmlError {
  const { type, host, port, socket } = location
  return new ZenmlError(
    'ZEN_METADATA_CONNECTION',
    `A ${type} server was expected at ${socket ?? `${host}:${port}`}, but it cannot be reached: ${messageOf(causeOf(cause))}.`,
    {
      facts: { type, ...(socket === undefined ? { host, port } : { socket }) },
      next: 'Start the server, or see "zenml config metadata set --help" for another one.',
      cause,
      exitCode: 1,
    },
  )
}

/** A server that does not let this user in, or not to this database. */
export function refused(location: ServerLocation, cause: unknown): ZenmlError {
  const { type, host, port, user, database } = location
  return new ZenmlError(
    'ZEN_METADATA_ACCESS',
    `${location.user === '' ? 'Nobody' : `The user "${user}"`} may not use ${placeOf(location)}: ${messageOf(cause)}.`,
    {
      facts: { type, host, port, user, database },
      next: 'Check user, password and privileges; the user needs to create tables, insert, update and delete.',
      cause,
    },
  )
}

/** A server whose disk is full. */
export function noSpace(location: ServerLocation, cause: unknown): ZenmlError {
  return new ZenmlError('ZEN_SYSTEM', `The server of ${placeOf(location)} has no space left: ${messageOf(cause)}.`, {
    next: 'Free some space on its disk, and run it again.',
    cause,
    exitCode: 1,
  })
}

/** The contents of the files that the options name. Throws `ZEN_METADATA_TLS`. */
export async function tlsFiles({ ca, cert, key, verify = true }: TlsOptions): Promise<{
  readonly ca?: string
  readonly cert?: string
  readonly key?: string
  readonly rejectUnauthorized: boolean
}> {
  const contents: { ca?: string; cert?: string; key?: string } = {}
  for (const [name, path] of Object.entries({ ca, cert, key }) as ['ca' | 'cert' | 'key', string | undefined][]) {
    if (path === undefined) continue
    try {
      contents[name] = await readFile(path, 'utf8')
    } catch (error) {
      throw new ZenmlError('ZEN_METADATA_TLS', `The ${name} file ${path} cannot be read: ${messageOf(error)}.`, {
        next: 'Name a PEM file.',
        cause: error,
      })
    }
  }
  return { ...contents, rejectUnauthorized: verify }
}

/** Errors of several addresses of one host come as one without a message. */
export function causeOf(error: unknown): unknown {
  return error instanceof AggregateError && error.errors.length > 0 ? error.errors[0] : error
}

/** Whether Node refuses a certificate or a way to encrypt, by its code. */
export function isTlsCode(error: unknown): boolean {
  return /^(ERR_TLS|ERR_SSL|CERT_|DEPTH_ZERO|SELF_SIGNED|UNABLE_TO_)/.test(systemCode(error) ?? '')
}
