import { execFile, execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Benchmarks are bundled elsewhere and say where the repository is. */
const repository = process.env['BENCH_ROOT'] ?? fileURLToPath(new URL('../../../..', import.meta.url))

/** The built command line. */
export const cli: string = join(repository, 'packages/zenml/bin/zenml.js')

/** What a command printed and how it ended. */
export interface CommandEnd {
  readonly code: number | null
  readonly stdout: string
  readonly stderr: string
}

/** A project of a user: a git repository in a temporary folder with zenml installed as npm would. */
export interface TestProject extends Disposable {
  readonly root: string
  /** Cache of commands and home of their user. */
  readonly cache: string
  write(files: { readonly [path: string]: string | Uint8Array }): void
  read(path: string): string
  git(...args: string[]): string
  commit(message?: string): string
  /** Runs `zenml` and waits for its end. */
  zenml(...args: string[]): Promise<CommandEnd>
  /** The same with more environment variables. */
  zenmlWith(variables: NodeJS.ProcessEnv, ...args: string[]): Promise<CommandEnd>
  /** Runs `zenml … --json`; fails the test where it prints anything but one document. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read into documents freely
  json(...args: string[]): Promise<any>
  start(...args: string[]): ReturnType<typeof spawn>
  /** Makes the user of this project the owner of a path, where it has one of its own. */
  give(path: string): void
}

/** What differs between projects. */
export interface TestProjectOptions {
  /** False: no repository. Default true. */
  readonly git?: boolean
  /** False: no `zenml init`. Default true. */
  readonly init?: boolean
  /** True: metadata in the project's own file also where the tests are run on a server: tests of that file. Default false. */
  readonly ownFile?: boolean
  /** A repository to clone instead of making one. */
  readonly clone?: string
  /** Runs as this user where the tests may do that (root), else as their own. */
  readonly user?: number
}

/** A server of this run of the tests on which projects keep their metadata. */
interface MetadataServer {
  readonly type: 'mysql' | 'postgres'
  readonly host: string
  readonly port: number
  readonly user: string
  readonly password: string
}

/** The variable in which the start of the tests names the server that `ZENML_METADATA` asks for. */
export const metadataServerVariable = 'ZENML_TEST_METADATA'

function metadataServer(): MetadataServer | undefined {
  const text = process.env[metadataServerVariable]
  return text === undefined ? undefined : JSON.parse(text)
}

/** Whether projects of tests keep their metadata in a file that a test may open. */
export const metadataIsFile: boolean = metadataServer() === undefined

/** The environment of commands in tests: none of the user's git configuration. */
export const testEnvironment: NodeJS.ProcessEnv = {
  PATH: process.env['PATH'],
  HOME: tmpdir(),
  GIT_CONFIG_GLOBAL: '/dev/null',
  GIT_CONFIG_SYSTEM: '/dev/null',
  GIT_AUTHOR_NAME: 'Ada',
  GIT_AUTHOR_EMAIL: 'ada@example.com',
  GIT_COMMITTER_NAME: 'Ada',
  GIT_COMMITTER_EMAIL: 'ada@example.com',
  ...(metadataServer() === undefined ? {} : { ZENML_TEST_PASSWORD: metadataServer()!.password }),
}

// Tests that open a project in their own process need it as well.
Object.assign(process.env, metadataServer() === undefined ? {} : { ZENML_TEST_PASSWORD: metadataServer()!.password })

/** Makes a project; `git: false` leaves the repository out. */
export function testProject({
  git: withGit = true,
  init = true,
  ownFile = false,
  clone,
  user,
}: TestProjectOptions = {}): TestProject {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'zenml-project-')))
  const cache = mkdtempSync(join(tmpdir(), 'zenml-cache-'))
  const owner = user === undefined || process.getuid?.() !== 0 ? {} : { uid: user, gid: user }
  const environment = { ...testEnvironment, ZENML_CACHE_DIR: cache, HOME: cache }
  const give = (path: string): void => {
    if (owner.uid !== undefined) execFileSync('chown', ['-R', `${owner.uid}:${owner.gid}`, path])
  }
  if (clone !== undefined) execFileSync('git', ['clone', '-q', clone, root], { env: environment })
  install(root)
  const git = (...args: string[]): string =>
    execFileSync('git', args, {
      cwd: root,
      env: environment,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
      ...owner,
    }).trim()
  const write: TestProject['write'] = (files) => {
    for (const [path, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, path)), { recursive: true })
      writeFileSync(join(root, path), content)
    }
  }
  if (clone === undefined) {
    write({
      'package.json': '{ "name": "demo", "version": "1.0.0", "private": true, "type": "module" }\n',
      '.gitignore': 'node_modules/\n.zenml/\n',
    })
    if (withGit) git('init', '-q', '-b', 'main')
  }
  for (const path of [root, cache]) give(path)
  const zenmlWith: TestProject['zenmlWith'] = (variables, ...args) =>
    new Promise((resolve) => {
      execFile(
        process.execPath,
        [cli, ...args],
        { cwd: root, env: { ...environment, ...variables }, maxBuffer: 64 << 20, ...owner },
        (error, stdout, stderr) => {
          resolve({ code: error === null ? 0 : typeof error.code === 'number' ? error.code : null, stdout, stderr })
        },
      )
    })
  const zenml: TestProject['zenml'] = (...args) => zenmlWith({}, ...args)
  if (init) {
    execFileSync(process.execPath, [cli, 'init'], { cwd: root, env: environment, stdio: 'ignore' })
    const server = metadataServer()
    if (server !== undefined && !ownFile) {
      const { type, host, port, user } = server
      const database = `zenml_${randomBytes(6).toString('hex')}`
      execFileSync(
        process.execPath,
        [
          ...[cli, 'config', 'metadata', 'set', type, `--host=${host}`, `--port=${port}`, `--username=${user}`],
          // Every command of a test has the variable, whoever's home it has.
          // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference
          ...['--password=${env:ZENML_TEST_PASSWORD}', `--database=${database}`],
        ],
        { cwd: root, env: environment, stdio: 'ignore' },
      )
    }
  }
  return {
    root,
    write,
    read: (path) => readFileSync(join(root, path), 'utf8'),
    git,
    commit(message = 'work') {
      git('add', '-A')
      git('commit', '-q', '-m', message)
      return git('rev-parse', 'HEAD')
    },
    zenml,
    zenmlWith,
    async json(...args) {
      const { stdout, stderr } = await zenml(...args, '--json')
      try {
        return JSON.parse(stdout)
      } catch {
        throw new Error(`not one JSON document: ${stdout}\n${stderr}`)
      }
    },
    start: (...args) =>
      spawn(process.execPath, [cli, ...args], {
        cwd: root,
        env: environment,
        stdio: ['ignore', 'pipe', 'pipe'],
        ...owner,
      }),
    give,
    cache,
    [Symbol.dispose]: () => {
      for (const path of [root, cache]) rmSync(path, { recursive: true, force: true, maxRetries: 5 })
    },
  }
}

/** Lays out node_modules as npm would, without the registry: our packages copied, their dependencies linked. */
function install(root: string): void {
  const modules = join(root, 'node_modules')
  mkdirSync(join(modules, '@zenml'), { recursive: true })
  for (const name of readdirSync(join(repository, 'node_modules'))) {
    if (name.startsWith('.') || name === 'zenml' || name === '@zenml' || name === '@zenml-examples') continue
    symlinkSync(join(repository, 'node_modules', name), join(modules, name))
  }
  const copy = (from: string, to: string, parts: readonly string[]): void => {
    for (const part of parts) cpSync(join(repository, from, part), join(modules, to, part), { recursive: true })
  }
  copy('packages/zenml', 'zenml', ['package.json', 'bin', 'dist', 'src'])
  copy('packages/tensorflow', '@zenml/tensorflow', ['package.json', 'dist', 'src'])
  for (const name of ['bigquery', 'gcs', 's3'])
    copy(`packages/${name}`, `@zenml/${name}`, ['package.json', 'dist', 'src'])
}
