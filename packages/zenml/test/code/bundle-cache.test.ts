import { execFileSync } from 'node:child_process'
import {
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  unlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { build } from 'esbuild'
import { describe, expect, it } from 'vitest'
import { bundleStep, type StepBundle } from '../../src/code/bundle.ts'
import { bundleSteps } from '../../src/code/bundle-cache.ts'
import { bundlePipeline } from '../../src/code/bundle-pipeline.ts'
import { installed, temporaryProject, twoSteps, writeFiles } from './temporary-project.ts'

const source = 'steps/train.ts#train'
const files = {
  ...twoSteps,
  'steps/words.txt': 'one two',
  'steps/read.ts': `import { readFileSync } from 'node:fs'\nexport const read = () => readFileSync(new URL('./words.txt', import.meta.url))\nexport const work = () => new Worker(new URL('../work/worker.ts', import.meta.url))`,
  'work/worker.ts': `import { b } from '../lib/deep/b.ts'\nconsole.log(b(1))`,
}

const cacheOf = (root: string): string => join(root, '.zenml/cache')
const entries = (root: string): string[] => readdirSync(join(cacheOf(root), 'bundles'))
async function cached(root: string, name = source): Promise<StepBundle> {
  const { bundles, failures } = await bundleSteps({ root, sources: [name], cacheDirectory: cacheOf(root) })
  for (const failure of failures.values()) throw failure
  return bundles.get(name)!
}
/** Whether bundling again wrote to the cache, which it does exactly where it did not believe it. */
async function missed(root: string, name = source): Promise<boolean> {
  const before = entries(root).map((entry) => {
    const path = join(cacheOf(root), 'bundles', entry)
    utimesSync(path, 1, 1)
    return [entry, readFileSync(path, 'utf8')]
  })
  const bundle = await cached(root, name)
  expect(bundle).toEqual(await bundleStep({ root, source: name }))
  const { statSync } = await import('node:fs')
  return entries(root).some(
    (entry) =>
      !before.some(([known]) => known === entry) || statSync(join(cacheOf(root), 'bundles', entry)).mtimeMs !== 1000,
  )
}

describe('the cache of bundles', () => {
  it.each([[source], ['steps/read.ts#read'], ['steps/read.ts#work']])(
    'gives back an equal bundle of %s',
    async (name) => {
      const root = temporaryProject(files)
      const made = await cached(root, name)
      expect(await missed(root, name)).toBe(false)
      expect(await cached(root, name)).toEqual(made)
      expect(made).toEqual(await bundleStep({ root, source: name }))
    },
  )

  it.each<[string, (root: string) => void]>([
    ['a file that it read', (root) => writeFiles(root, { 'far/c.ts': 'export const c = (x: number) => x' })],
    [
      'a file that gave nothing to it',
      (root) => writeFiles(root, { 'lib/loud.ts': `console.log('now it has an effect')\nexport const loud = () => 1` }),
    ],
    ['data that it imports', (root) => writeFiles(root, { 'data/limits.json': '{ "most": 1 }' })],
    ['a file that now comes first', (root) => writeFiles(root, { 'lib/a.js': '' })],
    ['a package.json on the way', (root) => writeFiles(root, { 'lib/package.json': '{ "sideEffects": false }' })],
    [
      'the package.json of the project',
      (root) => writeFiles(root, { 'package.json': '{ "type": "module", "sideEffects": false }' }),
    ],
    [
      'a tsconfig.json on the way',
      (root) => writeFiles(root, { 'tsconfig.json': '{ "compilerOptions": { "verbatimModuleSyntax": true } }' }),
    ],
    [
      'the version of a package that it imports',
      (root) => writeFiles(root, installed('zod', '4.0.1', 'export const object = 1')),
    ],
    [
      'the place of a package that it imports',
      (root) =>
        writeFiles(root, {
          'lib/node_modules/none/x.js': '',
          'steps/node_modules/zod/package.json': '{ "version": "9.0.0", "sideEffects": false }',
        }),
    ],
  ])('is not believed after a change of %s', async (_what, change) => {
    const root = temporaryProject(files)
    await cached(root)
    change(root)
    expect(await missed(root)).toBe(true)
    expect(await missed(root)).toBe(false)
  })

  it('is not believed when a link leads elsewhere', async () => {
    const root = temporaryProject({
      ...files,
      'far/one/c.ts': twoSteps['far/c.ts']!,
      'far/two/c.ts': twoSteps['far/c.ts']!,
      'far/c.ts': '-> one/c.ts',
    })
    await cached(root)
    unlinkSync(join(root, 'far/c.ts'))
    symlinkSync('two/c.ts', join(root, 'far/c.ts'))
    expect(await missed(root)).toBe(true)
  })

  it('is not believed when the extended settings or a nested asset change', async () => {
    const root = temporaryProject({
      ...files,
      'tsconfig.json': '{ "extends": "./config/base.json" }',
      'config/base.json': '{}',
    })
    await cached(root, 'steps/read.ts#work')
    writeFiles(root, { 'config/base.json': '{ "compilerOptions": { "target": "es2022" } }' })
    expect(await missed(root, 'steps/read.ts#work')).toBe(true)
    writeFiles(root, { 'far/c.ts': 'export const c = () => 3' })
    expect(await missed(root, 'steps/read.ts#work')).toBe(true)
  })

  it('is not believed when a folder that an alias leads to first gets something to import', async () => {
    const root = temporaryProject({
      ...files,
      'tsconfig.json': '{ "compilerOptions": { "paths": { "@own/*": ["./made/*", "./kept/*"] } } }',
      'made/scale/readme.md': '',
      'kept/scale.ts': 'export const scale = 2',
      'steps/alias.ts': `export { scale } from '@own/scale'`,
    })
    const before = await cached(root, 'steps/alias.ts#scale')
    writeFiles(root, { 'made/scale/index.ts': 'export const scale = 3' })
    expect(await missed(root, 'steps/alias.ts#scale')).toBe(true)
    expect((await cached(root, 'steps/alias.ts#scale')).digest).not.toBe(before.digest)
  })

  it('is not believed when a file is there that the code names and that was missing', async () => {
    const root = temporaryProject({
      ...files,
      'settings/readme.md': '',
      'steps/maybe.ts': `import { existsSync } from 'node:fs'\nexport const has = () => existsSync(new URL('../settings/extra.txt', import.meta.url))`,
    })
    const before = await cached(root, 'steps/maybe.ts#has')
    expect(await missed(root, 'steps/maybe.ts#has')).toBe(false)
    writeFiles(root, { 'settings/extra.txt': 'here' })
    expect(await missed(root, 'steps/maybe.ts#has')).toBe(true)
    expect((await cached(root, 'steps/maybe.ts#has')).digest).not.toBe(before.digest)
  })

  it('refuses as ever once the code does not bundle any more', async () => {
    const root = temporaryProject(files)
    await cached(root)
    rmSync(join(root, 'far/c.ts'))
    await expect(cached(root)).rejects.toMatchObject({ code: 'ZEN_CODE_IMPORT' })
    writeFiles(root, { 'far/c.ts': 'export const c = (' })
    await expect(cached(root)).rejects.toMatchObject({ code: 'ZEN_CODE_SYNTAX' })
  })

  it.each([
    ['cut off', (text: string) => text.slice(0, text.length / 2)],
    ['altered', (text: string) => text.replace('scale', 'scbad')],
    ['empty', () => ''],
    ['something else', () => '{}'],
  ])('is a miss where a file of it is %s', async (_what, damage) => {
    const root = temporaryProject(files)
    const made = await cached(root)
    const [entry] = entries(root)
    const path = join(cacheOf(root), 'bundles', entry!)
    writeFileSync(path, damage(readFileSync(path, 'utf8')))
    expect(await cached(root)).toEqual(made)
  })

  it('leaves no part of a file behind where it cannot be written', async () => {
    const root = temporaryProject(files)
    await cached(root)
    const [entry] = entries(root)
    const path = join(cacheOf(root), 'bundles', entry!)
    rmSync(path)
    mkdirSync(join(path, 'in the way'), { recursive: true })
    await expect(cached(root)).rejects.toThrow()
    expect(entries(root)).toEqual([entry])
  })

  it('bundles several at once, each as if alone', async () => {
    const root = temporaryProject(files)
    const sources = [source, 'steps/train.ts#other', 'steps/read.ts#read', 'zenml#split', source]
    for (let round = 0; round < 2; round++) {
      const { bundles } = await bundleSteps({ root, sources, cacheDirectory: cacheOf(root) })
      expect([...bundles.keys()]).toEqual([...new Set(sources)])
      for (const [name, bundle] of bundles) expect(bundle).toEqual(await bundleStep({ root, source: name }))
    }
  })

  it('does not load the bundler where everything is known', async () => {
    const root = temporaryProject(files)
    await cached(root)
    const script = join(root, '.tools/measure.mjs')
    const entry = new URL('../../src/code/bundle-cache.ts', import.meta.url).pathname
    await build({
      entryPoints: [entry],
      bundle: true,
      platform: 'node',
      format: 'esm',
      outfile: script,
      external: ['esbuild', 'acorn'],
    })
    // A bundler that cannot be loaded, but whose version can be read, as in the real one's place.
    writeFiles(root, {
      '.tools/node_modules/esbuild/package.json': '{ "version": "0.28.2" }',
      '.tools/node_modules/acorn/package.json': '{}',
    })
    const code = `const { bundleSteps } = await import(${JSON.stringify(script)}); console.log((await bundleSteps(${JSON.stringify({ root, sources: [source], cacheDirectory: cacheOf(root) })})).bundles.size)`
    expect(execFileSync(process.execPath, ['--input-type=module', '-e', code], { encoding: 'utf8' }).trim()).toBe('1')
  })

  it('keeps pipelines too, apart from steps', async () => {
    const root = temporaryProject(files)
    const options = { root, file: join(root, 'steps/train.ts'), cacheDirectory: cacheOf(root) }
    const made = await bundlePipeline(options)
    expect(await bundlePipeline(options)).toEqual(made)
    writeFiles(root, { 'lib/loud.ts': 'export const loud = () => 5' })
    expect((await bundlePipeline(options)).digest).not.toBe(made.digest)
  })
})
