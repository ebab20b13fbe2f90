import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { gzipSync } from 'node:zlib'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { ZenmlError } from '../../src/base/errors.ts'
import { maskedCrc32c } from '../../src/formats/crc32c.ts'
import { readRecordBlocks } from '../../src/formats/tfrecord.ts'
import { temporary } from './temporary.ts'

async function records(path: string): Promise<Buffer[]> {
  const found: Buffer[] = []
  for await (const { bytes, starts, ends, count, first } of readRecordBlocks(path)) {
    expect(first).toBe(found.length)
    for (let index = 0; index < count; index++) found.push(Buffer.from(bytes.slice(starts[index], ends[index])))
  }
  return found
}

function frame(data: Uint8Array): Buffer {
  const bytes = Buffer.alloc(data.length + 16)
  bytes.writeBigUInt64LE(BigInt(data.length), 0)
  bytes.writeInt32LE(maskedCrc32c(bytes, 0, 8), 8)
  bytes.set(data, 12)
  bytes.writeInt32LE(maskedCrc32c(bytes, 12, 12 + data.length), 12 + data.length)
  return bytes
}

/** The header of a record with any length and the right checksum. */
function header(length: bigint): Buffer {
  const bytes = Buffer.alloc(12)
  bytes.writeBigUInt64LE(length, 0)
  bytes.writeInt32LE(maskedCrc32c(bytes, 0, 8), 8)
  return bytes
}

function file(content: Uint8Array): string {
  const path = join(temporary(), 'data')
  writeFileSync(path, content)
  return path
}

async function refusal(path: string): Promise<ZenmlError> {
  const error = await records(path).then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(ZenmlError)
  expect((error as ZenmlError).code).toBe('ZEN_TFRECORD_CORRUPT')
  expect((error as ZenmlError).message).toContain(path)
  return error as ZenmlError
}

it('frames a record as TensorFlow does', () => {
  expect(frame(Buffer.from('abc')).toString('hex')).toBe('0300000000000000b099490e6162636e57f121')
})

it('reads records of any length, plain and gzip, in one piece and in several', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.uint8Array({ maxLength: 300 }), { maxLength: 20 }), fc.nat(20), async (items, cut) => {
      const frames = items.map(frame)
      expect(await records(file(Buffer.concat(frames)))).toEqual(items.map((item) => Buffer.from(item)))
      const members = [frames.slice(0, cut), frames.slice(cut)].map((part) => gzipSync(Buffer.concat(part)))
      expect(await records(file(Buffer.concat(members)))).toEqual(items.map((item) => Buffer.from(item)))
    }),
    { numRuns: 30 },
  )
})

it('reads files and records that are larger than its buffers', async () => {
  const sizes = [1, 3_000_000, 0, 1 << 20, 70_000, (1 << 20) + (1 << 17), 5]
  const items = sizes.map((size, seed) =>
    Buffer.from(Uint8Array.from({ length: size }, (_, index) => (index * 7 + seed) & 255)),
  )
  const content = Buffer.concat(items.map(frame))
  for (const path of [file(content), file(gzipSync(content, { level: 1 }))]) {
    const found = await records(path)
    expect(found.map((record) => record.length)).toEqual(sizes)
    expect(found.every((record, index) => record.equals(items[index]!))).toBe(true)
  }
})

it('reads many small records behind one large one', async () => {
  const small = Array.from({ length: 200_000 }, (_, index) => Buffer.from([index & 255]))
  const items = [Buffer.alloc(4 << 20, 1), ...small]
  const found = await records(file(Buffer.concat(items.map(frame))))
  expect(found.length).toBe(items.length)
  expect(found.at(-1)).toEqual(small.at(-1))
})

it('tells gzip by more than its first two bytes: a length may begin like it', async () => {
  const data = Buffer.alloc(0x8b1f, 7)
  const content = frame(data)
  expect([content[0], content[1]]).toEqual([0x1f, 0x8b])
  expect((await records(file(content)))[0]!.equals(data)).toBe(true)
})

it('reads an empty file as no records', async () => {
  expect(await records(file(Buffer.alloc(0)))).toEqual([])
})

it('says which record is damaged and where', async () => {
  const content = Buffer.concat(['one', 'two', 'three'].map((text) => frame(Buffer.from(text))))
  content[19 + 13]! ^= 1
  expect((await refusal(file(content))).facts).toMatchObject({ record: 1, offset: 19 })
  expect((await refusal(file(gzipSync(content)))).facts).toMatchObject({ record: 1, offset: 19 })
})

it('says that a record is cut off', async () => {
  const content = Buffer.concat(['one', 'two'].map((text) => frame(Buffer.from(text))))
  for (const cut of [1, 5, 11, 12, 14, 18]) {
    const short = content.subarray(0, 19 + cut)
    for (const path of [file(short), file(gzipSync(short))]) {
      const { facts, message } = await refusal(path)
      expect(facts).toMatchObject({ record: 1, offset: 19 })
      expect(message).toContain('cut off')
    }
  }
  await refusal(file(gzipSync(content).subarray(0, 30)))
})

it('never allocates what a length claims', async () => {
  const before = process.memoryUsage().arrayBuffers
  for (const length of [2n ** 63n, 2n ** 64n - 1n, 2n ** 40n, 2n ** 28n + 1n, 200_000_000n]) {
    const content = Buffer.concat([header(length), Buffer.alloc(50)])
    await refusal(file(content))
    await refusal(file(gzipSync(content)))
  }
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(64 << 20)
})

it('ends in records or in a ZEN_TFRECORD_CORRUPT whatever bytes a file has', async () => {
  const content = Buffer.concat(Array.from({ length: 12 }, (_, index) => frame(Buffer.alloc(index * 5, index))))
  const path = join(temporary(), 'damaged')
  const edit = fc.record({ at: fc.nat(content.length * 2), byte: fc.nat(255) })
  const cut = fc.option(fc.nat(content.length), { nil: undefined })
  await fc.assert(
    fc.asyncProperty(fc.array(edit, { maxLength: 4 }), cut, fc.boolean(), async (edits, keep, zipped) => {
      const bytes = Buffer.from(zipped ? gzipSync(content) : content)
      for (const { at, byte } of edits) bytes[at % bytes.length] = byte
      writeFileSync(path, bytes.subarray(0, keep ?? bytes.length))
      try {
        await records(path)
      } catch (error) {
        expect(error).toBeInstanceOf(ZenmlError)
        expect((error as ZenmlError).code).toBe('ZEN_TFRECORD_CORRUPT')
      }
    }),
    { numRuns: 200 },
  )
})

it('stops when it is told to, and lets a reader stop early', async () => {
  const path = file(Buffer.concat(Array.from({ length: 50 }, () => frame(Buffer.alloc(100_000)))))
  for await (const block of readRecordBlocks(path)) {
    expect(block.count).toBeGreaterThan(0)
    break
  }
  const controller = new AbortController()
  const reading = (async () => {
    for await (const _ of readRecordBlocks(path, { signal: controller.signal })) controller.abort()
  })()
  await expect(reading).rejects.toThrow('aborted')
  expect(readFileSync(path).length).toBe(50 * 100_016)
})
