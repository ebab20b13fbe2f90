// Images and documents, whose rows are large: the highest memory of any process of a pipeline that takes a snapshot of them, learns their statistics,
// splits and transforms them. What the files hold is told beside it.
import { closeSync, mkdirSync, openSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { crc32, deflateSync } from 'node:zlib'
import { cli, type TestProject, testEnvironment, testProject } from '../packages/zenml/test/support/project.ts'
import type { BenchRow } from './support/measure.ts'
import { peakOf } from './support/peak.ts'

const images = 3000
const documents = 2000
const documentLetters = 400_000

export async function run(): Promise<BenchRow[]> {
  return [
    await peakOfPipeline('images', writeImages, 'images', 'image: { transform: image, height: 128, width: 128 }'),
    await peakOfPipeline('documents', writeDocuments, 'data.jsonl', 'text: { transform: hashing, tokens: true }'),
  ]
}

async function peakOfPipeline(
  what: string,
  write: (project: TestProject) => number,
  path: string,
  transform: string,
): Promise<BenchRow> {
  using project = testProject()
  const bytes = write(project)
  const feature = transform.split(':')[0]!
  project.write({
    'pipeline.yaml': `version: 1
pipeline: large
datasources: { data: { path: ${path} } }
steps:
  snapshot: { source: "zenml/steps#snapshot", inputs: { source: datasources.data } }
  statistics: { source: "zenml/steps#statistics", inputs: { examples: snapshot.examples } }
  split: { source: "zenml/steps#split", inputs: { examples: snapshot.examples } }
  preprocess:
    source: "zenml/steps#preprocess"
    inputs: { examples: split.examples }
    parameters: { features: [${feature}], labels: [label], overwrite: { ${transform} } }
`.replace('path: images', 'path: images, format: image'),
    '.gitignore': 'node_modules/\n.zenml/\nimages/\ndata.jsonl\n',
  })
  project.commit()
  const { ms, megabytes } = await peakOf(process.execPath, [cli, 'pipeline', 'run', 'pipeline.yaml'], {
    cwd: project.root,
    env: testEnvironment,
  })
  console.log(
    `${what} of ${(bytes / 1e6).toFixed(0)} MB: ${(ms / 1000).toFixed(0)} s (whole run), peak ${megabytes} MB`,
  )
  return { bar: `${what} peak RSS, MB`, value: megabytes }
}

/** PNG images of 256 x 192 points that look like noise, in a folder a class. */
function writeImages(project: TestProject): number {
  const [width, height] = [256, 192]
  const rows = Buffer.alloc(height * (1 + width * 3))
  const header = Buffer.alloc(13)
  header.writeUInt32BE(width, 0)
  header.writeUInt32BE(height, 4)
  header.set([8, 2, 0, 0, 0], 8)
  for (const label of ['cat', 'dog']) mkdirSync(join(project.root, 'images', label), { recursive: true })
  let state = 1
  let bytes = 0
  for (let image = 0; image < images; image++) {
    for (let at = 0; at < rows.length; at++) {
      state = Math.imul(state, 1664525) + 1013904223
      rows[at] = at % (1 + width * 3) === 0 ? 0 : state >>> 24
    }
    const png = Buffer.concat([
      Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]),
      chunk('IHDR', header),
      chunk('IDAT', deflateSync(rows, { level: 0 })),
      chunk('IEND', Buffer.alloc(0)),
    ])
    writeFileSync(join(project.root, 'images', image % 2 === 0 ? 'cat' : 'dog', `${image}.png`), png)
    bytes += png.length
  }
  return bytes
}

function chunk(type: string, data: Buffer): Buffer {
  const body = Buffer.concat([Buffer.from(type, 'latin1'), data])
  const [length, sum] = [Buffer.alloc(4), Buffer.alloc(4)]
  length.writeUInt32BE(data.length)
  sum.writeUInt32BE(crc32(body))
  return Buffer.concat([length, body, sum])
}

/** JSON Lines with a long text a line. */
function writeDocuments(project: TestProject): number {
  const file = openSync(join(project.root, 'data.jsonl'), 'w')
  let bytes = 0
  try {
    const words = Array.from({ length: 5000 }, (_, index) => `word${index}`)
    for (let document = 0; document < documents; document++) {
      let text = ''
      for (let index = document; text.length < documentLetters; index = (index * 31 + 7) % 4999)
        text += `${words[index]} `
      bytes += writeSync(file, `${JSON.stringify({ label: document % 2 === 0 ? 'a' : 'b', text })}\n`)
    }
  } finally {
    closeSync(file)
  }
  return bytes
}
