import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest'
import { type TestProject, testProject } from '../support/project.ts'
import { numbersPipeline } from '../support/steps.ts'
import { exampleBody, type PublicName, publicNames } from './docstrings.ts'

const root = fileURLToPath(new URL('../../../..', import.meta.url))
const entries = {
  zenml: 'packages/zenml/src/public/index.ts',
  'zenml/formats': 'packages/zenml/src/public/formats.ts',
  'zenml/steps': 'packages/zenml/src/public/steps.ts',
  'zenml/deploy': 'packages/zenml/src/public/deploy.ts',
  'zenml/project': 'packages/zenml/src/public/project.ts',
  '@zenml/tensorflow': 'packages/tensorflow/src/index.ts',
  '@zenml/tensorflow/deploy': 'packages/tensorflow/src/deploy.ts',
}
const names = Object.entries(entries).flatMap(([entry, file]) =>
  publicNames(join(root, file)).map((name) => ({ ...name, entry })),
)
const withExample = names.filter(({ example }) => example !== undefined)

/** Names that need no example: they are only ever named, and the examples of steps name them. */
const onlyNamed = new Set([
  'Examples',
  'Statistics',
  'Schema',
  'Anomalies',
  'TransformGraph',
  'Model',
  'Evaluation',
  'Source',
])

const prelude = `
import { deepStrictEqual as same } from 'node:assert/strict'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import * as z from 'zod'
import type { StepContext } from 'zenml'
import type { ExamplesReader, LoadedModel, TransformGraphData } from 'zenml/formats'
import type { EvaluatedSplit, Matrix, PredictedRows, Predictor } from 'zenml/steps'
${Object.keys(entries)
  .map(
    (entry) =>
      `import { ${names.flatMap((name) => (name.entry === entry ? [isShared(name.name) ? `${name.name} as ${sharedName(name)}` : name.name] : [])).join(', ')} } from '${entry}'`,
  )
  .join('\n')}
const directory = process.env['ZENML_EXAMPLE_PROJECT']!
export type Used = TransformGraphData | StepContext | ExamplesReader | LoadedModel | EvaluatedSplit | Matrix | PredictedRows | Predictor
void [mkdtemp, readFile, rm, writeFile, tmpdir, join, z, same]
type Given = ReturnType<typeof given>
function given() {
  const { examples } = snapshot({ source: datasource('given', { path: 'given.csv' }) }, {}, { name: 'given-examples' })
  const { examples: parts } = split({ examples }, {}, { name: 'given-parts' })
  const { statistics: facts } = statistics({ examples: parts }, {}, { name: 'given-facts' })
  const { transform } = preprocess({ examples: parts }, { label: 'y' }, { name: 'given-transform' })
  const { model } = train({ examples: parts, transform }, {}, { name: 'given-model' })
  const { evaluation } = ${sharedName({ name: 'evaluate', entry: '@zenml/tensorflow' })}(
    { examples: parts, transform, model }, {}, { name: 'given-evaluation' },
  )
  return { examples, parts, facts, transform, model, evaluation }
}
function inPipeline(place: (given: Given) => void): void {
  pipeline('example', () => place(given())).build()
}
`

type Example = Pick<PublicName, 'name' | 'example' | 'isStep'> & { readonly entry?: string }

/** Whether several packages have the name; in an example it is that of its own package. */
function isShared(name: string): boolean {
  return names.filter((other) => other.name === name).length > 1
}

function sharedName({ name, entry = '' }: Pick<Example, 'name' | 'entry'>): string {
  return `${name}_of_${entry.replaceAll(/\W/g, '_')}`
}

function functionOf(example: Example): string {
  return `example_${isShared(example.name) ? sharedName(example) : example.name}`
}

function moduleOf(examples: readonly Example[]): string {
  const functions = examples.map((example) => {
    const own = names
      .filter(({ name, entry }) => isShared(name) && entry === example.entry)
      .map((name) => `const ${name.name} = ${sharedName(name)}\nvoid ${name.name}\n`)
      .join('')
    return `export async function ${functionOf(example)}(): Promise<void> {\n${own}${exampleBody(example as PublicName)}\n}`
  })
  return `${prelude}\n${functions.join('\n\n')}\n`
}

let directory: string
let project: TestProject
beforeAll(() => {
  vi.spyOn(console, 'log').mockImplementation(() => undefined)
  project = testProject()
  project.write({ ...numbersPipeline, 'broken.yaml': 'version: 2\n' })
  project.commit()
  process.env['ZENML_EXAMPLE_PROJECT'] = project.root
  // What past runs need is kept with the project, and not in the user's cache.
  process.env['ZENML_CACHE_DIR'] = project.cache
  directory = mkdtempSync(join(root, 'node_modules/.zenml-docs-'))
})
afterAll(() => {
  vi.restoreAllMocks()
  rmSync(directory, { recursive: true, force: true })
  project[Symbol.dispose]()
})

function problemsOf(name: string, ...sources: readonly string[]): string {
  const files = sources.map((source, index) => {
    const file = join(directory, `${name}-${index}.ts`)
    writeFileSync(file, source)
    return file
  })
  writeFileSync(
    join(directory, `${name}.json`),
    JSON.stringify({
      extends: join(root, 'tsconfig.json'),
      compilerOptions: {
        isolatedDeclarations: false,
        declaration: false,
        noUnusedLocals: false,
        typeRoots: [join(root, 'node_modules/@types')],
      },
      include: files,
      exclude: [],
    }),
  )
  try {
    execFileSync(
      process.execPath,
      [join(root, 'node_modules/typescript/bin/tsc'), '-p', join(directory, `${name}.json`)],
      {
        encoding: 'utf8',
      },
    )
    return ''
  } catch (error) {
    return (error as { stdout: string }).stdout
  }
}

async function load(name: string, source: string): Promise<{ [name: string]: () => Promise<void> }> {
  await build({
    stdin: { contents: source, resolveDir: directory, loader: 'ts' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    packages: 'external',
    // The project's entry is taken as it is built: it finds the entry point of steps beside it.
    plugins: [
      {
        name: 'sources',
        setup: ({ onResolve }) =>
          onResolve({ filter: /^@?zenml/ }, ({ path }) => {
            if (path === 'zenml/project') return { path: join(root, 'packages/zenml/dist/project.js'), external: true }
            // Texts that the build makes; loaded by a step that runs.
            if (path.endsWith('/serving-code')) return { path, external: true }
            return { path: join(root, entries[path as keyof typeof entries]) }
          }),
      },
    ],
    outfile: join(directory, `${name}.mjs`),
    logLevel: 'silent',
  })
  return (await import(pathToFileURL(join(directory, `${name}.mjs`)).href)) as { [name: string]: () => Promise<void> }
}

describe('examples in docstrings', () => {
  it('every public value has one, but those that are only named', () => {
    const without = names.filter(({ name, example }) => example === undefined && !onlyNamed.has(name))
    expect(without.map(({ name }) => name)).toEqual([])
  })

  it('are correct TypeScript', () => {
    expect(problemsOf('types', moduleOf(withExample))).toBe('')
  })

  it('run, and give the values that they say', async () => {
    const loaded = await load('run', moduleOf(withExample))
    for (const example of withExample) {
      await expect(loaded[functionOf(example)]!(), example.name).resolves.toBeUndefined()
    }
  })

  it('are seen where they are wrong: a wrong type, and a wrong value', async () => {
    const wrongType = { name: 'a', isStep: true, example: 'inferSchema({ statistics: model })' }
    expect(problemsOf('planted', moduleOf([wrongType]))).toContain('Model')
    const wrongValue = { name: 'b', isStep: false, example: "seededRandom('x').integer(1) // 7" }
    await expect((await load('planted', moduleOf([wrongValue])))['example_b']!()).rejects.toThrow('7')
  })
})

describe.each(['steps', 'datasources', 'deploying'])('code on the page of %s', (page) => {
  const blocks = [...readFileSync(join(root, `docs/${page}.md`), 'utf8').matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(
    ([, block]) => block!,
  )

  it('is correct TypeScript', () => {
    expect(blocks.length).toBeGreaterThan(0)
    expect(problemsOf(page, ...blocks)).toBe('')
  })

  it('puts its pipelines together', async () => {
    for (const [index, block] of blocks.entries()) {
      if (!block.includes('export default')) continue
      const loaded = (await load(`${page}-${index}`, block)) as unknown as {
        default: { build(): { steps: unknown[] } }
      }
      expect(loaded.default.build().steps.length).toBeGreaterThan(0)
    }
  })
})
