// PostgreSQL in a folder of its own.
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { findProgram, run } from './programs.mjs'

/** The newest of Debian's versions, then what the path has. */
const places = () => {
  const debian = '/usr/lib/postgresql'
  const versions = existsSync(debian) ? readdirSync(debian).sort((a, b) => Number(b) - Number(a)) : []
  return [...versions.map((version) => join(debian, version, 'bin')), '/usr/local/bin', '/opt/homebrew/bin']
}

export const postgres = {
  account: 'postgres',
  program: () => findProgram(['postgres'], places(), 'initdb'),

  async initialise({ folder, password, durable }) {
    const file = join(folder, 'password')
    await writeFile(file, password, { mode: 0o600 })
    const initdb = findProgram(['initdb'], places())
    const options = ['--auth=scram-sha-256', '--encoding=UTF8', '--locale=C', '--username=postgres']
    if (!durable) options.push('--no-sync')
    await run(initdb, ['-D', join(folder, 'data'), `--pwfile=${file}`, ...options])
    await rm(file)
  },

  start({ folder, port, durable, options }) {
    // What was committed outlives a killed server either way, and a crashed machine only where it is durable.
    const settings = {
      listen_addresses: '127.0.0.1',
      unix_socket_directories: folder,
      port,
      fsync: durable ? 'on' : 'off',
      max_connections: 200,
    }
    return [
      '-D',
      join(folder, 'data'),
      ...Object.entries(settings).flatMap(([name, value]) => ['-c', `${name}=${value}`]),
      ...options,
    ]
  },

  socket: ({ folder }) => folder,
  isReady({ folder }, pid) {
    const file = join(folder, 'data', 'postmaster.pid')
    const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
    return Number(lines[0]) === pid && lines[7]?.trim() === 'ready'
  },
  /** An end that breaks off sessions, and not one that waits for them. */
  endSignal: 'SIGINT',
  /** The fastest end that leaves no process. */
  quickSignal: 'SIGQUIT',
}
