import { readFile } from 'node:fs/promises'
import { resolve } from 'node:path'
import { systemCode, ZenmlError } from '../base/errors.ts'
import type { TlsFiles } from '../server/metadata/endpoint.ts'
import type { ServeOptions } from '../server/metadata/serve.ts'
import type { CliEnvironment } from './terminal.ts'

type Given = { readonly [name: string]: unknown }

const defaultPort = 8080
const defaultMessageSize = 16 << 20

/**
 * What the options of `metadata serve` say. A token is read from a variable or a file, since everybody can read the arguments of
 * a process. Throws `ZEN_USAGE`.
 */
export async function serveOptions(
  options: Given,
  { environment, directory }: CliEnvironment,
): Promise<Omit<ServeOptions, 'service' | 'log'>> {
  const webPort = numberOf(options, 'grpcWebPort', 65_535)
  const origins = (options['grpcWebOrigin'] ?? []) as readonly string[]
  if (webPort === undefined && origins.length > 0)
    throw usage('--grpc-web-origin means nothing without --grpc-web-port.', 'Add --grpc-web-port.')
  for (const origin of origins)
    if (!URL.canParse(origin) || new URL(origin).origin !== origin)
      throw usage(`"${origin}" is no origin.`, 'An origin is scheme, name and port: https://kubeflow.example.')
  return {
    host: (options['host'] as string | undefined) ?? '127.0.0.1',
    port: numberOf(options, 'port', 65_535) ?? defaultPort,
    ...(webPort === undefined ? {} : { web: { port: webPort, origins } }),
    token: await tokenOf(options, environment, directory),
    tls: await tlsOf(options, directory),
    maxMessageSize: numberOf(options, 'maxMessageSize', 2 ** 31 - 1, 1) ?? defaultMessageSize,
  }
}

/** What others could do to a store that is served beyond this machine without protection; none for a safe way. */
export function warningsOf({ host, tls, token }: Pick<ServeOptions, 'host' | 'tls' | 'token'>): readonly string[] {
  if (/^(localhost|127\.\d+\.\d+\.\d+|::1)$/.test(host)) return []
  const open = token === undefined && tls?.ca === undefined
  return [
    ...(open ? [`Whoever reaches ${host} can read and change this store: give --tls-ca or a token.`] : []),
    ...(tls === undefined
      ? [
          `Whoever is between can read along${token === undefined ? '' : ', the token too'}: give --tls-cert and --tls-key.`,
        ]
      : []),
  ]
}

function numberOf(options: Given, name: string, most: number, least: number = 0): number | undefined {
  const given = options[name] as string | undefined
  if (given === undefined) return undefined
  const number = Number(given)
  const flag = `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`
  if (!/^\d{1,10}$/.test(given) || number < least || number > most)
    throw usage(`${flag} takes a whole number from ${least} to ${most}, not "${given}".`)
  return number
}

async function tokenOf(
  options: Given,
  environment: CliEnvironment['environment'],
  directory: string,
): Promise<string | undefined> {
  const [name, file] = [options['tokenEnv'], options['tokenFile']] as (string | undefined)[]
  if (name !== undefined && file !== undefined) throw usage('--token-env and --token-file exclude one another.')
  if (name === undefined && file === undefined) return undefined
  const place = name === undefined ? file! : `The variable ${name}`
  const token = name === undefined ? (await read(directory, file!)).toString('utf8').trim() : (environment[name] ?? '')
  if (!/^[\x21-\x7e]+$/.test(token))
    throw usage(`${place} holds no token: visible ASCII characters without spaces were expected.`)
  return token
}

async function tlsOf(options: Given, directory: string): Promise<TlsFiles | undefined> {
  const [cert, key, ca] = [options['tlsCert'], options['tlsKey'], options['tlsCa']] as (string | undefined)[]
  if (cert === undefined && key === undefined && ca === undefined) return undefined
  if (cert === undefined || key === undefined) throw usage('TLS needs both --tls-cert and --tls-key.')
  return {
    cert: await read(directory, cert),
    key: await read(directory, key),
    ca: ca === undefined ? undefined : await read(directory, ca),
  }
}

async function read(directory: string, file: string): Promise<Buffer> {
  try {
    return await readFile(resolve(directory, file))
  } catch (error) {
    throw usage(`${file} cannot be read (${systemCode(error) ?? 'unknown'}).`)
  }
}

function usage(message: string, next: string = 'See zenml metadata serve --help.'): ZenmlError {
  return new ZenmlError('ZEN_USAGE', message, { next })
}
