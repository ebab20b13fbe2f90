import { type ChildProcess, execFile, spawn } from 'node:child_process'
import { existsSync, realpathSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import { promisify } from 'node:util'
import { messageOf, ZenmlError } from '../base/errors.ts'

/** How npm is run. */
export interface NpmOptions {
  readonly directory: string
  /** The Node that runs npm and what packages run when they are installed. Default this process's own. */
  readonly node?: string
  /** `npm-cli.js`. Default the one beside Node, else the one on the PATH. */
  readonly npm?: string
  readonly signal?: AbortSignal
  /** Told each line that npm prints. */
  readonly onOutput?: (line: string) => void
  readonly guard?: ProcessGuard
}

/** Sees to it that a child's process group does not outlive this process; gives how to let it off. Default nothing: npm goes on where this process is killed. */
export type ProcessGuard = (child: ChildProcess) => () => void

/** How npm ended. */
export interface NpmEnd {
  readonly code: number | null
  /** The end of what it printed, both streams. */
  readonly output: string
}

/** Characters that are kept of what npm prints. */
const most = 16_000

/** What a script of `npm run` or `npx` passes on, and what would make npm work elsewhere or on a part only. */
const inherited =
  /^npm_(?:package_|lifecycle_|command$|execpath$|node_execpath$)|^npm_config_(?:local_prefix|global|location|workspaces?|include_workspace_root|dry_run|package_lock_only)$|^INIT_CWD$/i

/** Runs npm and waits for its end. Throws `ZEN_NPM_MISSING`; rejects with the signal's reason when stopped. */
export async function runNpm(args: readonly string[], options: NpmOptions): Promise<NpmEnd> {
  const { directory, node = process.execPath, npm = findNpm(), signal, onOutput = () => undefined } = options
  const { guard = () => () => undefined } = options
  signal?.throwIfAborted()
  const variables = Object.entries(process.env).filter(([name]) => !inherited.test(name))
  const env = Object.fromEntries(variables)
  if (node !== process.execPath) {
    // Scripts of packages find this Node first, and compile for it where they do: its headers lie beside it or are fetched.
    env['PATH'] = `${dirname(node)}${delimiter}${env['PATH'] ?? ''}`
    const home = dirname(dirname(node))
    env['npm_config_nodedir'] = existsSync(join(home, 'include', 'node', 'node.h')) ? home : ''
  }
  const child = spawn(node, [npm, ...args, '--prefix', directory], {
    cwd: directory,
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
    // A group of its own, so that what packages start ends with it.
    detached: process.platform !== 'win32',
  })
  const stop = (): void => {
    if (child.pid === undefined) return
    try {
      if (process.platform === 'win32') child.kill('SIGKILL')
      else process.kill(-child.pid, 'SIGKILL')
    } catch {
      // It has ended already.
    }
  }
  const release = guard(child)
  signal?.addEventListener('abort', stop, { once: true })
  let output = ''
  for (const stream of [child.stdout, child.stderr]) {
    let rest = ''
    stream.setEncoding('utf8').on('data', (text: string) => {
      output = (output + text).slice(-most)
      const lines = (rest + text).split('\n')
      rest = lines.pop()!
      for (const line of lines) if (line.trim() !== '') onOutput(line)
    })
  }
  try {
    const code = await new Promise<number | null>((resolve, reject) => {
      child.on('error', reject).on('close', resolve)
    })
    signal?.throwIfAborted()
    return { code, output }
  } finally {
    release()
    signal?.removeEventListener('abort', stop)
  }
}

/** What of npm's output says why it failed, on one line, without passwords and the place of its log. */
export function npmWords(output: string): string {
  const lines = output
    .split('\n')
    .filter((line) => /^npm (?:error|ERR!)/.test(line))
    .map((line) => line.replace(/^npm (?:error|ERR!) ?/, '').trim())
    .filter(
      (line) =>
        line !== '' &&
        !/complete log of this run|Log files were not written|[/\\]_logs[/\\]|-debug-\d+\.log/.test(line),
    )
  const words = lines.length > 0 ? lines : output.trim().split('\n').slice(-3)
  return words
    .slice(0, 6)
    .join(' ')
    .replace(/(:\/\/)[^/@\s]*@/g, '$1')
    .slice(0, 1000)
}

/** What decides which native code a Node can load. */
export interface NodeKind {
  readonly version: string
  readonly platform: string
  readonly arch: string
  /** `NODE_MODULE_VERSION` */
  readonly abi: string
  /** `glibc 2.36` or `musl` on Linux, else empty. */
  readonly libc: string
}

/** Asks a Node what it is. Throws `ZEN_NODE` where it does not run. */
export async function askNode(node: string): Promise<NodeKind> {
  const script = `process.report.excludeNetwork = true
const { glibcVersionRuntime: glibc } = process.platform === 'linux' ? process.report.getReport().header : {}
const libc = process.platform !== 'linux' ? '' : glibc === undefined ? 'musl' : 'glibc ' + glibc
console.log(JSON.stringify({ version: process.versions.node, platform: process.platform, arch: process.arch, abi: process.versions.modules, libc }))`
  try {
    const { stdout } = await promisify(execFile)(node, ['-e', script], { env: withoutNodeOptions() })
    return JSON.parse(stdout) as NodeKind
  } catch (error) {
    throw new ZenmlError('ZEN_NODE', `${node} does not run as Node: ${messageOf(error).split('\n')[0]}`, {
      next: 'Name the executable of a Node.',
      cause: error,
    })
  }
}

function withoutNodeOptions(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _options, ...rest } = process.env
  return rest
}

function findNpm(): string {
  const home = dirname(process.execPath)
  const beside = [
    join(home, '..', 'lib', 'node_modules', 'npm', 'bin', 'npm-cli.js'),
    join(home, 'node_modules', 'npm', 'bin', 'npm-cli.js'),
  ]
  const onPath = (process.env['PATH'] ?? '')
    .split(delimiter)
    .filter(Boolean)
    .map((folder) => join(folder, 'npm'))
  for (const path of [...beside, ...onPath]) {
    if (!existsSync(path)) continue
    const real = realpathSync(path)
    if (real.endsWith('npm-cli.js')) return real
    const near = join(dirname(real), 'node_modules', 'npm', 'bin', 'npm-cli.js')
    if (existsSync(near)) return near
  }
  throw new ZenmlError('ZEN_NPM_MISSING', 'npm is neither beside Node nor on the PATH.', {
    next: 'Install it: it brings back the packages of a run.',
  })
}
