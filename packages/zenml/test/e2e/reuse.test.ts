import { execFileSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { type TestProject, testEnvironment, testProject } from '../support/project.ts'
import { zenmlIn } from '../support/run-in.ts'

// biome-ignore lint/suspicious/noExplicitAny: tests read into documents freely
type Document = any

const header = `import { step } from 'zenml'\nimport { JsonArtifact } from 'zenml/formats'\n`

/**
 * load → clean → train ─┐
 *      ↘ count ─────────┴→ report. Two steps share a file; helpers lie up to three imports away, in other folders.
 */
const shop: { readonly [path: string]: string } = {
  'steps/load.ts': `${header}import settings from '../lib/settings.json'

export const load = step({
  name: 'load',
  outputs: { words: JsonArtifact },
  run: () => ({ words: [' tea', 'oat milk ', ' salt '].slice(0, settings.most) }),
})
`,
  'steps/prepare.ts': `${header}import { clean as cleaned } from '../lib/clean.ts'

export const clean = step({
  name: 'clean',
  inputs: { words: JsonArtifact },
  outputs: { words: JsonArtifact },
  run: ({ inputs }) => ({ words: (inputs.words as string[]).map(cleaned) }),
})

export const count = step({
  name: 'count',
  inputs: { words: JsonArtifact },
  outputs: { count: JsonArtifact },
  run: async ({ inputs }) => {
    const { weigh } = await import('../lib/weigh.ts')
    return { count: weigh((inputs.words as string[]).length) }
  },
})
`,
  'steps/train.ts': `${header}import { rate } from '../lib/index.ts'

export const train = step({
  name: 'train',
  inputs: { words: JsonArtifact },
  outputs: { model: JsonArtifact },
  run: ({ inputs }) => ({ model: (inputs.words as string[]).map((word) => word.length * rate) }),
})
`,
  'steps/report.ts': `${header}import { readFileSync } from 'node:fs'

export const report = step({
  name: 'report',
  inputs: { model: JsonArtifact, count: JsonArtifact },
  outputs: { text: JsonArtifact },
  run: ({ inputs }) => ({
    text: [readFileSync(new URL('../lib/title.txt', import.meta.url), 'utf8'), inputs.model, inputs.count],
  }),
})
`,
  'lib/clean.ts': `import { trim } from './text/trim.ts'\n\nexport const clean = (word: string): string => trim(word)\n`,
  'lib/text/trim.ts': `import { blank } from '../../shared/characters/blank.ts'\n\nexport const trim = (word: string): string => word.replaceAll(blank, '')\n`,
  'shared/characters/blank.ts': `/** What is cut off. */\nexport const blank = ' '\n`,
  'lib/index.ts': `export * from './rate.ts'\n`,
  'lib/rate.ts': 'export const rate = 2\n',
  'lib/settings.json': '{\n  "most": 3\n}\n',
  'lib/weigh.ts': 'export const weigh = (count: number): number => count * 10\n',
  'lib/title.txt': 'The shop\n',
  'shop.yaml': `
version: 1
pipeline: shop
steps:
  load: { source: "steps/load.ts#load" }
  clean: { source: "steps/prepare.ts#clean", inputs: { words: load.words } }
  count: { source: "steps/prepare.ts#count", inputs: { words: load.words } }
  train: { source: "steps/train.ts#train", inputs: { words: clean.words } }
  report: { source: "steps/report.ts#report", inputs: { model: train.model, count: count.count } }
`,
}

/** The steps of a run that were executed; all others were reused. */
function executedIn(run: Document): string[] {
  expect(run.status, JSON.stringify(run.error)).toBe('complete')
  const { steps } = run as { steps: { name: string; outcome: string }[] }
  for (const { outcome } of steps) expect(['executed', 'reused']).toContain(outcome)
  return steps.filter(({ outcome }) => outcome === 'executed').map(({ name }) => name)
}

async function ran(project: TestProject, ...args: string[]): Promise<string[]> {
  return executedIn(await project.json('pipeline', 'run', ...args))
}

async function explained(project: TestProject, ...args: string[]): Promise<{ [step: string]: Document }> {
  const { steps } = await project.json('pipeline', 'explain', ...args)
  return Object.fromEntries(steps.map((step: Document) => [step.name, step]))
}

/** Outputs as `step.output` with their digests. */
function digestsOf(run: Document): { [output: string]: string } {
  return Object.fromEntries(
    run.steps.flatMap(({ name, outputs }: Document) =>
      Object.entries<Document>(outputs).map(([output, { digest }]) => [`${name}.${output}`, digest]),
    ),
  )
}

const edit = (project: TestProject, path: string, from: string, to: string): void => {
  const text = project.read(path)
  expect(text).toContain(from)
  project.write({ [path]: text.replace(from, to) })
}

describe('someone who works on a pipeline of five steps', () => {
  let project: TestProject
  beforeAll(async () => {
    project = testProject()
    project.write(shop)
    project.commit()
    expect(await ran(project, 'shop.yaml')).toEqual(['load', 'clean', 'count', 'train', 'report'])
  })
  afterAll(() => project[Symbol.dispose]())

  it('edits comments, reformats, changes the types and commits something else: every step is reused (scenarios 1 and 5)', async () => {
    project.write({
      'shared/characters/blank.ts': `// Another comment.\n\nexport const blank: string = ' ';\n`,
      'steps/train.ts': shop['steps/train.ts']!.replace(
        'run: ({ inputs }) => ({ model:',
        'run: ({ inputs }) => ({\n    /* lengths */ model:',
      ),
      'notes.ts': 'export const unrelated = 1\n',
    })
    project.commit()
    expect(await ran(project, 'shop.yaml')).toEqual([])
    const steps = await explained(project, '@latest')
    expect(Object.values(steps).map(({ cause }) => cause)).toEqual(['reused', 'reused', 'reused', 'reused', 'reused'])
  })

  it('edits one step of a file of two: the other and what follows it are reused (scenario 1)', async () => {
    edit(project, 'steps/prepare.ts', '(inputs.words as string[]).length', '(inputs.words as string[]).length + 1')
    expect(await ran(project, 'shop.yaml')).toEqual(['count', 'report'])
    const { count, report, train } = await explained(project, '@latest')
    expect(count.changes).toMatchObject([{ field: 'code', path: 'steps/prepare.ts', imports: [] }])
    expect(report.reason).toMatch(
      /^report ran again because input count changed since run \w+: count ran again because /,
    )
    expect(train).toMatchObject({ cause: 'reused', changes: [] })
  })

  it('edits a helper three imports away in another folder: only what reaches it runs, and the helper is named to the end of the graph (scenario 2)', async () => {
    edit(project, 'shared/characters/blank.ts', "' '", "'t'")
    expect(await ran(project, 'shop.yaml')).toEqual(['clean', 'train', 'report'])
    const { clean, train, report } = await explained(project, '@latest')
    const way = ['lib/text/trim.ts', 'lib/clean.ts', 'steps/prepare.ts']
    expect(clean.changes).toMatchObject([{ field: 'code', path: 'shared/characters/blank.ts', imports: way }])
    expect(clean.changes[0].diff).toContain(`-export const blank = ' '\n+export const blank: string = 't';`)
    expect(train.changes).toMatchObject([{ field: 'inputs', path: 'words', because: { step: 'clean' } }])
    expect(report.changes).toMatchObject([{ path: 'model', because: { step: 'train', origin: { step: 'clean' } } }])
    expect(report.reason).toMatch(
      /^report ran again because input model changed since run \w+: clean ran again because shared\/characters\/blank\.ts \(imported by /,
    )
  })

  it('writes the helper otherwise to the same effect: it runs, and the change stops there (scenario 17)', async () => {
    edit(project, 'lib/text/trim.ts', "word.replaceAll(blank, '')", "word.split(blank).join('')")
    const plan = await project.json('pipeline', 'run', 'shop.yaml', '--dry-run')
    expect(plan.steps.map(({ prediction }: Document) => prediction)).toEqual([
      'reuse',
      'execute',
      'reuse',
      'depends',
      'depends',
    ])
    expect(await ran(project, 'shop.yaml')).toEqual(['clean'])
    const { train, report } = await explained(project, '@latest')
    expect(train.reason).toContain('although clean ran again: the same came out')
    expect(report).toMatchObject({ cause: 'reused', changes: [] })
  })

  it.each([
    ['a constant that is exported again', 'lib/rate.ts', '2', '3', ['train', 'report']],
    ['a JSON file that is imported', 'lib/settings.json', '3', '2', ['load', 'clean', 'count', 'train', 'report']],
    ['what an import() brings in', 'lib/weigh.ts', '10', '20', ['count', 'report']],
    ['a file that is read by its URL', 'lib/title.txt', 'shop', 'store', ['report']],
  ])(
    'changes %s: only what reaches it runs, and the file is named (scenario 3)',
    async (_what, path, from, to, expected) => {
      edit(project, path, from, to)
      const plan = await project.json('pipeline', 'run', 'shop.yaml', '--dry-run')
      const first = plan.steps.find(({ name }: Document) => name === expected[0])
      expect(first).toMatchObject({ prediction: 'execute', changes: [{ field: 'code', path }] })
      expect(await ran(project, 'shop.yaml')).toEqual(expected)
      const step = (await explained(project, '@latest', expected[0]!))[expected[0]!]
      expect(step.changes).toMatchObject([{ field: 'code', path }])
      const changed = step.changes[0].diff.split('\n').filter((line: string) => /^[-+][^-+]/.test(line))
      expect(changed).toHaveLength(2)
      expect(changed[0].replace(from, to).slice(1)).toBe(changed[1].slice(1))
    },
  )

  it('has one bit of an output flip and another output deleted: neither is believed, and both are told (scenario 15)', async () => {
    const before = await project.json('pipeline', 'run', 'shop.yaml')
    expect(executedIn(before)).toEqual([])
    const blobOf = async (output: string): Promise<string> => {
      const { files } = await project.json('artifact', 'get', `${before.run}/${output}`)
      const hex = files[0].digest.slice('sha256:'.length)
      return join(project.root, '.zenml/artifacts/blobs', hex.slice(0, 2), hex.slice(2))
    }
    const [flipped, deleted] = [await blobOf('clean.words'), await blobOf('count.count')]
    const bytes = readFileSync(flipped)
    bytes[1]! ^= 1
    chmodSync(flipped, 0o644)
    writeFileSync(flipped, bytes)
    rmSync(deleted, { force: true })
    const plan = await project.json('pipeline', 'run', 'shop.yaml', '--dry-run')
    expect(plan.steps.map(({ prediction }: Document) => prediction)).toEqual([
      'reuse',
      'execute',
      'execute',
      'depends',
      'depends',
    ])
    expect(plan.steps[1].reason).toContain('damaged')
    expect(plan.steps[2].reason).toContain('missing')
    const after = await project.json('pipeline', 'run', 'shop.yaml')
    expect(executedIn(after)).toEqual(['clean', 'count'])
    expect(digestsOf(after)).toEqual(digestsOf(before))
    const { clean, count } = await explained(project, '@latest')
    expect([clean.cause, count.cause]).toEqual(['outputs-lost', 'outputs-lost'])
    expect(clean.reason).toMatch(
      /^clean ran again because an identical execution could not be reused: Output "words" .* is damaged/,
    )
    expect(count.reason).toContain('is missing')
  })
})

it('a step file that git does not know yet is pinned, reused, explained line by line, and reused again once it is committed (scenario 8)', async () => {
  using project = testProject()
  project.write({ 'README.md': 'A project.\n' })
  project.commit()
  project.write(shop)
  const first = await project.json('pipeline', 'run', 'shop.yaml')
  expect(first.code.dirty).toBe(true)
  expect(project.git('show', `${first.code.tree}:lib/rate.ts`)).toContain('rate = 2')
  edit(project, 'lib/rate.ts', '2', '4')
  expect(await ran(project, 'shop.yaml')).toEqual(['train', 'report'])
  const { train } = await explained(project, '@latest', 'train')
  expect(train.changes[0].diff).toContain('-export const rate = 2\n+export const rate = 4')
  expect(project.git('status', '--porcelain')).toContain('?? lib/')
  project.commit()
  const clean = await project.json('pipeline', 'run', 'shop.yaml')
  expect(executedIn(clean)).toEqual([])
  expect(clean.code.dirty).toBe(false)
})

it('one package is bumped by npm: only what reaches it runs, and both versions are told (scenario 4)', async () => {
  using project = testProject()
  const publish = (version: string): void => {
    project.write({
      'vendor/blanks/package.json': JSON.stringify({
        name: 'blanks',
        version,
        type: 'module',
        exports: './index.js',
        sideEffects: false,
      }),
      'vendor/blanks/index.js': `export const blank = ${JSON.stringify(version === '1.0.0' ? ' ' : 'a')}\n`,
      'vendor/package.json': '{ "private": true }\n',
    })
    const npm = (...args: string[]): void =>
      void execFileSync('npm', args, {
        cwd: join(project.root, 'vendor'),
        env: { ...testEnvironment, HOME: project.cache, npm_config_cache: join(project.cache, 'npm') },
        stdio: 'pipe',
      })
    npm('pack', './blanks')
    npm('install', '--offline', '--no-audit', '--no-fund', `./blanks-${version}.tgz`)
    cpSync(join(project.root, 'vendor/node_modules/blanks'), join(project.root, 'node_modules/blanks'), {
      recursive: true,
    })
    cpSync(join(project.root, 'vendor/package-lock.json'), join(project.root, 'package-lock.json'))
    rmSync(join(project.root, 'vendor'), { recursive: true })
  }
  publish('1.0.0')
  project.write({
    ...shop,
    'lib/text/trim.ts': `import { blank } from 'blanks'\n\nexport const trim = (word: string): string => word.replaceAll(blank, '')\n`,
  })
  project.commit()
  await ran(project, 'shop.yaml')
  publish('1.1.0')
  const plan = await project.json('pipeline', 'run', 'shop.yaml', '--dry-run')
  expect(plan.steps[1].reason).toMatch(
    /^clean will execute because package blanks .* changed from 1\.0\.0 to 1\.1\.0 since run /,
  )
  expect(await ran(project, 'shop.yaml')).toEqual(['clean', 'train', 'report'])
  const { clean } = await explained(project, '@latest', 'clean')
  expect(clean.changes).toMatchObject([
    { field: 'packages', path: 'blanks', before: '1.0.0', after: '1.1.0', imports: ['lib/text/trim.ts'] },
  ])
})

describe('a seed', () => {
  it('is given anew: only the steps that use randomness run again, in the code of a package too, and what follows them (scenario 13)', async () => {
    using project = testProject()
    project.write({
      ...shop,
      'node_modules/dice/package.json':
        '{ "name": "dice", "version": "1.0.0", "type": "module", "exports": "./index.js" }',
      'node_modules/dice/index.js': 'export const roll = () => Math.floor(Math.random() * 1e9)\n',
      'steps/train.ts': shop['steps/train.ts']!.replace(
        'import { rate }',
        "import { roll } from 'dice'\nimport { rate }",
      ).replace('word.length * rate', 'word.length * rate * roll()'),
    })
    project.commit()
    const first = await project.json('pipeline', 'run', 'shop.yaml')
    expect(executedIn(first)).toHaveLength(5)
    const again = await project.json('pipeline', 'run', 'shop.yaml', '--no-cache')
    expect(digestsOf(again)).toEqual(digestsOf(first))
    expect(again.nondeterminism).toEqual([])
    const plan = await project.json('pipeline', 'run', 'shop.yaml', '--seed', '7', '--dry-run')
    expect(plan.steps.map(({ prediction }: Document) => prediction)).toEqual([
      'reuse',
      'reuse',
      'reuse',
      'execute',
      'depends',
    ])
    const other = await project.json('pipeline', 'run', 'shop.yaml', '--seed', '7')
    expect(executedIn(other)).toEqual(['train', 'report'])
    expect(digestsOf(other)['train.model']).not.toBe(digestsOf(first)['train.model'])
    const { train } = await explained(project, '@latest', 'train')
    expect(train.changes).toMatchObject([{ field: 'seed' }])
    expect(train.reason).toMatch(/^train ran again because its seed changed from \d+ to \d+ since run /)
  })
})

describe('ways to lay out a repository (scenario 10)', () => {
  it('code in a submodule: an edit there runs only what reaches it, and taking it back reuses everything', async () => {
    using library = testProject({ init: false })
    library.write({ 'blank.ts': `export const blank = ' '\n` })
    library.commit()
    using project = testProject()
    project.write({
      ...shop,
      'lib/text/trim.ts': shop['lib/text/trim.ts']!.replace(
        '../../shared/characters/blank.ts',
        '../../vendor/blank.ts',
      ),
    })
    project.git('-c', 'protocol.file.allow=always', 'submodule', 'add', '-q', library.root, 'vendor')
    project.commit()
    await ran(project, 'shop.yaml')
    edit(project, 'vendor/blank.ts', "' '", "'a'")
    const dirty = await project.json('pipeline', 'run', 'shop.yaml')
    expect(executedIn(dirty)).toEqual(['clean', 'train', 'report'])
    expect(dirty.code.dirty).toBe(true)
    const { clean } = await explained(project, '@latest', 'clean')
    expect(clean.changes).toMatchObject([
      { field: 'code', path: 'vendor/blank.ts', imports: ['lib/text/trim.ts', 'lib/clean.ts', 'steps/prepare.ts'] },
    ])
    expect(clean.changes[0].diff).toContain(`-export const blank = ' '\n+export const blank = 'a'`)
    project.git('submodule', 'foreach', '-q', 'git checkout -q .')
    expect(await ran(project, 'shop.yaml')).toEqual([])
  })

  it('a file that is a link: an edit of what it leads to is noticed under its own name', async () => {
    using project = testProject()
    const { 'shared/characters/blank.ts': blank, ...rest } = shop
    project.write({ ...rest, 'real/blank.ts': blank! })
    mkdirSync(join(project.root, 'shared/characters'), { recursive: true })
    symlinkSync('../../real/blank.ts', join(project.root, 'shared/characters/blank.ts'))
    project.commit()
    await ran(project, 'shop.yaml')
    edit(project, 'real/blank.ts', "' '", "'a'")
    expect(await ran(project, 'shop.yaml')).toEqual(['clean', 'train', 'report'])
    const { clean } = await explained(project, '@latest', 'clean')
    expect(clean.changes).toMatchObject([{ field: 'code', path: 'real/blank.ts' }])
    expect(clean.changes[0].diff).toContain(`+export const blank = 'a'`)
  })

  it('a worktree, a sparse checkout and a clone with Windows line ends share the stores: everything is reused, and an edit is explained across them', async () => {
    using project = testProject()
    using places = testProject({ git: false, init: false })
    const stores = join(places.root, 'stores')
    mkdirSync(stores)
    const share = async (root: string): Promise<void> => {
      await zenmlIn(root, 'init')
      await zenmlIn(root, 'config', 'metadata', 'set', 'sqlite', `--uri=${join(stores, 'metadata.db')}`)
      await zenmlIn(root, 'config', 'artifacts', 'set', join(stores, 'artifacts'))
    }
    await share(project.root)
    // A file that is read by its URL counts with every byte; line ends of code do not.
    project.write({
      ...shop,
      'huge/unrelated.ts': 'export const nothing = 1\n',
      '.gitattributes': 'lib/title.txt -text\n',
    })
    project.commit()
    await ran(project, 'shop.yaml')
    const [worktree, sparse, windows] = ['worktree', 'sparse', 'windows'].map((name) => join(places.root, name))
    project.git('worktree', 'add', '-q', worktree!)
    project.git('clone', '-q', '--no-checkout', project.root, sparse!)
    project.git('-C', sparse!, 'sparse-checkout', 'set', 'steps', 'lib', 'shared')
    project.git('-C', sparse!, 'checkout', '-q', 'main')
    project.git('clone', '-q', '-c', 'core.autocrlf=true', project.root, windows!)
    expect(existsSync(join(sparse!, 'huge'))).toBe(false)
    expect(readFileSync(join(windows!, 'lib/rate.ts'), 'utf8')).toContain('\r\n')
    for (const root of [worktree!, sparse!, windows!]) {
      symlinkSync(join(project.root, 'node_modules'), join(root, 'node_modules'))
      await share(root)
      const { stdout, stderr } = await zenmlIn(root, 'pipeline', 'run', 'shop.yaml', '--json')
      expect(executedIn(JSON.parse(stdout || stderr)), root).toEqual([])
    }
    const file = join(windows!, 'lib/rate.ts')
    writeFileSync(file, readFileSync(file, 'utf8').replace('2', '9'))
    const edited = await zenmlIn(windows!, 'pipeline', 'run', 'shop.yaml', '--json')
    expect(executedIn(JSON.parse(edited.stdout))).toEqual(['train', 'report'])
    const told = await zenmlIn(windows!, 'pipeline', 'explain', '@latest', 'train')
    expect(told.stdout).toContain('    -export const rate = 2\n    +export const rate = 9')
  })
})

it('a file that a step reads without declaring it changes: the step runs again, the file is named, before and after (scenario 14)', async () => {
  using project = testProject()
  project.write({
    ...shop,
    'data/limits.json': '{ "most": 2 }\n',
    'steps/load.ts': shop['steps/load.ts']!.replace(
      'import settings',
      "import { readFileSync } from 'node:fs'\nimport settings",
    )
      .replace(
        'settings.most)',
        `JSON.parse(readFileSync(process.cwd().split('/.zenml/')[0] + '/data/limits.json', 'utf8')).most)`,
      )
      .replace("import settings from '../lib/settings.json'\n", ''),
  })
  project.commit()
  await ran(project, 'shop.yaml')
  project.write({ 'data/other.json': '{}' })
  expect(await ran(project, 'shop.yaml')).toEqual([])
  project.write({ 'data/limits.json': '{ "most": 1 }\n' })
  const plan = await project.json('pipeline', 'run', 'shop.yaml', '--dry-run')
  expect(plan.steps[0]).toMatchObject({
    prediction: 'execute',
    changes: [{ field: 'observed', path: 'data/limits.json' }],
  })
  expect(plan.steps[0].reason).toMatch(
    /^load will execute because data\/limits\.json, which it reads, changed since run /,
  )
  expect(await ran(project, 'shop.yaml')).toEqual(['load', 'clean', 'count', 'train', 'report'])
  const { load, report } = await explained(project, '@latest')
  expect(load.changes).toMatchObject([{ field: 'observed', path: 'data/limits.json' }])
  expect(load.reason).toMatch(/^load ran again because data\/limits\.json, which it reads, changed since run /)
  expect(report.reason).toContain(': load ran again because data/limits.json')
})
