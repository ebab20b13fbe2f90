import { spawn } from 'node:child_process'
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, beforeAll, expect, it } from 'vitest'
import { cacheEntries } from '../../src/environment/cache-entries.ts'
import { npmWords } from '../../src/environment/npm.ts'
import { recreatePackages } from '../../src/environment/recreate-packages.ts'
import { userCacheDirectory } from '../../src/environment/user-cache.ts'
import { evaluate, folderWith, npm } from './temporary-folder.ts'

const day = 24 * 3600 * 1000
const manifest = {
  name: 'demo',
  version: '1.0.0',
  private: true,
  type: 'module',
  dependencies: { ms: '2.1.3' },
  devDependencies: { 'is-number': '7.0.0' },
}
const variables = { ...process.env }
afterEach(() => {
  for (const name of Object.keys(process.env)) if (!(name in variables)) delete process.env[name]
  Object.assign(process.env, variables)
})

/** No registry answers, and npm's own cache is empty. */
function goOffline(): void {
  process.env['npm_config_registry'] = 'http://127.0.0.1:9/'
  process.env['npm_config_cache'] = folderWith()
}

let simple: { readonly [name: string]: string }
beforeAll(() => {
  const root = folderWith({ 'package.json': manifest })
  npm(root, 'install', '--package-lock-only')
  simple = {
    'package.json': readFileSync(join(root, 'package.json'), 'utf8'),
    'package-lock.json': readFileSync(join(root, 'package-lock.json'), 'utf8'),
  }
})

it('packages come from the lockfile by npm, and the second time from the cache without a network', async () => {
  const cacheDirectory = folderWith()
  const root = folderWith({ ...simple, 'node_modules/leftover/index.js': '' })
  process.env['NODE_ENV'] = 'production'
  const lines: string[] = []
  expect(await recreatePackages({ root, cacheDirectory, onOutput: (line) => lines.push(line) })).toEqual({
    kind: 'recreated',
    fromCache: false,
  })
  expect(lines.join('\n')).toContain('added 2 packages')
  expect(evaluate(root, "import ms from 'ms'; import n from 'is-number'; console.log(ms('1m'), n(3))")).toBe(
    '60000 true',
  )
  expect(lstatSync(join(root, 'node_modules')).isSymbolicLink()).toBe(true)
  goOffline()
  const second = folderWith(simple)
  expect(await recreatePackages({ root: second, cacheDirectory })).toEqual({ kind: 'recreated', fromCache: true })
  expect(realpathSync(join(second, 'node_modules'))).toBe(realpathSync(join(root, 'node_modules')))
  expect(readdirSync(second).sort()).toEqual(['node_modules', 'package-lock.json', 'package.json'])
})

it('a script of the code itself does not run and does not make another environment; a dependency, a setting or a script-less change does', async () => {
  const cacheDirectory = folderWith()
  const mark = join(folderWith(), 'ran')
  const scripts = Object.fromEntries(
    ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish'].map((name) => [name, `touch ${mark}`]),
  )
  const root = folderWith({ ...simple, 'package.json': { ...manifest, scripts } })
  await recreatePackages({ root, cacheDirectory })
  expect(existsSync(mark)).toBe(false)
  expect(
    await recreatePackages({ root: folderWith({ ...simple, 'package.json': manifest }), cacheDirectory }),
  ).toMatchObject({ fromCache: true })
  expect(
    await recreatePackages({ root: folderWith({ ...simple, '.npmrc': 'install-strategy=nested\n' }), cacheDirectory }),
  ).toMatchObject({ fromCache: false })
})

it('workspaces and local folders lead to the code, their own packages lie in them, and commands are linked', async () => {
  const cacheDirectory = folderWith()
  const files = {
    'package.json': {
      name: 'demo',
      private: true,
      workspaces: ['packages/*'],
      dependencies: { local: 'file:libs/local', 'is-number': '7.0.0' },
    },
    'packages/a/package.json': {
      name: 'a',
      version: '1.0.0',
      type: 'module',
      main: 'index.js',
      bin: { hello: 'bin/hello.js' },
      dependencies: { ms: '2.0.0', b: '1.0.0' },
      scripts: { prepare: 'exit 1', postinstall: 'exit 1' },
    },
    'packages/a/index.js': "import ms from 'ms'\nimport { b } from 'b'\nexport const a = ms('2s') + b\n",
    'packages/a/bin/hello.js': '#!/usr/bin/env node\nconsole.log("hello")\n',
    'packages/b/package.json': {
      name: 'b',
      version: '1.0.0',
      type: 'module',
      main: 'index.js',
      dependencies: { ms: '2.1.3' },
    },
    'packages/b/index.js': 'export const b = 1\n',
    'libs/local/package.json': { name: 'local', version: '1.0.0', type: 'module', main: 'index.js' },
    'libs/local/index.js': 'export const local = 40\n',
  }
  const origin = folderWith(files)
  npm(origin, 'install', '--package-lock-only', '--ignore-scripts')
  const lock = readFileSync(join(origin, 'package-lock.json'), 'utf8')
  for (const fromCache of [false, true]) {
    const root = folderWith({ ...files, 'package-lock.json': lock })
    expect(await recreatePackages({ root, cacheDirectory })).toEqual({ kind: 'recreated', fromCache })
    expect(evaluate(root, "import { a } from 'a'; import { local } from 'local'; console.log(a + local)")).toBe('2041')
    expect(realpathSync(join(root, 'node_modules/a'))).toBe(join(root, 'packages/a'))
    expect(realpathSync(join(root, 'node_modules/local'))).toBe(join(root, 'libs/local'))
    expect(realpathSync(join(root, 'node_modules/.bin/hello'))).toBe(join(root, 'packages/a/bin/hello.js'))
    expect(readFileSync(join(root, 'packages/a/bin/hello.js'), 'utf8')).toContain('console.log')
  }
})

it('tarballs in the code are installed, and their scripts run as the code allows', async () => {
  const made = folderWith({
    'package.json': {
      name: 'packed',
      version: '1.0.0',
      scripts: { postinstall: "node -e \"require('fs').writeFileSync('built.txt', process.versions.modules)\"" },
    },
    'index.js': 'module.exports = 1\n',
  })
  npm(made, 'pack')
  const base = { name: 'demo', private: true, dependencies: { packed: 'file:vendor/packed-1.0.0.tgz' } }
  const root = folderWith({
    'package.json': { ...base, allowScripts: { 'file:vendor/packed-1.0.0.tgz': true, packed: true } },
  })
  mkdirSync(join(root, 'vendor'))
  cpSync(join(made, 'packed-1.0.0.tgz'), join(root, 'vendor/packed-1.0.0.tgz'))
  npm(root, 'install', '--package-lock-only', '--ignore-scripts')
  const cacheDirectory = folderWith()
  await recreatePackages({ root, cacheDirectory })
  expect(readFileSync(join(root, 'node_modules/packed/built.txt'), 'utf8')).toBe(process.versions.modules)
  writeFileSync(join(root, '.npmrc'), 'ignore-scripts=true\n')
  await recreatePackages({ root, cacheDirectory })
  expect(existsSync(join(root, 'node_modules/packed/index.js'))).toBe(true)
  expect(existsSync(join(root, 'node_modules/packed/built.txt'))).toBe(false)
  const entries = readdirSync(join(cacheDirectory, 'environments'))
  for (const name of entries) expect(existsSync(join(cacheDirectory, 'environments', name, '.npmrc'))).toBe(false)
})

it('lockfiles in the folders of the files of a run count, one of another package manager is named, and none is said', async () => {
  const cacheDirectory = folderWith()
  const root = folderWith({
    'ml/package.json': simple['package.json']!,
    'ml/package-lock.json': simple['package-lock.json']!,
    'yarn.lock': '',
  })
  expect(await recreatePackages({ root, cacheDirectory })).toEqual({ kind: 'no-lockfile', other: 'yarn.lock' })
  expect(await recreatePackages({ root, cacheDirectory, files: ['ml/steps/train.ts', '../x/y.ts'] })).toMatchObject({
    kind: 'recreated',
  })
  expect(evaluate(join(root, 'ml'), "import ms from 'ms'; console.log(ms('1s'))")).toBe('1000')
  expect(await recreatePackages({ root: folderWith(), cacheDirectory })).toEqual({ kind: 'no-lockfile', other: null })
})

it('without a network and a cache, npm says why, the next step is named and nothing is left', async () => {
  goOffline()
  const cacheDirectory = folderWith()
  const root = folderWith(simple)
  await expect(recreatePackages({ root, cacheDirectory })).rejects.toMatchObject({
    code: 'ZEN_PACKAGES_RECREATE',
    message: expect.stringMatching(/ECONNREFUSED/),
    next: expect.stringContaining('registry'),
  })
  expect(readdirSync(join(cacheDirectory, 'environments'))).toEqual([])
  expect(existsSync(join(root, 'node_modules'))).toBe(false)
})

it('bytes that are not those of the lockfile are refused, and so is a lockfile that does not fit', async () => {
  const cacheDirectory = folderWith()
  const other = simple['package-lock.json']!.replace(
    /"integrity": "sha512-[^"]{20}/,
    `"integrity": "sha512-${'A'.repeat(20)}`,
  )
  await expect(
    recreatePackages({ root: folderWith({ ...simple, 'package-lock.json': other }), cacheDirectory }),
  ).rejects.toMatchObject({
    message: expect.stringContaining('EINTEGRITY'),
    next: expect.stringContaining('other bytes'),
  })
  const root = folderWith({ ...simple, 'package.json': { ...manifest, dependencies: { ms: '2.0.0' } } })
  await expect(recreatePackages({ root, cacheDirectory })).rejects.toMatchObject({
    next: expect.stringContaining('do not fit'),
  })
  await expect(
    recreatePackages({ root: folderWith({ ...simple, 'package-lock.json': '<<<<' }), cacheDirectory }),
  ).rejects.toMatchObject({ code: 'ZEN_PACKAGES_RECREATE' })
})

it('nothing outside of the code is read or written, by a path in the lockfile or by a link', async () => {
  const cacheDirectory = folderWith()
  const outside = folderWith({ 'package.json': { name: 'x', version: '1.0.0' }, 'keep.txt': 'x' })
  const lock = (packages: object): string =>
    JSON.stringify({ name: 'demo', lockfileVersion: 3, packages: { '': { name: 'demo' }, ...packages } })
  for (const packages of [
    { '../x': {} },
    { '/etc': {} },
    { 'node_modules/x': { resolved: 'file:../../x.tgz' } },
    { linked: {} },
  ]) {
    const root = folderWith({
      'package.json': { name: 'demo' },
      'package-lock.json': lock(packages),
      linked: `-> ${outside}`,
    })
    await expect(recreatePackages({ root, cacheDirectory })).rejects.toMatchObject({ code: 'ZEN_PACKAGES_OUTSIDE' })
  }
  const root = folderWith(simple)
  symlinkSync(outside, join(root, 'node_modules'))
  await recreatePackages({ root, cacheDirectory })
  expect(readdirSync(outside).sort()).toEqual(['keep.txt', 'package.json'])
  expect(readlinkSync(join(root, 'node_modules'))).not.toBe(outside)
})

it('an environment whose files were changed is made again', async () => {
  const cacheDirectory = folderWith()
  const root = folderWith(simple)
  await recreatePackages({ root, cacheDirectory })
  writeFileSync(join(root, 'node_modules/ms/index.js'), 'module.exports = () => 0\n')
  expect(await recreatePackages({ root, cacheDirectory })).toMatchObject({ fromCache: false })
  expect(evaluate(root, "import ms from 'ms'; console.log(ms('1s'))")).toBe('1000')
})

it('an environment that was written into stays for those who have it, and goes with the next sweep after them', async () => {
  const cacheDirectory = folderWith()
  const [mine, other, third] = [folderWith(simple), folderWith(simple), folderWith(simple)]
  await recreatePackages({ root: mine, cacheDirectory })
  const place = realpathSync(join(mine, 'node_modules'))
  mkdirSync(join(mine, 'node_modules/.cache'))
  writeFileSync(join(mine, 'node_modules/.cache/half.txt'), 'kept for later')
  expect(await recreatePackages({ root: other, cacheDirectory })).toMatchObject({ fromCache: false })
  expect(readFileSync(join(mine, 'node_modules/.cache/half.txt'), 'utf8')).toBe('kept for later')
  expect(realpathSync(join(mine, 'node_modules'))).toBe(place)
  expect(existsSync(join(other, 'node_modules/.cache'))).toBe(false)
  // The new one is found from now on, and what is out of use is not.
  expect(await recreatePackages({ root: third, cacheDirectory })).toMatchObject({ fromCache: true })
  expect(realpathSync(join(third, 'node_modules'))).toBe(realpathSync(join(other, 'node_modules')))
  const folder = join(cacheDirectory, 'environments')
  expect(readdirSync(folder)).toHaveLength(2)
  await cacheEntries(folder, { now: () => Date.now() + 2 * day }).sweep(0)
  expect(readdirSync(folder)).toHaveLength(2)
  for (const root of [mine, third]) rmSync(root, { recursive: true })
  await cacheEntries(folder, { now: () => Date.now() }).sweep(8)
  expect(readdirSync(folder).map((name) => join(folder, name, 'node_modules'))).toEqual([
    realpathSync(join(other, 'node_modules')),
  ])
})

it('several makers at once give one whole environment, and one that is killed leaves nothing that is taken for one', async () => {
  const cacheDirectory = folderWith()
  const roots = Array.from({ length: 3 }, () => folderWith(simple))
  await Promise.all(roots.map((root) => recreatePackages({ root, cacheDirectory })))
  for (const root of roots) expect(evaluate(root, "import ms from 'ms'; console.log(ms('1s'))")).toBe('1000')
  expect(readdirSync(join(cacheDirectory, 'environments'))).toHaveLength(1)

  const killed = folderWith()
  const module = fileURLToPath(new URL('../../src/environment/cache-entries.ts', import.meta.url))
  const entry = join(killed, 'environments')
  const script = `const { cacheEntries } = await import(process.argv[1]); await cacheEntries(${JSON.stringify(entry)}, { now: () => Date.now() }).make('key', async (part) => { (await import('node:fs')).writeFileSync(part + '/half', ''); console.log('half'); await new Promise((resolve) => setTimeout(resolve, 60000)) })`
  const bundled = join(folderWith(), 'entries.mjs')
  const { build } = await import('esbuild')
  await build({ entryPoints: [module], outfile: bundled, bundle: true, platform: 'node', format: 'esm' })
  const child = spawn(process.execPath, ['--input-type=module', '-e', script, bundled], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await new Promise((resolve) => child.stdout.once('data', resolve))
  child.kill('SIGKILL')
  await new Promise((resolve) => child.once('close', resolve))
  const entries = cacheEntries(entry, { now: () => Date.now() })
  expect(await entries.use('key')).toBeUndefined()
  expect(readdirSync(entry)).toHaveLength(1)
  await cacheEntries(entry, { now: () => Date.now() + 2 * day }).sweep(8)
  expect(readdirSync(entry)).toEqual([])
})

it('the newest eight by last use are kept, and older ones too for a day', async () => {
  const directory = folderWith()
  const now = Date.now()
  const entries = cacheEntries(directory, { now: () => now })
  for (let index = 0; index < 11; index++) {
    const path = await entries.make(`entry-${index}`, async (part) => writeFileSync(join(part, 'x'), ''))
    const used = new Date(now - (index + 1) * day * 0.4)
    utimesSync(join(path, '.zenml-entry'), used, used)
  }
  await entries.use('entry-10')
  await entries.sweep(8)
  const left = readdirSync(directory).sort()
  expect(left).toEqual(['entry-0', 'entry-1', 'entry-10', 'entry-2', 'entry-3', 'entry-4', 'entry-5', 'entry-6'])
  await entries.sweep(0)
  expect(readdirSync(directory).sort()).toEqual(['entry-0', 'entry-1', 'entry-10'])
})

it('a stopped call ends with the reason', async () => {
  const controller = new AbortController()
  const call = recreatePackages({ root: folderWith(simple), cacheDirectory: folderWith(), signal: controller.signal })
  setTimeout(() => controller.abort(new Error('stop')), 300)
  await expect(call).rejects.toThrow('stop')
})

it('the cache is where the user says, else where the system says, and never a relative path', () => {
  expect(userCacheDirectory({ ZENML_CACHE_DIR: '/a', XDG_CACHE_HOME: '/b', HOME: '/c' })).toBe('/a')
  expect(userCacheDirectory({ ZENML_CACHE_DIR: '', XDG_CACHE_HOME: '/b', HOME: '/c' })).toBe('/b/zenml')
  expect(userCacheDirectory({ HOME: '/c' })).toBe('/c/.cache/zenml')
  for (const environment of [{ ZENML_CACHE_DIR: 'a' }, { XDG_CACHE_HOME: './b' }])
    expect(() => userCacheDirectory(environment)).toThrow(expect.objectContaining({ code: 'ZEN_CACHE_DIR' }))
})

it("npm's words come without passwords and without the place of its log", () => {
  const output =
    'npm error code E404\nnpm error 404 GET https://ada:secret@registry.example/x\nnpm error A complete log of this run can be found in: /home/ada/.npm/_logs/1-debug-0.log\nnpm error Log files were not written due to the config logs-max=0\n'
  expect(npmWords(output)).toBe('code E404 404 GET https://registry.example/x')
  rmSync(folderWith(), { recursive: true })
})
