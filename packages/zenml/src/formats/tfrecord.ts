import { type FileHandle, open } from 'node:fs/promises'
import { createGunzip } from 'node:zlib'
import { systemCode, ZenmlError } from '../base/errors.ts'
import { maskedCrc32c } from './crc32c.ts'

/**
 * Records of a TFRecord file that lie side by side in one buffer. Valid until the next block is asked for: the buffer is used
 * again.
 */
export interface RecordBlock {
  readonly bytes: Uint8Array
  readonly view: DataView
  /** Number of records. */
  readonly count: number
  /** Record i is `bytes[starts[i] .. ends[i]]`. */
  readonly starts: Uint32Array
  readonly ends: Uint32Array
  /** Number of records of the file before this block. */
  readonly first: number
  /** Place of `bytes[0]` in the (uncompressed) stream. */
  readonly offset: number
}

/** Options of `readRecordBlocks`. */
export interface ReadRecordsOptions {
  /** `lengths` leaves the checksums of the data to the caller, by `checkRecord`. Default `all`. */
  readonly checksums?: 'all' | 'lengths' | undefined
  /** Used again from file to file, by one reader at a time: to have the system clear new memory for each costs as much as reading it. */
  readonly buffers?: RecordBuffers | undefined
  readonly signal?: AbortSignal | undefined
  /** What messages call the file. Default its path. */
  readonly name?: string | undefined
}

const chunkBytes = 1 << 20

/** The memory that a reader needs. */
export class RecordBuffers {
  /** Filled by turns. */
  readonly chunks: readonly [Uint8Array, Uint8Array] = [new Uint8Array(chunkBytes), new Uint8Array(chunkBytes)]
  bytes: Uint8Array = new Uint8Array(chunkBytes + (chunkBytes >> 3))
  readonly starts: Uint32Array = new Uint32Array((this.bytes.length >> 4) + 1)
  readonly ends: Uint32Array = new Uint32Array(this.starts.length)
}

/** Bytes before and after each record's data: length (8), its CRC (4); CRC of the data (4). */
export const frameHeader = 12
/** See `frameHeader`. */
export const frameFooter = 4

/** No record may be longer: 256 MiB. TensorFlow itself stops at 2 GiB, the limit of a protocol buffer. */
export const maxRecordBytes: number = 256 * 1024 * 1024

/**
 * Reads a TFRecord file, gzip or plain (told by its content), block by block in memory bounded by the longest record. Every
 * CRC is checked. Throws `ZEN_TFRECORD_CORRUPT` for damage and truncation, with the file, the number of the record (from 0)
 * and the byte offset of its frame in the (uncompressed) stream; `ZEN_TFRECORD_MISSING` where there is no file. Messages
 * call the file `name` (default its path).
 *
 * Format: https://www.tensorflow.org/tutorials/load_data/tfrecord#tfrecords_format_details
 */
export async function* readRecordBlocks(
  path: string,
  options: ReadRecordsOptions = {},
): AsyncGenerator<RecordBlock, void, undefined> {
  const { name = path } = options
  const file = await opened(path, name)
  try {
    yield* blocksOf(file, name, options)
  } finally {
    await file.close()
  }
}

/** Checks the data of one record of a block by its checksum. Throws as `readRecordBlocks`; `path` names the file in the error. */
export function checkRecord(block: RecordBlock, record: number, path: string): void {
  const [start, end] = [block.starts[record]!, block.ends[record]!]
  if (block.view.getInt32(end, true) === maskedCrc32c(block.bytes, start, end)) return
  throw corrupt(path, block.first + record, block.offset + start - frameHeader, badData)
}

const badData = 'the checksum of its data does not match'

async function opened(path: string, name: string): Promise<FileHandle> {
  try {
    return await open(path)
  } catch (error) {
    if (systemCode(error) !== 'ENOENT') throw error
    throw new ZenmlError('ZEN_TFRECORD_MISSING', `There is no file ${name}.`, {
      facts: { file: name },
      next: 'Restore the file, or make the artifact again.',
      exitCode: 1,
      cause: error,
    })
  }
}

async function* blocksOf(
  file: FileHandle,
  path: string,
  { checksums = 'all', signal, buffers = new RecordBuffers() }: ReadRecordsOptions,
): AsyncGenerator<RecordBlock, void, undefined> {
  const { size } = await file.stat()
  const [head] = buffers.chunks
  const { bytesRead } = await file.read(head, 0, chunkBytes, 0)
  const zipped = bytesRead >= 2 && head[0] === 0x1f && head[1] === 0x8b && !isLengthHeader(head, bytesRead)
  const chunks = zipped ? unzipped(file, path) : plain(file, buffers.chunks, bytesRead, size)
  /** Offset in the stream of buffer[0]. */
  let offset = 0
  let buffer = buffers.bytes
  let view = new DataView(buffer.buffer)
  let filled = 0
  let first = 0
  const { starts, ends } = buffers

  for await (const chunk of chunks) {
    signal?.throwIfAborted()
    let taken = 0
    while (taken < chunk.length) {
      if (filled === buffer.length) {
        // One record fills the buffer: double it. What is allocated is never more than twice what was really read.
        const larger = new Uint8Array(buffer.length * 2)
        larger.set(buffer)
        buffer = larger
        buffers.bytes = larger
        view = new DataView(buffer.buffer)
      }
      const part = Math.min(chunk.length - taken, buffer.length - filled)
      buffer.set(chunk.subarray(taken, taken + part), filled)
      taken += part
      filled += part

      let at = 0
      for (;;) {
        let count = 0
        while (filled - at >= frameHeader && count < starts.length) {
          if (view.getInt32(at + 8, true) !== checksumOfLength(buffer, view, at)) {
            throw corrupt(path, first + count, offset + at, 'the checksum of its length does not match')
          }
          const length = view.getUint32(at, true) + view.getUint32(at + 4, true) * 0x100000000
          const next = at + frameHeader + length + frameFooter
          if (length > maxRecordBytes) {
            throw corrupt(path, first + count, offset + at, `it claims ${length} bytes, more than ${maxRecordBytes}`)
          }
          if (!zipped && offset + next > size) {
            throw corrupt(
              path,
              first + count,
              offset + at,
              `it is cut off: it has ${length} bytes, but the file ends before`,
            )
          }
          if (next > filled) break
          const end = next - frameFooter
          if (checksums === 'all' && view.getInt32(end, true) !== maskedCrc32c(buffer, at + frameHeader, end)) {
            throw corrupt(path, first + count, offset + at, badData)
          }
          starts[count] = at + frameHeader
          ends[count] = end
          count++
          at = next
        }
        if (count === 0) break
        yield { bytes: buffer, view, count, starts, ends, first, offset }
        first += count
      }
      buffer.copyWithin(0, at, filled)
      offset += at
      filled -= at
    }
  }
  if (filled > 0) throw corrupt(path, first, offset, `it is cut off: only ${filled} bytes of it are there`)
}

/** The checksum of a length that begins at `at`. */
function checksumOfLength(buffer: Uint8Array, view: DataView, at: number): number {
  const length = view.getUint32(at, true)
  if (length >= knownLengths.length || view.getInt32(at + 4, true) !== 0) return maskedCrc32c(buffer, at, at + 8)
  knownLengths[length] ||= maskedCrc32c(buffer, at, at + 8)
  return knownLengths[length]!
}

/** Checksums of small lengths as far as they have come up, else 0: the lengths of a file are few, and to look one up is quicker. */
const knownLengths = new Int32Array(4096)

/** Whether bytes begin with a length and the right checksum of it: then they are no gzip header, whatever they look like. */
function isLengthHeader(head: Uint8Array, length: number): boolean {
  return length >= frameHeader && new DataView(head.buffer).getInt32(8, true) === maskedCrc32c(head, 0, 8)
}

/**
 * The file's bytes in two buffers taken by turns, the next read under way while the last is worked on. The first buffer holds `filled` bytes of
 * the file's `size` already.
 */
async function* plain(
  file: FileHandle,
  buffers: RecordBuffers['chunks'],
  filled: number,
  size: number,
): AsyncGenerator<Uint8Array, void, undefined> {
  let turn: 0 | 1 = 0
  let bytesRead = filled
  let position = 0
  let reading: Promise<{ readonly bytesRead: number }> | undefined
  try {
    while (bytesRead > 0) {
      position += bytesRead
      const chunk = buffers[turn].subarray(0, bytesRead)
      turn = turn === 0 ? 1 : 0
      reading = position < size ? file.read(buffers[turn], 0, chunkBytes, position) : undefined
      // A failure is thrown by the `await` below; without this, one would be reported as unhandled before we get there.
      reading?.catch(() => undefined)
      yield chunk
      bytesRead = (await reading)?.bytesRead ?? 0
    }
  } finally {
    // The handle must not be closed under a read that is still under way.
    await Promise.allSettled([reading])
  }
}

async function* unzipped(file: FileHandle, path: string): AsyncGenerator<Uint8Array, void, undefined> {
  const source = file.createReadStream({ start: 0, autoClose: false, highWaterMark: 1 << 18 })
  const gunzip = createGunzip({ chunkSize: 1 << 18 })
  source.on('error', (error) => gunzip.destroy(error))
  source.pipe(gunzip)
  try {
    for await (const chunk of gunzip) yield chunk as Uint8Array
  } catch (error) {
    const code = typeof error === 'object' && error !== null && 'code' in error ? String(error.code) : ''
    if (!code.startsWith('Z_')) throw error
    throw new ZenmlError('ZEN_TFRECORD_CORRUPT', `${path}: the gzip stream is damaged or cut off (${code}).`, {
      facts: { file: path, reason: code },
      next: 'Restore the file, or make the artifact again.',
      exitCode: 1,
      cause: error,
    })
  } finally {
    source.destroy()
    gunzip.destroy()
  }
}

function corrupt(path: string, record: number, offset: number, reason: string): ZenmlError {
  return new ZenmlError('ZEN_TFRECORD_CORRUPT', `${path}: record ${record} at byte ${offset} is damaged: ${reason}.`, {
    facts: { file: path, record, offset, reason },
    next: 'Restore the file, or make the artifact again.',
    exitCode: 1,
  })
}
