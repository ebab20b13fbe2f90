import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

/** Benchmarks are bundled elsewhere and say where the repository is. */
const repository = process.env['BENCH_ROOT'] ?? fileURLToPath(new URL('../../../..', import.meta.url))

export type ServerType = 'mysql' | 'postgres'
export const serverTypes: readonly ServerType[] = ['mysql', 'postgres']

/** How to connect to a server as its administrator. */
export interface ServerAccess {
  readonly host: string
  readonly port: number
  /** The socket of MySQL; the folder of PostgreSQL's. */
  readonly socket: string
  readonly user: string
  readonly password: string
  /** The temporary folder that holds all of the server. */
  readonly folder: string
}

/** A database server of one's own. It goes with its folder when this process ends, in whatever way. */
export interface TestServer extends ServerAccess, AsyncDisposable {
  start(): Promise<void>
  /** A clean end; clients are cut off. */
  stop(): Promise<void>
  /** `kill -9` */
  kill(): Promise<void>
}

/** Starts a server; `durable: true` makes it write to the disk at each commit, as benchmarks need. */
export async function startServer(
  type: ServerType,
  settings: { readonly durable?: boolean; readonly options?: readonly string[] } = {},
): Promise<TestServer> {
  const keeper = spawn(
    process.execPath,
    [join(repository, 'tools/servers/keep.mjs'), type, JSON.stringify(settings)],
    // Outlives Ctrl-C for as long as it takes to tidy up.
    { stdio: ['pipe', 'pipe', 'inherit'], detached: true },
  )
  const answers = createInterface({ input: keeper.stdout })[Symbol.asyncIterator]()
  const next = async <T>(): Promise<T> => {
    const { value, done } = await answers.next()
    const answer = done === true ? { error: `The keeper of the ${type} server ended.` } : JSON.parse(value)
    if (answer.error !== undefined) throw new Error(answer.error)
    return answer
  }
  const command = async (line: string): Promise<void> => {
    keeper.stdin.write(`${line}\n`)
    await next()
  }
  const access = await next<ServerAccess>()
  return {
    ...access,
    start: () => command('start'),
    stop: () => command('stop'),
    kill: () => command('kill'),
    async [Symbol.asyncDispose]() {
      const gone = once(keeper, 'exit')
      keeper.stdin.end()
      await gone
    },
  }
}
