import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { afterEach, expect, it } from 'vitest'
import type { JsonObject } from '../../src/base/json.ts'
import { runStep } from '../../src/define/run-step.ts'
import { findKinds, readSource } from '../../src/sources/read-source.ts'
import { resolveSource } from '../../src/sources/resolve-source.ts'
import { snapshot } from '../../src/sources/snapshot.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

/** The rows of a snapshot of these files in a folder. */
async function read(
  files: { readonly [name: string]: string | Uint8Array },
  options: JsonObject = {},
): Promise<unknown[]> {
  const root = mkdtempSync(join(tmpdir(), 'zenml-texts-'))
  folders.push(root)
  for (const [name, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true })
    writeFileSync(join(root, name), content)
  }
  const spec = { type: 'file' as const, path: '.', format: 'text' as const, options }
  const { files: found } = await resolveSource(spec, { root, dataRoots: [] })
  await using trial = await runStep(snapshot, { inputs: { source: { format: 'text', options, files: found } } })
  const rows: unknown[] = []
  for await (const row of trial.outputs.examples.objects('all')) rows.push(row)
  return rows
}

it('a document is a row with its text as it stands and its path, in the order of the paths', async () => {
  const files = {
    'b.md': '# B\r\n\r\ntext\n',
    'a/z.txt': '\ufeffé',
    'a.txt': 'first',
    'empty.txt': '',
    'c.csv': 'x\n1',
  }
  expect(await read(files)).toEqual([
    { path: 'a.txt', text: 'first' },
    { path: 'a/z.txt', text: 'é' },
    { path: 'b.md', text: '# B\r\n\r\ntext\n' },
    { path: 'empty.txt', text: '' },
  ])
})

it('lines are rows, whatever ends them, and blank ones are passed over', async () => {
  expect(await read({ 'a.txt': 'one\r\n\r\n two \r \t\rthree\n\nfour', 'b.txt': '\n\n' }, { rows: 'line' })).toEqual(
    ['one', ' two ', 'three', 'four'].map((text) => ({ path: 'a.txt', text })),
  )
})

it('paragraphs are the lines between blank ones', async () => {
  expect(await read({ 'a.md': '\n# Title\r\n\r\none\r\ntwo\n \t\n\n\nthree\n' }, { rows: 'paragraph' })).toEqual(
    ['# Title', 'one\ntwo', 'three'].map((text) => ({ path: 'a.md', text })),
  )
})

it('reads packed files and other encodings as CSV does', async () => {
  expect(await read({ 'a.txt.gz': gzipSync('é') })).toEqual([{ path: 'a.txt.gz', text: 'é' }])
  expect(await read({ 'a.txt': Buffer.from('é', 'latin1') }, { encoding: 'latin1' })).toEqual([
    { path: 'a.txt', text: 'é' },
  ])
  await expect(read({ 'a.txt': Buffer.from('é', 'latin1') })).rejects.toMatchObject({ code: 'ZEN_SOURCE_ENCODING' })
})

it('says what options there are', async () => {
  for (const options of [{ rows: 'word' }, { schema: { text: 'int' } }, { header: true }] as JsonObject[])
    await expect(read({ 'a.txt': 'x' }, options)).rejects.toMatchObject({ code: 'ZEN_SOURCE_OPTIONS' })
})

it('refuses a row that memory may not hold, with what helps', async () => {
  const long = { 'a.txt': Buffer.alloc((64 << 20) + 1, 'a') }
  await expect(read(long, { rows: 'line' })).rejects.toMatchObject({ code: 'ZEN_SOURCE_LIMIT' })
})

it('lines and paragraphs are those of the whole text, wherever it is cut and batched', async () => {
  const root = mkdtempSync(join(tmpdir(), 'zenml-texts-'))
  folders.push(root)
  const path = join(root, 'a.txt')
  const piece = fc.constantFrom('a', 'é', ' ', '\t', '\n', '\r', '\r\n', '\n\n', 'x'.repeat(70_000))
  await fc.assert(
    fc.asyncProperty(fc.array(piece, { maxLength: 60 }), fc.integer({ min: 1, max: 5 }), async (pieces, batchSize) => {
      const text = pieces.join('')
      writeFileSync(path, gzipSync(text))
      const all = text.split(/\r\n|\r|\n/)
      const isBlank = (line: string): boolean => /^[ \t]*$/.test(line)
      const paragraphs = [[]] as string[][]
      for (const line of all) isBlank(line) ? paragraphs.push([]) : paragraphs.at(-1)!.push(line)
      const wanted = {
        line: all.filter((line) => !isBlank(line)),
        paragraph: paragraphs.filter(({ length }) => length > 0).map((lines) => lines.join('\n')),
        document: [text],
      }
      for (const [rows, texts] of Object.entries(wanted)) {
        const source = { format: 'text', options: { rows }, files: [{ name: 'a', inner: 'a', path, size: 1 }] }
        const found: string[] = []
        for await (const { columns, length } of readSource(source, await findKinds(source), { batchSize })) {
          const column = columns.get('text')!
          if (column.kind !== 'bytes') throw new Error('texts are bytes')
          for (let row = 0; row < length; row++)
            found.push(new TextDecoder().decode(column.data.subarray(row && column.ends[row - 1]!, column.ends[row])))
        }
        expect(found).toEqual(texts)
      }
    }),
    { numRuns: 60 },
  )
})
