import { ZenmlError } from '../base/errors.ts'
import type { ServerMetadata } from '../project/metadata-config.ts'
import type { CommandCall, OptionEntry } from './command.ts'

type Options = CommandCall['options']

/** What a server listens on where nobody says otherwise. */
const ports = { mysql: 3306, postgres: 5432 } as const
/** The options of a server by name, as commands are given them. */
export const serverOptions: readonly string[] = [
  'host',
  'port',
  'socket',
  'username',
  'password',
  'database',
  'tls',
  'tlsCa',
  'tlsCert',
  'tlsKey',
]

/** The server that options name, without the password. Throws `ZEN_USAGE`. */
export function serverOf(type: 'mysql' | 'postgres', options: Options): Omit<ServerMetadata, 'password'> {
  const port = text(options, 'port')
  if (port !== undefined && !(/^\d{1,5}$/.test(port) && Number(port) >= 1 && Number(port) <= 65_535))
    throw new ZenmlError('ZEN_USAGE', `--port must be a whole number from 1 to 65535, not "${port}".`)
  const user = text(options, 'username')
  if (user === undefined) throw new ZenmlError('ZEN_USAGE', 'The user is missing.', { next: 'Add --username=USER.' })
  const [socket, ca, cert, key] = ['socket', 'tlsCa', 'tlsCert', 'tlsKey'].map((name) => text(options, name))
  const { tls } = options
  const files = { ...(ca && { ca }), ...(cert && { cert }), ...(key && { key }) }
  if (tls !== undefined && tls !== 'verify' && tls !== 'encrypt')
    throw new ZenmlError('ZEN_USAGE', `--tls is verify or encrypt, not "${String(tls)}".`)
  const encrypted = tls !== undefined || Object.keys(files).length > 0
  return {
    type,
    host: text(options, 'host') ?? '127.0.0.1',
    port: port === undefined ? ports[type] : Number(port),
    ...(socket === undefined ? {} : { socket }),
    user,
    database: text(options, 'database') ?? 'zenml',
    ...(encrypted ? { tls: { ...files, verify: tls !== 'encrypt' } } : {}),
  }
}

/** The value of an option; an empty one counts as none. */
export function text(options: Options, name: string): string | undefined {
  const value = options[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

/** Refuses options that have no meaning for a kind of database. */
export function refuse(type: string, options: Options, names: readonly string[]): void {
  const given = names.find((name) => options[name] !== undefined)
  if (given === undefined) return
  const flag = given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  throw new ZenmlError('ZEN_USAGE', `--${flag} says nothing about ${type}.`)
}

/** The options of a server as `--help` shows them. */
export const serverFlags: readonly OptionEntry[] = [
  { flags: '--host <host>', description: 'server (default 127.0.0.1)' },
  { flags: '--port <port>', description: 'its port (default 3306 or 5432)' },
  { flags: '--socket <path>', description: 'its socket instead of host and port; for postgres the folder' },
  { flags: '--username <user>', description: 'user of the server' },
  {
    flags: '--password <password>',
    description:
      // biome-ignore lint/suspicious/noTemplateCurlyInString: what one types
      "password of the user, which set keeps in the user's credentials file; '${env:NAME}' is read from that variable each time instead",
  },
  { flags: '--database <name>', description: 'database (default zenml)' },
  {
    flags: '--tls <mode>',
    description: 'encrypt the connection: verify checks the certificate of the server, encrypt does not',
  },
  { flags: '--tls-ca <file>', description: 'PEM file of the authority that signed it' },
  { flags: '--tls-cert <file>', description: "PEM file of the client's own certificate" },
  { flags: '--tls-key <file>', description: 'PEM file of its key' },
]
