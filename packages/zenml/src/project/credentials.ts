import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { messageOf, systemCode, ZenmlError } from '../base/errors.ts'
import { isJsonObject } from '../base/json.ts'
import type { DatabaseLocation } from '../metadata/sql/location.ts'
import { describeMetadata, type MetadataConfig, type ServerMetadata, variableOf } from './metadata-config.ts'
import { oneAtATime } from './one-at-a-time.ts'
import { resolveIn } from './project-config.ts'

/** Variables of a process. */
interface Environment {
  readonly [name: string]: string | undefined
}

/**
 * The place of metadata with its password, from the variable that the configuration names or from the user's credentials file.
 *
 * Throws `ZEN_METADATA_PASSWORD` where the variable is not set or the file cannot be read; no password at all is an empty one.
 */
export async function metadataLocation(
  home: string,
  config: MetadataConfig,
  environment: Environment,
): Promise<DatabaseLocation> {
  if (config.type === 'sqlite') return { ...config, path: resolveIn(home, config.path) }
  const { password: reference, ...given } = config
  const place = inFolder(home, given)
  if (reference === undefined) return { ...place, password: (await readPasswords(environment))[keyOf(config)] ?? '' }
  const name = variableOf(reference)!
  const password = environment[name]
  if (password === undefined)
    throw new ZenmlError(
      'ZEN_METADATA_PASSWORD',
      `The password of ${describeMetadata(config)} is in the variable ${name}, which is not set.`,
      { facts: { variable: name }, next: `Set ${name}, or name the password with "zenml config metadata set".` },
    )
  return { ...place, password }
}

/** A server whose socket and files of certificates are meant from a folder, whatever folder the process is in. */
export function inFolder<S extends Omit<ServerMetadata, 'password'>>(folder: string, server: S): S {
  const { socket, tls } = server
  const files = (['ca', 'cert', 'key'] as const).flatMap((name) => {
    const path = tls?.[name]
    return path === undefined ? [] : [[name, resolveIn(folder, path)] as const]
  })
  return {
    ...server,
    ...(socket === undefined ? {} : { socket: resolveIn(folder, socket) }),
    ...(tls === undefined ? {} : { tls: { ...tls, ...Object.fromEntries(files) } }),
  }
}

/** Keeps the password of a place in the user's credentials file, which nobody else can read. Throws `ZEN_METADATA_PASSWORD`. */
export async function keepPassword(config: ServerMetadata, password: string, environment: Environment): Promise<void> {
  const file = credentialsFile(environment)
  try {
    await mkdir(join(file, '..'), { recursive: true, mode: 0o700 })
    // Others keep passwords of other servers in the same file.
    await oneAtATime(file, async () =>
      writePasswords(file, { ...(await readPasswords(environment)), [keyOf(config)]: password }),
    )
  } catch (error) {
    throw error instanceof ZenmlError ? error : unusable(file, 'written', error)
  }
}

async function writePasswords(file: string, passwords: { readonly [place: string]: string }): Promise<void> {
  // A name of its own: numbers of processes come again, in containers each time, and one that was killed leaves its file.
  const part = `${file}.${randomBytes(8).toString('hex')}.part`
  try {
    await writeFile(part, `${JSON.stringify({ version: 1, passwords }, null, 2)}\n`, { mode: 0o600, flag: 'wx' })
    await rename(part, file)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
}

async function readPasswords(environment: Environment): Promise<{ readonly [place: string]: string }> {
  const file = credentialsFile(environment)
  let value: unknown
  try {
    value = JSON.parse(await readFile(file, 'utf8'))
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return {}
    // What JSON.parse says may quote the file.
    throw unusable(file, 'read', error instanceof SyntaxError ? new Error('it is no JSON') : error)
  }
  const passwords = isJsonObject(value) ? value['passwords'] : undefined
  if (!isJsonObject(passwords)) throw unusable(file, 'read', new Error('it has no "passwords"'))
  return Object.fromEntries(
    Object.entries(passwords).filter((entry): entry is [string, string] => typeof entry[1] === 'string'),
  )
}

/** `$ZENML_CONFIG_DIR`, else `$XDG_CONFIG_HOME/zenml`, else `~/.config/zenml`. */
function credentialsFile(environment: Environment): string {
  for (const [name, below] of [
    ['ZENML_CONFIG_DIR', []],
    ['XDG_CONFIG_HOME', ['zenml']],
  ] as const) {
    const path = environment[name]
    if (path !== undefined && isAbsolute(path)) return join(path, ...below, 'credentials.json')
  }
  return join(environment['HOME'] || homedir(), '.config', 'zenml', 'credentials.json')
}

/** Passwords belong to an account on a server, whatever database it is. */
function keyOf({ type, host, port, socket, user }: ServerMetadata): string {
  return `${type}://${encodeURIComponent(user)}@${socket ?? `${host}:${port}`}`
}

function unusable(file: string, how: string, cause: unknown): ZenmlError {
  return new ZenmlError(
    'ZEN_METADATA_PASSWORD',
    `The credentials file ${file} cannot be ${how}: ${messageOf(cause)}.`,
    {
      facts: { file },
      // biome-ignore lint/suspicious/noTemplateCurlyInString: what one types
      next: "Mend or delete it, or keep the password in a variable: --password='${env:NAME}'.",
      cause,
    },
  )
}
