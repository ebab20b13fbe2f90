import { execFileSync } from 'node:child_process'
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { describe, expect, it } from 'vitest'
import { sha256 } from '../../src/base/digest.ts'
import { bundleStep, type StepBundle, writeBundle } from '../../src/code/bundle.ts'
import { installed, sdk, temporaryProject, twoSteps, writeFiles } from './temporary-project.ts'

const train = (root: string): Promise<StepBundle> => bundleStep({ root, source: 'steps/train.ts#train' })

/** Bundles before and after a change of files. */
async function change(files: { readonly [path: string]: string }, from = twoSteps): Promise<[StepBundle, StepBundle]> {
  const root = temporaryProject(from)
  const before = await train(root)
  writeFiles(root, files)
  return [before, await train(root)]
}

/** Runs what a bundle exports by default in a process of its own and gives back what it prints. */
async function run(bundle: StepBundle, expression: string): Promise<string> {
  const directory = mkdtempSync(join(tmpdir(), 'zenml-run-'))
  try {
    await writeBundle(bundle, directory)
    writeFileSync(
      join(directory, 'main.mjs'),
      `import step from './step.mjs'; console.log(JSON.stringify(${expression}))`,
    )
    return execFileSync(process.execPath, ['main.mjs'], { cwd: directory, encoding: 'utf8', env: {} }).trim()
  } finally {
    rmSync(directory, { recursive: true })
  }
}

const edit = (path: string, from: string | RegExp, to: string): { [path: string]: string } => {
  const text = twoSteps[path]!
  const edited = text.replace(from, to)
  if (edited === text) throw new Error(`nothing to edit in ${path}`)
  return { [path]: edited }
}

describe('the digest of a bundle', () => {
  it('is the same text, byte for byte, as ever', async () => {
    const bundle = await train(temporaryProject(twoSteps))
    expect(bundle.text).toBe(
      'import{step}from"zenml";import*as z from"zod";function c(x){return x*2}var b=x=>c(x);var scale=x=>b(x);var rate=.1;' +
        'var limits_default={most:10,least:1};var train=step({name:"train",parameters:z.object({epochs:z.number().int().default(3)}).strict(),' +
        'run:()=>scale(rate)+limits_default.most});export{train as default};\n//# sourceMappingURL=step.mjs.map\n',
    )
    expect(bundle.digest).toBe('sha256:3e27611d4c73dd741c22dc2af6ec20e6382ba0ad48300aeaff8ef524230d4ae1')
    expect(bundle.bundler).toBe('esbuild 0.28.2')
  })

  // A thread has no working directory of its own: mutation testing, which runs in threads, goes without.
  it.skipIf(!isMainThread)('does not depend on where the project lies, nor on the working directory', async () => {
    const [here, there] = [temporaryProject(twoSteps), temporaryProject(twoSteps, 'zenml-another place-ü-')]
    const before = process.cwd()
    try {
      process.chdir(there)
      const [a, b] = [await train(here), await train(there)]
      expect({ ...b, packages: null }).toEqual({ ...a, packages: null })
      expect(a.text + a.map).not.toContain(tmpdir())
    } finally {
      process.chdir(before)
    }
  })

  it('does not depend on the order in which files were made', async () => {
    const reversed = Object.fromEntries(Object.entries(twoSteps).reverse())
    expect((await train(temporaryProject(reversed))).digest).toBe((await train(temporaryProject(twoSteps))).digest)
  })

  it('does not depend on a tsconfig.json, package or NODE_PATH outside of the project', async () => {
    const outer = temporaryProject({
      'tsconfig.json': '{ "compilerOptions": { "paths": { "*": ["./nowhere/*"] }, "target": "es5" } }',
    })
    writeFiles(join(outer, 'project'), twoSteps)
    const inner = await train(join(outer, 'project'))
    expect(inner.digest).toBe((await train(temporaryProject(twoSteps))).digest)
  })

  it('stays when the folder of the project is renamed', async () => {
    const root = temporaryProject(twoSteps)
    const before = await train(root)
    renameSync(root, `${root}-renamed`)
    try {
      expect((await train(`${root}-renamed`)).digest).toBe(before.digest)
    } finally {
      renameSync(`${root}-renamed`, root)
    }
  })

  it.each([
    ['a comment', edit('steps/train.ts', '// trains', '/* trains\n * a model */')],
    [
      'the format',
      {
        'lib/a.ts': `import { b } from "./deep/b.ts";\n\n\nexport const scale = (\n  x: number,\n): number => (b(x));\nexport const unused = 1;`,
      },
    ],
    ['quotes around keys', edit('steps/train.ts', 'epochs:', `'epochs':`)],
    ['a type', edit('far/c.ts', 'x: number', 'x: 1 | 2 | 3')],
    ['another step in the same file', edit('steps/train.ts', 'loud(2)', 'loud(3) + loud(4)')],
    ['the parameters of another step', edit('steps/train.ts', '.default(11)', '.default(7).max(11)')],
    ['what only another step imports', edit('lib/loud.ts', `'A'`, `'B'`)],
    [
      'an import for another step',
      edit(
        'steps/train.ts',
        `import * as z`,
        `import { readFileSync } from 'node:fs'\nexport const p = () => readFileSync('x')\nimport * as z`,
      ),
    ],
    ['a constant beside the one that is used', edit('lib/rates.ts', '0.2', '0.3')],
    ['an unrelated module', { 'lib/unrelated.ts': 'export const x = 1' }],
    ['a readme', { 'README.md': 'hello' }],
  ])('stays when %s changes', async (_what, files) => {
    const [before, after] = await change(files)
    expect(after.text).toBe(before.text)
    expect(after.digest).toBe(before.digest)
  })

  it.each([
    ['a helper three imports away, in another folder', edit('far/c.ts', '* 2', '* 3'), 'far/c.ts'],
    ['a re-exported constant', edit('lib/rates.ts', '0.1', '0.15'), 'lib/rates.ts'],
    ['which constant is re-exported', edit('lib/constants.ts', '{ rate }', '{ otherRate as rate }'), undefined],
    ['an imported JSON file', { 'data/limits.json': '{ "most": 11, "least": 1 }' }, 'data/limits.json'],
    ['the parameters', edit('steps/train.ts', '.default(3)', '.default(4)'), 'steps/train.ts'],
    ['a text that holds blanks', edit('steps/train.ts', `name: 'train'`, `name: 'train '`), 'steps/train.ts'],
  ])('changes with %s', async (_what, files, named) => {
    const [before, after] = await change(files)
    expect(after.digest).not.toBe(before.digest)
    const changed = Object.keys(after.files).filter((file) => after.files[file] !== before.files[file])
    if (named !== undefined) expect(changed).toEqual([named])
  })

  it('names exactly the files that gave code to the bundle, with the digests of their bytes', async () => {
    const { files } = await train(temporaryProject(twoSteps))
    expect(Object.keys(files)).toEqual([
      'data/limits.json',
      'far/c.ts',
      'lib/a.ts',
      'lib/deep/b.ts',
      'lib/rates.ts',
      'steps/train.ts',
    ])
    expect(files['far/c.ts']).toBe(sha256(twoSteps['far/c.ts']!))
  })

  it('can be found again from its contents, and what is kept is what runs', async () => {
    const bundle = await train(temporaryProject(twoSteps))
    for (const [digest, bytes] of bundle.contents) expect(sha256(bytes)).toBe(digest)
    const manifest = JSON.parse(Buffer.from(bundle.contents.get(bundle.digest)!).toString())
    expect(Buffer.from(bundle.contents.get(manifest.text)!).toString()).toBe(bundle.text)
  })
})

describe('a bundle', () => {
  it('runs, with the declared packages and no others', async () => {
    const root = temporaryProject({ ...twoSteps, ...installed('undeclared', '1.0.0', 'export default 1') })
    const bundle = await train(root)
    expect(await run(bundle, 'step.definition.run()')).toBe('10.2')
    expect(await run(bundle, `await import('undeclared').catch((e) => e.code)`)).toBe('"ERR_MODULE_NOT_FOUND"')
    expect(bundle.packages.map(({ name, version }) => `${name}@${version}`)).toEqual(['zenml@1.0.0', 'zod@4.0.0'])
  })

  it('takes the step of an installed package without bundling it', async () => {
    const bundle = await bundleStep({ root: temporaryProject(sdk), source: 'zenml#split' })
    expect(bundle.text).toContain('import{split}from"zenml";export{split as default};')
    expect(Object.keys(bundle.files)).toEqual([])
    expect(await run(bundle, 'step.definition.name')).toBe('"split"')
  })

  it('takes the default export, and names that are no identifiers', async () => {
    const root = temporaryProject({
      ...sdk,
      's.mjs': 'export default () => 1\nconst x = () => 2\nexport { x as "odd \\" name" }',
    })
    expect(await run(await bundleStep({ root, source: 's.mjs' }), 'step()')).toBe('1')
    expect(await run(await bundleStep({ root, source: 's.mjs#odd " name' }), 'step()')).toBe('2')
  })

  it('bundles a workspace package that is linked into node_modules, and keeps what that imports as packages', async () => {
    const root = temporaryProject({
      ...sdk,
      'steps/one.ts': `import { tool } from '@acme/tools/tool'\nexport const one = () => tool()`,
      'packages/tools/package.json':
        '{ "name": "@acme/tools", "version": "0.1.0", "sideEffects": false, "exports": { "./tool": { "zenml-source": "./src/tool.ts", "default": "./dist/tool.js" } } }',
      'packages/tools/src/tool.ts': `import { far } from 'far'\nimport './noise.ts'\nexport const tool = (): string => far`,
      'packages/tools/src/noise.ts': `console.log('noise')`,
      'packages/tools/node_modules/far/package.json':
        '{ "name": "far", "version": "2.0.0", "type": "module", "main": "index.js" }',
      'packages/tools/node_modules/far/index.js': `export const far = 'far'`,
    })
    writeFiles(root, { 'node_modules/@acme/tools': `-> ../../packages/tools` })
    const bundle = await bundleStep({ root, source: 'steps/one.ts#one' })
    expect(Object.keys(bundle.files)).toEqual(['packages/tools/src/tool.ts', 'steps/one.ts'])
    expect(bundle.packages).toEqual([
      { name: 'far', version: '2.0.0', directory: join(root, 'packages/tools/node_modules/far') },
    ])
    expect(await run(bundle, 'step()')).toBe('"far"')
  })

  it('follows a link inside of the project to the real file', async () => {
    const root = temporaryProject({
      ...twoSteps,
      'real/elsewhere.ts': twoSteps['far/c.ts']!,
      'far/c.ts': '-> ../real/elsewhere.ts',
    })
    const before = await train(root)
    expect(Object.keys(before.files)).toContain('real/elsewhere.ts')
    writeFiles(root, { 'real/elsewhere.ts': 'export const c = (x: number) => x * 5' })
    expect((await train(root)).digest).not.toBe(before.digest)
  })

  it('keeps modules with effects that an import reaches, and drops those whose package has none', async () => {
    const files = {
      's.ts': `import './lib/effect.ts'\nexport const s = () => 1`,
      'lib/effect.ts': `globalThis.effect = 1`,
    }
    const kept = await bundleStep({ root: temporaryProject({ ...sdk, ...files }), source: 's.ts#s' })
    expect(Object.keys(kept.files)).toEqual(['lib/effect.ts', 's.ts'])
    const dropped = await bundleStep({
      root: temporaryProject({ ...sdk, ...files, 'lib/package.json': '{ "sideEffects": false }' }),
      source: 's.ts#s',
    })
    expect(Object.keys(dropped.files)).toEqual(['s.ts'])
  })

  it('imports no package that only another step uses, where the package allows it', async () => {
    const root = temporaryProject({
      ...sdk,
      ...installed('quiet', '1.0.0', 'export const q = 1'),
      ...installed('effective', '1.0.0', 'export const e = 1', {}),
      's.ts': `import { q } from 'quiet'\nimport { e } from 'effective'\nimport fs from 'node:fs'\nexport const s = () => 1\nexport const other = () => [q, e, fs]`,
    })
    const bundle = await bundleStep({ root, source: 's.ts#s' })
    expect(bundle.packages.map(({ name }) => name)).toEqual(['effective'])
    expect(bundle.text).not.toContain('quiet')
  })

  it('drops declarations made with the SDK, schemas and built-in constructors, but no call with effects of its own', async () => {
    const root = temporaryProject({
      ...sdk,
      's.ts': `
import { step } from 'zenml'
import { z } from 'zod'
const shared = {}
function effect() { shared.x = 1; return {} }
export const a = step({ p: z.object({ k: z.string().default('1') }).strict(), list: [step({}), new Map([[1, 2]])] })
export const b = step({ p: effect() })
export const c = z.object(effect()).strict()
export const d = new TextDecoder(), e = Object.freeze({ a: 1 }), f = Object.freeze(shared), g = new Float64Array(3)
z.string()
export default step({ name: 'kept' })
enum Kind { One }
export const kind = Kind.One
export const s = () => shared
`,
    })
    const { text } = await bundleStep({ root, source: 's.ts#s' })
    for (const gone of ['default(', 'new Map', 'TextDecoder', 'Float64Array', 'kept', 'Kind'])
      expect(text).not.toContain(gone)
    for (const kept of ['effect()', 'z.object(effect())', 'Object.freeze(shared)', 'z.string()'])
      expect(text).toContain(kept)
    expect(text.match(/effect\(\)/g)).toHaveLength(3)
  })

  it('includes an import() of a literal and warns of one that is computed', async () => {
    const root = temporaryProject({
      ...sdk,
      's.ts': `export const s = async (name: string) => {\n  const { l } = await import('./l.ts')\n  return [l, import(\`./\${name}.ts\`)]\n}`,
      'l.ts': 'export const l = 1',
    })
    const before = await bundleStep({ root, source: 's.ts#s' })
    expect(Object.keys(before.files)).toEqual(['l.ts', 's.ts'])
    expect(before.warnings).toEqual([expect.stringMatching(/^s\.ts:3:14: import\(\) of a computed name/)])
    writeFiles(root, { 'l.ts': 'export const l = 2' })
    expect((await bundleStep({ root, source: 's.ts#s' })).digest).not.toBe(before.digest)
  })

  it('can require CommonJS files of the project and packages from them', async () => {
    const root = temporaryProject({
      ...sdk,
      'node_modules/old/package.json': '{ "name": "old", "version": "1.0.0" }',
      'node_modules/old/index.js': 'module.exports = 7',
      's.ts': `import old from './old.cjs'\nexport const s = () => old`,
      'old.cjs': `const { join } = require('node:path')\nmodule.exports = join('a', String(require('old')))`,
    })
    const bundle = await bundleStep({ root, source: 's.ts#s' })
    expect(await run(bundle, 'step()')).toBe('"a/7"')
    expect(bundle.packages.map(({ name }) => name)).toEqual(['old'])
  })

  it('follows the settings of the nearest tsconfig.json: aliases and decorators', async () => {
    const root = temporaryProject({
      ...sdk,
      'tsconfig.json':
        '{\n  // aliases\n  "extends": "./base.json",\n  "compilerOptions": { "experimentalDecorators": true, },\n}',
      'base.json': '{ "compilerOptions": { "paths": { "@/*": ["./src/*"] } } }',
      'src/x.ts': 'export const x = 5',
      's.ts': `import { x } from '@/x'\nfunction log(target: unknown, key: string) { void target; void key }\nclass A { @log run() { return x } }\nexport const s = () => new A().run()`,
    })
    const bundle = await bundleStep({ root, source: 's.ts#s' })
    expect(Object.keys(bundle.files)).toEqual(['s.ts', 'src/x.ts'])
    expect(await run(bundle, 'step()')).toBe('5')
  })

  it('has a source map that leads back to the line and column', async () => {
    const bundle = await bundleStep({
      root: temporaryProject({
        ...sdk,
        's.ts': `import { step } from 'zenml'\nimport { z } from 'zod'\n\nexport const dropped = step({ p: z.object({}) })\nexport const s = step({\n  p: z.object({}), run: (): number => {\n    throw new Error('here')\n  },\n})\n`,
      }),
      source: 's.ts#s',
    })
    const { SourceMap } = await import('node:module')
    const map = new SourceMap(JSON.parse(bundle.map))
    const at = bundle.text.indexOf('throw new Error')
    const entry = map.findEntry(0, at) as { originalSource: string; originalLine: number; originalColumn: number }
    expect(entry).toMatchObject({ originalSource: 's.ts', originalLine: 6, originalColumn: 4 })
  })
})

describe('files beside the code', () => {
  const files = {
    ...sdk,
    'steps/read.ts': `
import { readFileSync } from 'node:fs'
export const read = () => readFileSync(new URL('./words %26 more.txt', import.meta.url), 'utf8')
export const other = () => readFileSync(new URL('../other.txt', import.meta.url), 'utf8')
export const plain = () => readFileSync(new URL('words %26 more.txt', import.meta.url), 'utf8')
export const work = async () => {
  const { Worker } = await import('node:worker_threads')
  const worker = new Worker(new URL('../work/worker.ts', import.meta.url))
  return await new Promise((resolve) => worker.once('message', resolve))
}
`,
    'steps/words & more.txt': 'one two',
    'other.txt': 'three',
    'work/worker.ts': `
import { readFileSync } from 'node:fs'
import { parentPort } from 'node:worker_threads'
import { helper } from './helper.ts'
parentPort!.postMessage(helper() + readFileSync(new URL('../other.txt', import.meta.url), 'utf8'))
`,
    'work/helper.ts': `export const helper = (): string => 'helped '`,
  }

  it('named by new URL(…, import.meta.url) stand beside the bundle, and their content is part of it', async () => {
    const root = temporaryProject(files)
    const before = await bundleStep({ root, source: 'steps/read.ts#read' })
    expect(before.assets).toEqual([
      {
        path: `assets/${sha256('one two').slice(7, 23)}/words & more.txt`,
        digest: sha256('one two'),
        from: 'steps/words & more.txt',
      },
    ])
    expect(Object.keys(before.files)).toEqual(['steps/read.ts', 'steps/words & more.txt'])
    expect(before.warnings).toEqual([])
    expect(await run(before, 'step()')).toBe('"one two"')
    const plain = await bundleStep({ root, source: 'steps/read.ts#plain' })
    expect(plain.assets).toEqual(before.assets)
    expect(await run(plain, 'step()')).toBe('"one two"')
    writeFiles(root, { 'other.txt': 'changed' })
    expect((await bundleStep({ root, source: 'steps/read.ts#read' })).digest).toBe(before.digest)
    writeFiles(root, { 'steps/words & more.txt': 'changed' })
    expect((await bundleStep({ root, source: 'steps/read.ts#read' })).digest).not.toBe(before.digest)
  })

  it('that are run as workers are bundled with what they import', async () => {
    const root = temporaryProject(files)
    const before = await bundleStep({ root, source: 'steps/read.ts#work' })
    expect(await run(before, 'await step()')).toBe('"helped three"')
    expect(Object.keys(before.files)).toEqual(['other.txt', 'steps/read.ts', 'work/helper.ts', 'work/worker.ts'])
    writeFiles(root, { 'work/helper.ts': `// a comment\nexport const helper = (): string => 'helped '` })
    expect((await bundleStep({ root, source: 'steps/read.ts#work' })).digest).toBe(before.digest)
    writeFiles(root, { 'work/helper.ts': `export const helper = (): string => 'helped more '` })
    expect((await bundleStep({ root, source: 'steps/read.ts#work' })).digest).not.toBe(before.digest)
  })

  it('are warned of where the code asks for its own place otherwise', async () => {
    const root = temporaryProject({
      ...sdk,
      's.ts': `export const s = () =>\n  [import.meta.dirname, new URL('https://x.org', import.meta.url)]`,
    })
    const { warnings } = await bundleStep({ root, source: 's.ts#s' })
    expect(warnings.map((warning) => warning.slice(0, 20))).toEqual([
      's.ts:2:4: import.met',
      expect.stringMatching(/^s\.ts:2:\d+: import/),
    ])
  })
})

describe('what cannot be bundled is refused', () => {
  const refuse = async (files: { readonly [path: string]: string }, source = 's.ts#s'): Promise<unknown> => {
    const root = temporaryProject({ ...sdk, ...files })
    return await bundleStep({ root, source }).then(
      () => 'bundled',
      (error: { code: string; message: string; next: string }) => `${error.code}: ${error.message} ${error.next}`,
    )
  }

  it.each([
    [
      'a syntax error',
      { 's.ts': 'export const s = 1\nexport const t = = 2\n' },
      /^ZEN_CODE_SYNTAX: s\.ts:2:18: Unexpected "="/,
    ],
    [
      'a syntax error behind an import',
      { 's.ts': `export { s } from './t.ts'`, 't.ts': 'export const s = (\n' },
      /^ZEN_CODE_SYNTAX: t\.ts:2:1: Unexpected end/,
    ],
    [
      'a damaged JSON file',
      { 's.ts': `import j from './j.json'\nexport const s = j`, 'j.json': '{ "a": }' },
      /^ZEN_CODE_SYNTAX: j\.json:1:8/,
    ],
    [
      'a missing import',
      { 's.ts': `import { t } from './trian.ts'\nexport const s = t`, 'train.ts': '' },
      /^ZEN_CODE_IMPORT: s\.ts:1:19: There is no file trian\.ts\. Did you mean "train\.ts"\?/,
    ],
    [
      'an import that leaves the root',
      { 's.ts': `export { s } from '../../s.ts'` },
      /^ZEN_STEP_SOURCE_OUTSIDE: s\.ts:1:19: "\.\.\/\.\.\/s\.ts" lies outside/,
    ],
    ['an absolute import', { 's.ts': `export { s } from '/etc/s.ts'` }, /^ZEN_STEP_SOURCE_OUTSIDE/],
    [
      'an import from the network',
      { 's.ts': `export { s } from 'https://example.com/s.ts'` },
      /^ZEN_STEP_SOURCE_OUTSIDE/,
    ],
    [
      'a package that is not installed',
      { 's.ts': `import x from '@acme/none/sub'\nexport const s = x` },
      /^ZEN_PACKAGE_MISSING: s\.ts:1:15: "@acme\/none" is not installed\. Run "npm install @acme\/none"/,
    ],
    [
      'a file of a package by path',
      { 's.ts': `import * as z from './node_modules/zod/index.js'\nexport const s = z` },
      /^ZEN_CODE_IMPORT: .*belongs to an installed package/,
    ],
    [
      'a file that is no module',
      { 's.ts': `import x from './x.txt'\nexport const s = x`, 'x.txt': '' },
      /^ZEN_CODE_IMPORT: s\.ts:1:15: x\.txt is no module.* Read it as a file: new URL/,
    ],
    [
      'a missing name',
      { 's.ts': `import { tt } from './t.ts'\nexport const s = tt`, 't.ts': 'export const t = 1' },
      /^ZEN_STEP_EXPORT_MISSING: s\.ts:1:10: t\.ts has no export "tt"\. Did you mean "t"\?/,
    ],
  ])('%s', async (_what, files, message) => {
    expect(await refuse(files)).toMatch(message)
  })

  it.each([
    [
      'steps/trian.ts#train',
      /^ZEN_STEP_SOURCE_MISSING: There is no file steps\/trian\.ts\. Did you mean "steps\/train\.ts"\?/,
    ],
    ['train.ts#train', /^ZEN_STEP_SOURCE_MISSING.* Did you mean "steps\/train\.ts"\?/],
    ['steps/train#train', /^ZEN_STEP_SOURCE_MISSING.* Did you mean "steps\/train\.ts"\?/],
    ['steps#train', /^ZEN_STEP_SOURCE_MISSING.*no package steps is installed/],
    [
      'steps/train.ts#trian',
      /^ZEN_STEP_EXPORT_MISSING: steps\/train\.ts has no export "trian"\. Did you mean "train"\? It exports other, train\.$/,
    ],
    ['steps/train.ts', /^ZEN_STEP_EXPORT_MISSING: steps\/train\.ts has no export "default"\./],
    ['#train', /^ZEN_STEP_SOURCE_MISSING: "#train" names no module\./],
    ['steps/train.ts#', /^ZEN_STEP_SOURCE_MISSING: "steps\/train\.ts#" names no export\./],
    ['data/limits.json#most', /^ZEN_STEP_SOURCE_MISSING: data\/limits\.json is no TypeScript/],
    ['../outside.ts#s', /^ZEN_STEP_SOURCE_OUTSIDE/],
    ['steps/../../outside.ts#s', /^ZEN_STEP_SOURCE_OUTSIDE/],
    ['/etc/passwd#s', /^ZEN_STEP_SOURCE_OUTSIDE/],
    ['file:///etc/passwd#s', /^ZEN_STEP_SOURCE_OUTSIDE/],
    ['data:text/javascript,1#s', /^ZEN_STEP_SOURCE_OUTSIDE/],
    ['node_modules/zod/index.js#z', /^ZEN_STEP_SOURCE_OUTSIDE/],
    ['linked.ts#s', /^ZEN_STEP_SOURCE_OUTSIDE/],
  ])('the source %s', async (source, message) => {
    const outside = temporaryProject({ 's.ts': 'export const s = 1' })
    expect(await refuse({ ...twoSteps, 'linked.ts': `-> ${join(outside, 's.ts')}` }, source)).toMatch(message)
  })

  it('a link in the middle of the imports that leaves the project', async () => {
    const outside = temporaryProject({ 'c.ts': 'export const c = 1' })
    expect(await refuse({ ...twoSteps, 'far/c.ts': `-> ${join(outside, 'c.ts')}` }, 'steps/train.ts#train')).toMatch(
      /^ZEN_STEP_SOURCE_OUTSIDE: lib\/deep\/b\.ts:1:19/,
    )
  })

  it('two installations of one package', async () => {
    const message = await refuse({
      ...installed('twice', '1.0.0', 'export const t = 1'),
      'lib/package.json': '{}',
      'lib/node_modules/twice/package.json': '{ "name": "twice", "version": "2.0.0", "main": "index.js" }',
      'lib/node_modules/twice/index.js': '',
      'lib/l.ts': `export { t } from 'twice'`,
      's.ts': `import { t } from 'twice'\nimport { t as u } from './lib/l.ts'\nexport const s = [t, u]`,
    })
    expect(message).toMatch(
      /^ZEN_PACKAGE_CONFLICT: Two installations of twice are reached: .*node_modules\/twice \(\d\.0\.0\) for/,
    )
  })
})

it('nothing is left on the disk by bundling alone', async () => {
  const root = temporaryProject(twoSteps)
  await train(root)
  expect(existsSync(join(root, 'step.mjs'))).toBe(false)
  writeFileSync(join(root, 'step.mjs'), 'mine')
  await train(root)
  expect(readFileSync(join(root, 'step.mjs'), 'utf8')).toBe('mine')
})
