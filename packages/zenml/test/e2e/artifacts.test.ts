import { afterAll, beforeAll, expect, it } from 'vitest'
import { type TestProject, testProject } from '../support/project.ts'

let project: TestProject
beforeAll(() => {
  project = testProject()
})
afterAll(() => project[Symbol.dispose]())

const kinds = `
import { readFile, readdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { artifactType, step } from 'zenml'
import { batchOf, BytesArtifact, createExamplesWriter, Examples, FileTree, JsonArtifact, Model } from 'zenml/formats'

export const Words = artifactType('Words', {
  save: async (words: string[], directory: string) => {
    for (const word of words) await writeFile(join(directory, word), word)
  },
  load: async (directory: string) => (await readdir(directory)).sort(),
})

export const make = step({
  name: 'make',
  outputs: { tree: FileTree, bytes: BytesArtifact, json: JsonArtifact, words: Words, model: Model, foreign: Examples },
  run: async ({ context }) => {
    const { foreign } = context.directories
    const writer = await createExamplesWriter(join(context.scratch, 'examples'))
    await writer.write('all', batchOf([{ x: 1 }, { x: 2 }]))
    await writer.finish()
    // TFRecord files alone, as another tool writes them.
    await import('node:fs/promises').then(({ cp }) =>
      cp(join(context.scratch, 'examples/Split-all'), join(foreign, 'Split-all'), { recursive: true }),
    )
    return {
      tree: { 'Deep/er/a b\\né.txt': 'x', 'deep.txt': Uint8Array.of(0, 255), '.hidden': '' },
      bytes: new Uint8Array(0),
      json: { '': null, constructor: [1, 'é'] },
      words: ['two', 'one'],
      model: { format: 'own', metadata: { a: 1 }, files: { 'w.bin': Uint8Array.of(7) } },
    }
  },
})

export const read = step({
  name: 'read',
  inputs: make.definition.outputs,
  outputs: { seen: JsonArtifact, tree: FileTree },
  run: async ({ inputs: { tree, bytes, json, words, model, foreign } }) => ({
    seen: {
      tree: tree.files,
      deep: [...(await tree.read('deep.txt'))],
      bytes: bytes.length,
      json,
      words,
      model: [...(await model.read('w.bin'))],
      file: (await readFile(join(model.directory, 'w.bin'))).length,
      rows: foreign.rows('all'),
    },
    tree,
  }),
})
`

it('artifacts of every general kind, and of a kind of one’s own, come to the next step as they were saved', async () => {
  project.write({
    'steps/kinds.ts': kinds,
    'pipeline.ts': `
import { pipeline } from 'zenml'
import { make, read } from './steps/kinds.ts'
export default pipeline('kinds', () => {
  read(make({}))
})
`,
  })
  project.commit()
  const run = await project.json('pipeline', 'run', 'pipeline.ts')
  expect(run.status, JSON.stringify(run, null, 1)).toBe('complete')
  const view = `.zenml/view/kinds/${run.run}`
  expect(JSON.parse(project.read(`${view}/read/seen/value.json`))).toEqual({
    tree: ['.hidden', 'Deep/er/a b\né.txt', 'deep.txt'],
    deep: [0, 255],
    bytes: 0,
    json: { '': null, constructor: [1, 'é'] },
    words: ['one', 'two'],
    model: [7],
    file: 1,
    rows: 2,
  })
  const digest = (step: number): string => run.steps[step].outputs.tree.digest
  expect(digest(1)).toBe(digest(0))
})
