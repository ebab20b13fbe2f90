import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/base/json.ts'
import { runStep } from '../../src/define/run-step.ts'
import { readImageHeader } from '../../src/sources/image-header.ts'
import { resolveSource } from '../../src/sources/resolve-source.ts'
import { snapshot } from '../../src/sources/snapshot.ts'

interface Pixels {
  readonly width: number
  readonly height: number
  readonly data: Buffer
}
const load = createRequire(import.meta.url)
const { PNG } = load('pngjs') as { PNG: { sync: { write(image: Pixels, options?: object): Buffer } } }
const jpeg = load('jpeg-js') as { encode(image: Pixels, quality: number): { data: Buffer } }

const pixels = (width: number, height: number): Pixels => ({
  width,
  height,
  data: Buffer.from(Array.from({ length: width * height * 4 }, (_, at) => (at * 37) % 256)),
})
const png = (width: number, height: number, colorType = 6): Buffer =>
  PNG.sync.write(pixels(width, height), { colorType })
const jpg = (width: number, height: number): Buffer => jpeg.encode(pixels(width, height), 80).data
const gif = Buffer.from('47494638396103000200800000ffffff00000021f90401000000002c00000000030002000002024401003b', 'hex')
const webp = {
  lossy: Buffer.from('UklGRiIAAABXRUJQVlA4IBYAAAAwAQCdASoBAAEADsD+JaQAA3AAAAAA', 'base64'),
  lossless: Buffer.from('UklGRhoAAABXRUJQVlA4TA0AAAAvAAAAEAcQERGIiP4HAA==', 'base64'),
  extended: Buffer.from('524946461600000057454250565038580a00000010000000030000020000', 'hex'),
}
const bmp = Buffer.concat([
  Buffer.from('424d4600000000000000360000002800000003000000feffffff0100180000000000000000000000000000000000', 'hex'),
  Buffer.alloc(8 + 24),
])

describe('the header of an image', () => {
  it('says size and mode of PNG and JPEG as their encoders made them', () => {
    for (const [type, mode] of [
      [0, 'L'],
      [2, 'RGB'],
      [4, 'LA'],
      [6, 'RGBA'],
    ] as const)
      expect(readImageHeader(png(5, 3, type))).toEqual({ format: 'png', width: 5, height: 3, mode })
    expect(readImageHeader(jpg(300, 7))).toEqual({ format: 'jpeg', width: 300, height: 7, mode: 'RGB' })
  })

  it('says size and mode of GIF, WebP and BMP', () => {
    expect(readImageHeader(gif)).toEqual({ format: 'gif', width: 3, height: 2, mode: 'P' })
    expect(readImageHeader(webp.lossy)).toEqual({ format: 'webp', width: 1, height: 1, mode: 'RGB' })
    expect(readImageHeader(webp.lossless)).toEqual({ format: 'webp', width: 1, height: 1, mode: 'RGBA' })
    expect(readImageHeader(webp.extended)).toEqual({ format: 'webp', width: 4, height: 3, mode: 'RGBA' })
    expect(readImageHeader(bmp)).toEqual({ format: 'bmp', width: 3, height: 2, mode: 'RGB' })
  })

  it('reads an image in the middle of other bytes', () => {
    const image = png(4, 4)
    const around = Buffer.concat([Buffer.from('before'), image, Buffer.from('behind')])
    expect(readImageHeader(new Uint8Array(around).subarray(6, 6 + image.length)).width).toBe(4)
  })

  it('finds every image that is cut off', () => {
    for (const image of [png(9, 7), jpg(9, 7), gif, webp.lossy, webp.lossless, webp.extended, bmp])
      for (let length = 0; length < image.length; length++)
        expect(() => readImageHeader(image.subarray(0, length)), `${length} of ${image.length}`).toThrow(Error)
  })

  it('finds every bit that is flipped in a PNG', () => {
    const image = png(9, 7)
    fc.assert(
      fc.property(fc.nat(image.length - 1), fc.nat(7), (at, bit) => {
        const damaged = Buffer.from(image)
        damaged[at]! ^= 1 << bit
        expect(() => readImageHeader(damaged)).toThrow(/^(its|it|the) /)
      }),
      { numRuns: 500 },
    )
  })

  it('ends with a header or a reason whatever the bytes are', () => {
    const starts = [png(3, 3), jpg(3, 3), gif, webp.lossy, webp.lossless, webp.extended, bmp]
    fc.assert(
      fc.property(
        fc.constantFrom(...starts),
        fc.array(fc.tuple(fc.nat(400), fc.nat(255)), { maxLength: 6 }),
        fc.uint8Array({ maxLength: 40 }),
        (start, changes, behind) => {
          const bytes = Buffer.concat([start, behind])
          for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value
          try {
            const { width, height } = readImageHeader(bytes)
            expect([width, height].every((side) => Number.isSafeInteger(side) && side > 0)).toBe(true)
          } catch (error) {
            expect((error as Error).message).toMatch(/^(its|it|the|there) /)
          }
        },
      ),
      { numRuns: 3000 },
    )
  })
})

describe('a source of images', () => {
  const folders: string[] = []
  afterEach(() => {
    for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
  })

  async function read(
    files: { readonly [name: string]: string | Uint8Array },
    options: JsonObject = {},
    path = '.',
    // biome-ignore lint/suspicious/noExplicitAny: rows are read into freely
  ): Promise<any[]> {
    const root = mkdtempSync(join(tmpdir(), 'zenml-images-'))
    folders.push(root)
    for (const [name, content] of Object.entries(files)) {
      mkdirSync(dirname(join(root, name)), { recursive: true })
      writeFileSync(join(root, name), content)
    }
    const spec = { type: 'file' as const, path, format: 'image' as const, options }
    const found = await resolveSource(spec, { root, dataRoots: [] })
    const source = { format: 'image', options, files: found.files }
    await using trial = await runStep(snapshot, { inputs: { source } })
    const rows: unknown[] = []
    for await (const row of trial.outputs.examples.objects('all')) rows.push(row)
    return rows
  }

  it('has a row an image in the order of the paths: its bytes, its header, and its first folder as label', async () => {
    const files = { 'dog/b/x.png': png(4, 2), 'cat/1.jpg': jpg(3, 5), 'readme.md': 'pets', 'odd.gif': gif }
    const rows = await read(files)
    expect(rows.map(({ image, ...row }) => row)).toEqual([
      { path: 'cat/1.jpg', label: 'cat', format: 'jpeg', mode: 'RGB', channels: 3, width: 3, height: 5 },
      { path: 'dog/b/x.png', label: 'dog', format: 'png', mode: 'RGBA', channels: 4, width: 4, height: 2 },
      { path: 'odd.gif', label: null, format: 'gif', mode: 'P', channels: 1, width: 3, height: 2 },
    ])
    expect(rows.map(({ image }) => Buffer.from(image))).toEqual([files['cat/1.jpg'], files['dog/b/x.png'], gif])
  })

  it('has no label where there is no folder', async () => {
    const [row] = await read({ 'a.png': png(1, 1) })
    expect(Object.keys(row)).toEqual(['channels', 'format', 'height', 'image', 'mode', 'path', 'width'])
  })

  it('takes labels from a file: every column but the path, with its own kind', async () => {
    const files = { 'in/a.png': png(1, 1), 'in/b/c.png': png(2, 1) }
    const labels = 'path,label,age\nb/c.png,dog,4\n./a.png,,1.5\n'
    for (const path of ['in', 'in/**/*.png', 'in/**']) {
      const rows = await read({ ...files, 'in/labels.csv': labels }, { labels: './labels.csv' }, path)
      expect(rows.map(({ path, label, age }) => [path, label, age])).toEqual([
        ['a.png', null, 1.5],
        ['b/c.png', 'dog', 4],
      ])
    }
  })

  it.each([
    ['an image without a row', 'path,label\na.png,x\n', 'labels.csv has no row for b.png.'],
    ['a row without an image', 'path,label\na.png,x\nb.png,y\nc.png,z\n', 'has labels for c.png, which is none of'],
    ['an image with two rows', 'path,label\na.png,x\na.png,y\n', 'row 2 is the second for a.png'],
    ['a row without a path', 'path,label\na.png,x\n,y\n', 'row 2 has no path'],
    ['no column of paths', 'file,label\na.png,x\n', 'it needs the column "path"'],
    ['a column that images have already', 'path,width\na.png,1\n', 'its column "width" is what every image has'],
  ])('refuses a file of labels with %s', async (_name, labels, message) => {
    const files = { 'a.png': png(1, 1), 'b.png': png(1, 1), 'labels.csv': labels }
    await expect(read(files, { labels: 'labels.csv' })).rejects.toMatchObject({
      code: 'ZEN_SOURCE_LABELS',
      message: expect.stringContaining(message),
    })
  })

  it('refuses labels that lie elsewhere or are not there', async () => {
    const files = { 'a/a.png': png(1, 1), 'labels.csv': 'path,label\na.png,x\n' }
    await expect(read(files, { labels: '../labels.csv' }, 'a')).rejects.toMatchObject({ code: 'ZEN_SOURCE_OPTIONS' })
    await expect(read(files, { labels: 'labels.csv' }, 'a')).rejects.toMatchObject({ code: 'ZEN_SOURCE_MISSING' })
  })

  it('names an image that is none, or not whole', async () => {
    await expect(read({ 'a/x.png': png(1, 1), 'a/y.jpg': jpg(9, 9).subarray(0, -1) })).rejects.toMatchObject({
      code: 'ZEN_SOURCE_IMAGE',
      message: 'a/y.jpg is no whole image: it is cut off.',
    })
    await expect(read({ 'a/y.jpg': 'no image' })).rejects.toMatchObject({
      message: 'a/y.jpg is no whole image: its bytes are none of PNG, JPEG, GIF, WebP or BMP.',
    })
  })
})
