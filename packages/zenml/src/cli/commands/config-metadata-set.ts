import { ZenmlError } from '../../base/errors.ts'
import { didYouMean } from '../../base/nearest.ts'
import { describeMetadata, type ServerMetadata } from '../../project/metadata-config.ts'
import type { ProjectConfig } from '../../project/project-config.ts'
import { setMetadataServer, setMetadataStore } from '../../project/set-stores.ts'
import type { CommandCall, CommandFunction } from '../command.ts'
import { document } from '../report-error.ts'

type Options = CommandCall['options']

/** What a server listens on where nobody says otherwise. */
const ports = { mysql: 3306, postgres: 5432 } as const
const serverOptions = [
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

export const command: CommandFunction = async ({ cli, terminal, args, options }) => {
  const { metadata } = await set(args[0]!, options, cli)
  terminal.result(document({ metadata }), () => `Metadata is kept in ${describeMetadata(metadata)} from now on.`)
  return 0
}

async function set(
  type: string,
  options: Options,
  { directory, environment }: CommandCall['cli'],
): Promise<ProjectConfig> {
  if (type === 'sqlite') {
    refuse(type, options, serverOptions)
    const { uri } = options
    if (typeof uri !== 'string')
      throw new ZenmlError('ZEN_USAGE', 'The database file is missing.', { next: 'Add --uri=PATH.' })
    return await setMetadataStore(directory, uri)
  }
  if (type !== 'mysql' && type !== 'postgres') {
    const types = ['sqlite', 'mysql', 'postgres']
    throw new ZenmlError(
      'ZEN_USAGE',
      `Metadata is kept in ${types.join(', ')}, not in "${type}".${didYouMean(type, types)}`,
    )
  }
  refuse(type, options, ['uri'])
  return await setMetadataServer(directory, serverOf(type, options), text(options, 'password'), environment)
}

function serverOf(type: 'mysql' | 'postgres', options: Options): Omit<ServerMetadata, 'password'> {
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
function text(options: Options, name: string): string | undefined {
  const value = options[name]
  return typeof value === 'string' && value !== '' ? value : undefined
}

function refuse(type: string, options: Options, names: readonly string[]): void {
  const given = names.find((name) => options[name] !== undefined)
  if (given === undefined) return
  const flag = given.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)
  throw new ZenmlError('ZEN_USAGE', `--${flag} says nothing about ${type}.`)
}
