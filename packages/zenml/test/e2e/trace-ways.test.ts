import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Touch } from '../../src/model/touch.ts'
import { installPackages } from '../support/packages.ts'
import { type TestProject, testProject } from '../support/project.ts'
import { oneStep } from '../support/steps.ts'

/** Ways to read `FILE`, each of which Node can do. */
const waysToRead: readonly string[] = [
  'await promises.readFile(FILE)',
  'await readFile(FILE)',
  'await text(fs.createReadStream(FILE))',
  'fs.readFileSync(pathToFileURL(FILE))',
  'fs.readFileSync(Buffer.from(FILE))',
  'await promisify(fs.lstat)(FILE)',
  'await (await open(FILE)).readFile()',
  'fs.readSync(fs.openSync(FILE), Buffer.alloc(1))',
  'fs.readSync(fs.openSync(FILE, fs.constants.O_RDONLY), Buffer.alloc(1))',
  'await (await fs.openAsBlob(FILE)).text()',
  `fs.copyFileSync(FILE, join(context.scratch, 'copy'))`,
  `fs.cpSync(FILE, join(context.scratch, 'cp'))`,
  `fs.symlinkSync(FILE, join(context.scratch, 'symlink'))`,
  `fs.linkSync(FILE, join(context.scratch, 'link'))`,
  'await stat(FILE)',
  'fs.existsSync(FILE)',
  'fs.realpathSync.native(FILE)',
  'process.loadEnvFile(FILE)',
  'createRequire(import.meta.url)(FILE)',
  'await graceful(FILE)',
  'await later(FILE)',
]

/** Ways to have what is not among the inputs, and what is recorded. */
const otherWays: readonly (readonly [expression: string, kind: string, what: string])[] = [
  ['performance.mark("x")', 'clock', 'performance.mark'],
  ['performance.timeOrigin', 'clock', 'performance.timeOrigin'],
  ['process.hrtime()', 'clock', 'process.hrtime'],
  ['process.uptime()', 'clock', 'process.uptime'],
  ['process.cpuUsage()', 'clock', 'process.cpuUsage'],
  ['performance.eventLoopUtilization()', 'clock', 'performance.eventLoopUtilization'],
  ['Reflect.construct(Date, [])', 'clock', 'new Date()'],
  ['[1].map(Date.now)', 'clock', 'Date.now'],
  ['new Function("return Date.now()")()', 'clock', 'Date.now'],
  ['await new Promise((resolve) => crypto.randomBytes(3, resolve))', 'randomness', 'crypto.randomBytes'],
  ['webcrypto.getRandomValues(new Uint8Array(2))', 'randomness', 'crypto.getRandomValues'],
  ['globalThis.crypto.randomUUID()', 'randomness', 'crypto.randomUUID'],
  [`crypto.createECDH('secp256k1').generateKeys()`, 'randomness', 'crypto.generateKeys'],
  ['Object.keys(process.env)', 'variable', '*'],
  ['JSON.stringify(process.env)', 'variable', '*'],
  ['({ ...process.env })', 'variable', '*'],
  [`'GONE' in process.env`, 'variable', 'GONE'],
  [`Object.hasOwn(process.env, 'OWN')`, 'variable', 'OWN'],
  [`await settled(get('http://127.0.0.1:9/'))`, 'network', '127.0.0.1'],
  [`await settled(tls.connect(9, 'localhost'))`, 'network', 'localhost'],
  [`await lookup('localhost')`, 'network', 'localhost'],
  [`await new Resolver().resolve4('localhost').catch(() => 0)`, 'network', 'localhost'],
  [`await fetch(new Request('http://127.0.0.2:9/')).catch(() => 0)`, 'network', '127.0.0.2:9'],
  [`await settled(spawn('true'))`, 'process', 'true'],
  [`await settled(exec('TOKEN=secret true; false'))`, 'process', 'true'],
  [`await settled(execFile('true'))`, 'process', 'true'],
  [`await settled(fork(join(ROOT, 'data/program.cjs')))`, 'process', 'node'],
  [`spawnSync('true')`, 'process', 'true'],
  [`execSync('  true  ')`, 'process', 'true'],
  [`await settled(new Worker('0', { eval: true }))`, 'threads', 'worker_threads.Worker'],
  ['os.availableParallelism()', 'threads', 'os.availableParallelism'],
  ['os.release()', 'host', 'os.release'],
  ['os.machine()', 'host', 'os.machine'],
  ['process.memoryUsage()', 'host', 'process.memoryUsage'],
  ['process.memoryUsage.rss()', 'host', 'process.memoryUsage.rss'],
  ['process.resourceUsage()', 'host', 'process.resourceUsage'],
  ['process.report.getReport()', 'host', 'process.report'],
  ['process.pid', 'host', 'process.pid'],
  ['process.getuid!()', 'host', 'process.getuid'],
  ['fs.statfsSync(ROOT)', 'host', 'fs.statfsSync'],
  ['vm.runInNewContext("Math.random()")', 'randomness', 'vm.runInNewContext'],
  ['new vm.Script("Date.now()").runInNewContext()', 'randomness', 'vm.Script.runInNewContext'],
  ['vm.createContext({})', 'randomness', 'vm.createContext'],
]

/** What is the same for every step, or its own: nothing is recorded. */
const nothing = [
  'process.env.TZ',
  'process.env.HOME',
  'os.tmpdir()',
  'os.platform()',
  'os.arch()',
  'process.cwd()',
  'new Date(2020, 1, 3).toLocaleString()',
  `new Intl.DateTimeFormat('en').resolvedOptions().timeZone`,
  'fs.existsSync(ROOT)',
  `fs.writeFileSync(join(os.tmpdir(), 'x'), '')`,
  `fs.readFileSync(join(os.tmpdir(), 'x'))`,
]

const imports = `import childProcess, { exec, execFile, execSync, fork, spawn, spawnSync } from 'node:child_process'
import crypto, { webcrypto } from 'node:crypto'
import { lookup, Resolver } from 'node:dns/promises'
import fs, { promises } from 'node:fs'
import { open, readFile, stat } from 'node:fs/promises'
import { get } from 'node:http'
import { createRequire } from 'node:module'
import os from 'node:os'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import tls from 'node:tls'
import { pathToFileURL } from 'node:url'
import { promisify } from 'node:util'
import vm from 'node:vm'
import { Worker } from 'node:worker_threads'
import { graceful } from 'graceful'
import { later, load } from 'later'
void [childProcess, load]
const settled = (emitter: any) => new Promise<void>((resolve) => { for (const name of ['error', 'close', 'exit']) emitter.once(name, () => resolve()) })`

describe('however a step does it', () => {
  let project: TestProject
  beforeAll(() => {
    project = testProject()
    installPackages(project, {
      graceful: `import fs from 'node:fs'
const { readFile } = fs
fs.readFile = function patched(path, back) { return readFile.call(fs, path, back) }
export const graceful = (path) => new Promise((resolve) => fs.readFile(path, resolve))\n`,
      later: `import fs from 'node:fs'
export const later = (path) => new Promise((resolve) => setTimeout(() => resolve(fs.readFileSync(path)), 1))
export const load = (path) => import(path)\n`,
    })
    project.write({
      ...Object.fromEntries(waysToRead.map((_, index) => [`data/${index}.json`, '{}'])),
      'data/program.cjs': '0\n',
    })
  })
  afterAll(() => project[Symbol.dispose]())

  async function touchesOf(
    lines: readonly string[],
  ): Promise<{ readonly touches: readonly Touch[]; readonly first: number }> {
    const begin = `const ROOT = ${JSON.stringify(project.root)}`
    project.write(
      oneStep(
        `${begin}\n${lines.map((line) => `void (${line})\n`).join('')}return { value: ROOT.length > 0 }`,
        imports,
      ),
    )
    const { status } = await project.json('pipeline', 'run', 'one.yaml')
    const { steps } = await project.json('pipeline', 'status', '@latest')
    expect([status, steps[0].error]).toEqual(['complete', null])
    const source = project.read('steps/one.ts').split('\n')
    return { touches: steps[0].touches, first: source.findIndex((line) => line.includes(begin)) + 2 }
  }

  it('reads a file, that is seen, with the line', async () => {
    const { touches, first } = await touchesOf(
      waysToRead.map((way, index) => way.replaceAll('FILE', `join(ROOT, 'data/${index}.json')`)),
    )
    const seen = touches.map(({ kind, what, at, package: owner }) => [kind, what, at?.split(':')[1] ?? null, owner])
    for (const [index, way] of waysToRead.entries()) {
      const owner = way.includes('graceful(') ? 'graceful' : way.includes('later(') ? 'later' : null
      // Where a package reads in a callback of its own, nobody knows any more whose line it was.
      const line = owner === 'later' ? null : String(first + index)
      expect(seen, way).toContainEqual(['file', `data/${index}.json`, line, owner])
    }
    expect(touches).toHaveLength(waysToRead.length)
  })

  it('asks for the clock, randomness, variables, the network, processes, threads or the machine, that is seen, with the line', async () => {
    const { touches, first } = await touchesOf(otherWays.map(([expression]) => expression))
    for (const [index, [expression, kind, what]] of otherWays.entries()) {
      const here = touches.filter(({ at }) => at?.split(':')[1] === String(first + index))
      expect(here, expression).toMatchObject([{ kind, what, package: null, count: 1 }])
    }
    expect(touches).toHaveLength(otherWays.length)
    expect(JSON.stringify(touches)).not.toContain('secret')
  })

  it('gives a function of Node to a promise, a timer or the next tick, that is seen, though nobody may know the line', async () => {
    const { touches } = await touchesOf([
      'await new Promise((resolve) => Promise.resolve().then(Date.now).then(resolve))',
      'await new Promise((resolve) => Promise.resolve(0).then(Reflect.apply.bind(0, crypto.randomUUID, null, [])).then(resolve))',
      'await new Promise((resolve) => setTimeout(crypto.randomBytes, 0, 3, resolve))',
      `await new Promise((resolve) => process.nextTick(fs.readFile, join(ROOT, 'data/0.json'), resolve))`,
      'await new Promise((resolve) => setImmediate(crypto.randomInt, 9, resolve))',
    ])
    // For a promise the engine may know who waits.
    expect(touches.map(({ kind, what, package: owner }) => [kind, what, owner])).toEqual([
      ['clock', 'Date.now', null],
      ['file', 'data/0.json', null],
      ['randomness', 'crypto.randomBytes', null],
      ['randomness', 'crypto.randomInt', null],
      ['randomness', 'crypto.randomUUID', null],
    ])
  })

  it('has put something of its own in the place of Error, or frozen it, what it touches is seen all the same', async () => {
    const { touches, first } = await touchesOf([
      'globalThis.Error = class extends Error {} as never',
      'Date.now()',
      '(delete (Object.getPrototypeOf(Error) as any).captureStackTrace)',
      'os.release()',
      'Object.freeze(Object.getPrototypeOf(Error))',
      'os.hostname()',
    ])
    expect(touches.map(({ what, at }) => [what, at?.split(':')[1] ?? null])).toEqual([
      ['Date.now', String(first + 1)],
      ['os.hostname', null],
      ['os.release', String(first + 3)],
    ])
  })

  it('uses what is the same in every step, or its own, that is nothing', async () => {
    expect((await touchesOf(nothing)).touches).toEqual([])
  })

  it('loads modules and JSON of computed names, these are seen, and it runs again when one changes', async () => {
    const load = `const value = (await import(join(ROOT, 'data/' + 'module' + '.mjs'))).default
    const more = (await load(join(ROOT, 'data/other.mjs'))).default
    const json = (await import(join(ROOT, 'data/' + 'settings.json'), { with: { type: 'json' } })).default`
    project.write({
      'data/module.mjs': `import { inner } from './inner.mjs'\nexport default inner\n`,
      'data/inner.mjs': 'export const inner = 1\n',
      'data/other.mjs': 'export default 1\n',
      'data/settings.json': '{"a":1}',
      ...oneStep(
        `const ROOT = ${JSON.stringify(project.root)}\n${load}\nreturn { value: [value, more, json.a] }`,
        `import { join } from 'node:path'\nimport { load } from 'later'`,
      ),
    })
    const outcome = async (): Promise<string> => (await project.json('pipeline', 'run', 'one.yaml')).steps[0].outcome
    expect(await outcome()).toBe('executed')
    expect(await outcome()).toBe('reused')
    for (const [path, text] of [
      ['data/inner.mjs', 'export const inner = 2\n'],
      ['data/other.mjs', 'export default 2\n'],
      ['data/settings.json', '{"a":2}'],
    ] as const) {
      project.write({ [path]: text })
      expect(await outcome(), path).toBe('executed')
    }
    const { steps } = await project.json('pipeline', 'status', '@latest')
    expect(steps[0].touches.map(({ what }: Touch) => what)).toEqual([
      'data/inner.mjs',
      'data/module.mjs',
      'data/other.mjs',
      'data/settings.json',
    ])
  })

  it('lists the root of the repository, it runs again when that has another name in it', async () => {
    project.write(
      oneStep(
        `return { value: readdirSync(${JSON.stringify(project.root)}).length }`,
        `import { readdirSync } from 'node:fs'`,
      ),
    )
    const outcome = async (): Promise<string> => (await project.json('pipeline', 'run', 'one.yaml')).steps[0].outcome
    expect([await outcome(), await outcome()]).toEqual(['executed', 'reused'])
    project.write({ 'another.txt': '' })
    expect(await outcome()).toBe('executed')
  })

  it('reads ten thousand files, each is checked, and warnings and touches stay few', async () => {
    const many = 10_000
    project.write({ '.gitignore': 'node_modules/\n.zenml/\nmany/\n' })
    project.write(Object.fromEntries(Array.from({ length: many }, (_, index) => [`many/${index}`, `${index}`])))
    project.write(
      oneStep(
        `let size = 0
    for (let i = 0; i < ${many}; i++) size += readFileSync(join(${JSON.stringify(join(project.root, 'many'))}, String(i))).length
    return { value: size }`,
        `import { readFileSync } from 'node:fs'\nimport { join } from 'node:path'`,
      ),
    )
    const outcome = async (): Promise<string> => (await project.json('pipeline', 'run', 'one.yaml')).steps[0].outcome
    expect([await outcome(), await outcome()]).toEqual(['executed', 'reused'])
    project.write({ [`many/${many - 1}`]: 'x' })
    expect(await outcome()).toBe('executed')
    const { steps } = await project.json('pipeline', 'status', '@latest')
    expect(steps[0].touches.length).toBeLessThan(2_500)
    expect(steps[0].touches.reduce((sum: number, { count }: Touch) => sum + count, 0)).toBe(many)
  })
})

it('a step that reads thousands of files of the repository is warned of, and every one of them counts', async () => {
  using project = testProject()
  const root = `process.cwd().split('/.zenml/')[0]`
  project.write(
    oneStep(
      `let size = 0
    for (let file = 0; file <= 5000; file++) size += readFileSync(${root} + '/data/' + file).length
    return { value: size }`,
      "import { readFileSync } from 'node:fs'",
    ),
  )
  project.write(Object.fromEntries(Array.from({ length: 5001 }, (_, file) => [`data/${file}`, 'x'])))
  project.commit()
  const { stderr } = await project.zenml('pipeline', 'run', 'one.yaml')
  expect(stderr.match(/ZEN_TOUCH_MANY: Step "one" reads 5001 files/g)).toHaveLength(1)
  expect((await project.json('pipeline', 'run', 'one.yaml')).steps[0].outcome).toBe('reused')
  project.write({ 'data/4999': 'y' })
  expect((await project.json('pipeline', 'run', 'one.yaml')).steps[0].outcome).toBe('executed')
})
