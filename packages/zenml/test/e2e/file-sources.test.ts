import { readdirSync, readFileSync } from 'node:fs'
import { createServer } from 'node:http'
import { createRequire } from 'node:module'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gzipSync } from 'node:zlib'
import { describe, expect, test } from 'vitest'
import { type TestProject, testProject } from '../support/project.ts'

const load = createRequire(import.meta.url)
const { PNG } = load('pngjs') as { PNG: { sync: { write(image: object): Buffer } } }
const jpeg = load('jpeg-js') as { encode(image: object, quality: number): { data: Buffer } }

function config(sources: { readonly [name: string]: string }): string {
  const names = Object.keys(sources)
  return [
    'version: 1\npipeline: files\ndatasources:',
    ...names.map((name) => `  ${name}: { ${sources[name]} }`),
    'steps:',
    ...names.map((name) => `  ${name}: { source: "zenml/steps#snapshot", inputs: { source: datasources.${name} } }`),
  ].join('\n')
}

/** Rows of the snapshot that a step made, in their order. */
// biome-ignore lint/suspicious/noExplicitAny: rows are read into freely
async function rowsOf(project: TestProject, run: any, step: string): Promise<any[]> {
  const { digest } = run.steps.find(({ name }: { name: string }) => name === step).outputs.examples
  const { rows } = await project.json('datasource', 'sample', digest, '--rows', '1000')
  return rows
    .sort((a: { row: number }, b: { row: number }) => a.row - b.row)
    .map(({ values }: { values: unknown }) => values)
}

describe('files of other kinds than tables', { timeout: 240_000 }, () => {
  test('the shards of a snapshot are a source that gives the same snapshot, from a folder and over HTTP', async () => {
    using project = testProject()
    project.write({ 'data/a.csv': 'id,name\n1,ada\n2,bob\n', 'csv.yaml': config({ a: 'path: data/a.csv' }) })
    const first = await project.json('pipeline', 'run', 'csv.yaml')
    const shards = `.zenml/view/files/${first.run}/a/examples/Split-all`
    const [name] = readdirSync(join(project.root, shards))
    const bytes = readFileSync(join(project.root, shards, name!))
    project.write({ [`tfrecord/${name}.gz`]: gzipSync(bytes), 'tfrecord/readme.md': 'shards' })
    const server = createServer((request, response) => response.end(request.url === `/x/${name}` ? bytes : 'other'))
    await new Promise<void>((done) => server.listen(0, '127.0.0.1', done))
    try {
      const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/x/${name}`
      project.write({
        'tfrecord.yaml': config({ b: 'path: tfrecord, format: tfrecord', c: `type: http, url: "${url}"` }),
      })
      const run = await project.json('pipeline', 'run', 'tfrecord.yaml')
      expect(run.status, JSON.stringify(run)).toBe('complete')
      const digests = run.steps.map(
        (step: { outputs: { examples: { digest: string } } }) => step.outputs.examples.digest,
      )
      expect(digests).toEqual([first.steps[0].outputs.examples.digest, first.steps[0].outputs.examples.digest])
      project.write({ [`tfrecord/${name}.gz`]: gzipSync(bytes).subarray(0, -9) })
      const cut = await project.json('pipeline', 'run', 'tfrecord.yaml')
      expect(cut.steps[0].error).toMatchObject({
        code: 'ZEN_TFRECORD_CORRUPT',
        message: expect.stringContaining(`tfrecord/${name}.gz`),
      })
    } finally {
      server.close()
    }
  })

  const tfx = fileURLToPath(new URL('../../../../../shared/tfx/csv_example_gen', import.meta.url))
  test.skipIf(!readable(tfx))(
    'the shards of TensorFlow Extended are one (skipped where the samples are absent)',
    async () => {
      using project = testProject()
      project.write({ 'tfx.yaml': config({ taxi: 'path: taxi, format: tfrecord' }) })
      for (const name of readdirSync(join(tfx, 'Split-train')))
        project.write({ [`taxi/${name}`]: readFileSync(join(tfx, 'Split-train', name)) })
      const run = await project.json('pipeline', 'run', 'tfx.yaml')
      expect(run.status).toBe('complete')
      expect((await project.zenml('datasource', 'list')).stdout).toContain('9909')
    },
  )

  test('a file that is written to while a step reads it leaves nothing, and its content before stays free of it', async () => {
    using project = testProject()
    project.write({
      'data.csv': 'id\n1\n',
      'steps/read.ts': `import { appendFileSync, readFileSync } from 'node:fs'
import { Source, step } from 'zenml'
import { JsonArtifact } from 'zenml/formats'
export const read = step({
  name: 'read', inputs: { source: Source }, outputs: { text: JsonArtifact },
  run: ({ inputs: { source } }) => {
    const [{ path }] = source.files
    if (readFileSync(path, 'utf8').length < 6) appendFileSync(path, '2\\n')
    return { text: readFileSync(path, 'utf8') }
  },
})
`,
      'read.yaml': `version: 1
pipeline: read
datasources: { data: { path: data.csv } }
steps: { read: { source: "steps/read.ts#read", inputs: { source: datasources.data } } }
`,
    })
    const first = await project.json('pipeline', 'run', 'read.yaml')
    expect(first.steps[0]).toMatchObject({ outcome: 'failed', error: { code: 'ZEN_SOURCE_CHANGED' }, outputs: {} })
    const second = await project.json('pipeline', 'run', 'read.yaml')
    expect(second.steps[0]).toMatchObject({ outcome: 'executed' })
    project.write({ 'data.csv': 'id\n1\n' })
    expect((await project.json('pipeline', 'run', 'read.yaml')).steps[0].outcome).toBe('failed')
  })

  test('texts are rows of documents or lines; a renamed file is another snapshot, a moved folder is not', async () => {
    using project = testProject()
    const sources = {
      whole: 'path: notes, format: text',
      lines: 'path: "notes/**/*.log", format: text, options: { rows: line }',
    }
    project.write({
      'notes/b/one.md': '# One\n\ntext\n',
      'notes/a.txt': 'first',
      'notes/x.log': 'l1\n\nl2\n',
      'texts.yaml': config(sources),
    })
    const run = await project.json('pipeline', 'run', 'texts.yaml')
    expect(await rowsOf(project, run, 'whole')).toEqual([
      { path: 'a.txt', text: 'first' },
      { path: 'b/one.md', text: '# One\n\ntext\n' },
    ])
    expect(await rowsOf(project, run, 'lines')).toEqual(['l1', 'l2'].map((text) => ({ path: 'x.log', text })))
    const moved = { 'other/b/one.md': '# One\n\ntext\n', 'other/a.txt': 'first' }
    project.write({ ...moved, 'moved.yaml': config({ whole: 'path: other, format: text' }) })
    expect((await project.json('pipeline', 'run', 'moved.yaml')).steps[0].outcome).toBe('reused')
    project.write({ 'renamed/b/two.md': '# One\n\ntext\n', 'renamed/a.txt': 'first' })
    project.write({ 'moved.yaml': config({ whole: 'path: renamed, format: text' }) })
    const renamed = await project.json('pipeline', 'run', 'moved.yaml')
    expect(renamed.steps[0].outcome).toBe('executed')
    expect((await rowsOf(project, renamed, 'whole'))[1].path).toBe('b/two.md')
    const verified = await project.json('pipeline', 'verify', run.run)
    expect(verified.verdict).toBe('reproduced')
  })

  test('the pipeline of the page on datasources learns shapes from a folder of small PNG and JPEG images', async () => {
    using project = testProject()
    const page = readFileSync(new URL('../../../../docs/datasources.md', import.meta.url), 'utf8')
    const [, code] = /^```ts\n([\s\S]*?trainLinear[\s\S]*?)^```$/m.exec(page)!
    project.write({ 'shapes.ts': code! })
    for (let index = 0; index < 60; index++) {
      const shape = index % 2 === 0 ? 'circle' : 'bar'
      const image = drawing(shape, 12 + (index % 5), index)
      const bytes = index % 3 === 0 ? PNG.sync.write(image) : jpeg.encode(image, 90).data
      project.write({ [`data/shapes/${shape}/${index}.${index % 3 === 0 ? 'png' : 'jpg'}`]: bytes })
    }
    const run = await project.json('pipeline', 'run', 'shapes.ts')
    expect(run.status, JSON.stringify(run)).toBe('complete')
    const [row] = await rowsOf(project, run, 'snapshot')
    expect(row).toMatchObject({ path: 'bar/1.jpg', label: 'bar', width: 13, height: 13, mode: 'RGB', channels: 3 })
    const { overall } = JSON.parse(project.read(`.zenml/view/shapes/${run.run}/evaluate/evaluation/evaluation.json`))
    expect(overall.rows).toBeGreaterThan(5)
    expect(overall.accuracy).toBeGreaterThan(0.9)

    project.write({ 'data/shapes/bar/9.png': 'no image' })
    const broken = await project.json('pipeline', 'run', 'shapes.ts')
    expect(broken.steps[0].error).toMatchObject({
      code: 'ZEN_SOURCE_IMAGE',
      message: expect.stringContaining('data/shapes/bar/9.png is no whole image'),
    })
  })
})

function readable(folder: string): boolean {
  try {
    return readdirSync(folder).length > 0
  } catch {
    return false
  }
}

/** A bright disc or an upright bar on a dark square with noise. */
function drawing(shape: string, side: number, seed: number): object {
  const data = Buffer.alloc(side * side * 4, 255)
  for (let y = 0; y < side; y++)
    for (let x = 0; x < side; x++) {
      const [a, b] = [(x + 0.5) / side - 0.5, (y + 0.5) / side - 0.5]
      const inside = shape === 'circle' ? a * a + b * b < 0.12 : Math.abs(a) < 0.12
      const noise = ((x * 7 + y * 13 + seed * 29) * 37) % 60
      data.fill((inside ? 180 : 20) + noise, (y * side + x) * 4, (y * side + x) * 4 + 3)
    }
  return { width: side, height: side, data }
}
