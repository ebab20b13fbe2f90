import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { TextDecoder, TextEncoder } from 'node:util'
import { createGunzip } from 'node:zlib'
import { messageOf, ZenmlError } from '../base/errors.ts'
import type { SourceFile } from '../model/source-files.ts'

/** Encodings of text files. */
export type TextEncodingName = 'utf-8' | 'utf-16le' | 'utf-16be' | 'latin1'

/** The byte order mark in UTF-8. */
const mark = [0xef, 0xbb, 0xbf]

/**
 * Reads a text file in pieces of UTF-8 without a byte order mark, cut anywhere: gzip by its first bytes, the encoding by a byte order
 * mark or as told (default UTF-8). The pieces are the caller's.
 *
 * Throws `ZEN_SOURCE_ENCODING` where the bytes are no text of the encoding, `ZEN_SOURCE_COMPRESSION` for a compression that is not
 * read, `ZEN_SOURCE_READ` where the file cannot be read.
 */
export async function* readUtf8(
  file: SourceFile,
  encoding: TextEncodingName | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Uint8Array> {
  const decode = await decoderOf(file, encoding, signal)
  try {
    /** The beginning, until it is long enough for a mark; then undefined. */
    let head: Uint8Array | undefined = new Uint8Array(0)
    for await (const chunk of await openPlain(file, signal)) {
      let piece = decode(chunk, false)
      if (head !== undefined) {
        if (head.length > 0) piece = Buffer.concat([head, piece])
        head = piece.length < mark.length ? piece : undefined
        if (head !== undefined) continue
        if (mark.every((byte, index) => piece[index] === byte)) piece = piece.subarray(mark.length)
      }
      yield piece
    }
    const rest = decode(new Uint8Array(0), true)
    if (head !== undefined && head.length > 0) yield head
    if (rest.length > 0) yield rest
  } catch (error) {
    if (error instanceof ZenmlError || signal?.aborted === true) throw error
    throw unreadable(file, error)
  }
}

/** Reads a text file in pieces as `readUtf8` does, as text. */
export async function* readText(
  file: SourceFile,
  encoding: TextEncodingName | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true })
  for await (const piece of readUtf8(file, encoding, signal)) {
    const text = decoder.decode(piece, { stream: true })
    if (text !== '') yield text
  }
}

type Decode = (chunk: Uint8Array, last: boolean) => Uint8Array

/** Turns the pieces of a file into valid UTF-8. */
async function decoderOf(
  file: SourceFile,
  encoding: TextEncodingName | undefined,
  signal: AbortSignal | undefined,
): Promise<Decode> {
  const name = await encodingOf(file, encoding, signal)
  let done = 0
  if (name === 'utf-8') {
    let cut: Uint8Array = new Uint8Array(0)
    return (chunk, last) => {
      const bytes = cut.length === 0 ? chunk : Buffer.concat([cut, chunk])
      const end = last ? bytes.length : wholeLetters(bytes)
      if (!isUtf8(bytes.subarray(0, end))) throw notText(file, name, done)
      done += chunk.length
      cut = bytes.subarray(end)
      return end === bytes.length ? bytes : bytes.subarray(0, end)
    }
  }
  // The label latin1 means windows-1252 to the decoder, as everywhere on the web; the two agree on all printable letters.
  const decoder = new TextDecoder(name, { fatal: true })
  const encoder = new TextEncoder()
  return (chunk, last) => {
    try {
      const text = last ? decoder.decode() : decoder.decode(chunk, { stream: true })
      done += chunk.length
      return encoder.encode(text)
    } catch (error) {
      throw notText(file, name, done, error)
    }
  }
}

/** Bytes up to the last letter that is whole. */
function wholeLetters(bytes: Uint8Array): number {
  for (let back = 1; back <= Math.min(3, bytes.length); back++) {
    const byte = bytes[bytes.length - back]!
    if (byte < 0x80) return bytes.length
    if (byte >= 0xc0) return byte >= (back === 1 ? 0xc0 : back === 2 ? 0xe0 : 0xf0) ? bytes.length - back : bytes.length
  }
  return bytes.length
}

async function encodingOf(
  file: SourceFile,
  encoding: TextEncodingName | undefined,
  signal: AbortSignal | undefined,
): Promise<TextEncodingName> {
  let head: Uint8Array = new Uint8Array(0)
  try {
    for await (const chunk of await openPlain(file, signal)) {
      head = head.length === 0 ? chunk : Buffer.concat([head, chunk])
      if (head.length > 2) break
    }
  } catch (error) {
    if (error instanceof ZenmlError || signal?.aborted === true) throw error
    throw unreadable(file, error)
  }
  if (head[0] === 0xff && head[1] === 0xfe) return 'utf-16le'
  if (head[0] === 0xfe && head[1] === 0xff) return 'utf-16be'
  if (mark.every((byte, index) => head[index] === byte)) return 'utf-8'
  // ASCII in UTF-16 is valid UTF-8 with a NUL beside every letter, which nobody means.
  if (encoding === undefined && head.length > 1 && (head[0] === 0) !== (head[1] === 0))
    throw new ZenmlError(
      'ZEN_SOURCE_ENCODING',
      `${file.name} looks like UTF-16 without a byte order mark: a NUL is among its first two bytes.`,
      {
        facts: { file: file.name },
        next: `Name its encoding in the options: ${head[0] === 0 ? 'utf-16be' : 'utf-16le'}.`,
        exitCode: 1,
      },
    )
  return encoding ?? 'utf-8'
}

const foreignCompressions: readonly { readonly name: string; readonly magic: readonly number[] }[] = [
  { name: 'zstd', magic: [0x28, 0xb5, 0x2f, 0xfd] },
  // "BZh" and a level from 1 to 9: not the text "BZhello".
  ...[1, 2, 3, 4, 5, 6, 7, 8, 9].map((level) => ({ name: 'bzip2', magic: [0x42, 0x5a, 0x68, 0x30 + level] })),
  { name: 'xz', magic: [0xfd, 0x37, 0x7a, 0x58] },
  { name: 'ZIP', magic: [0x50, 0x4b, 0x03, 0x04] },
]

/** The bytes of a file, unpacked where it is gzip. */
async function openPlain(file: SourceFile, signal: AbortSignal | undefined): Promise<AsyncIterable<Uint8Array>> {
  const head = await firstBytes(file)
  const foreign = foreignCompressions.find(({ magic }) => magic.every((byte, index) => head[index] === byte))
  if (foreign !== undefined) {
    throw new ZenmlError(
      'ZEN_SOURCE_COMPRESSION',
      `${file.name} is compressed with ${foreign.name}, which is not read.`,
      {
        facts: { file: file.name, compression: foreign.name },
        next: 'Unpack it, or pack it with gzip.',
        exitCode: 1,
      },
    )
  }
  const stream: Readable = createReadStream(file.path, {
    highWaterMark: 1 << 20,
    ...(signal === undefined ? {} : { signal }),
  })
  if (head[0] !== 0x1f || head[1] !== 0x8b) return stream
  const gunzip = createGunzip({ chunkSize: 1 << 18 })
  stream.on('error', (error) => gunzip.destroy(error))
  gunzip.on('close', () => stream.destroy())
  return stream.pipe(gunzip)
}

async function firstBytes(file: SourceFile): Promise<Uint8Array> {
  try {
    await using handle = await open(file.path, 'r')
    const buffer = new Uint8Array(4)
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, 0)
    return buffer.subarray(0, bytesRead)
  } catch (error) {
    throw unreadable(file, error)
  }
}

function notText(file: SourceFile, encoding: string, at: number, cause?: unknown): ZenmlError {
  return new ZenmlError(
    'ZEN_SOURCE_ENCODING',
    `${file.name} is no valid ${encoding} text, in the MiB from byte ${at}.`,
    {
      facts: { file: file.name, encoding, byte: at },
      next: 'Name its encoding in the options: utf-8, utf-16le, utf-16be or latin1.',
      cause,
      exitCode: 1,
    },
  )
}

function unreadable(file: SourceFile, error: unknown): ZenmlError {
  return new ZenmlError('ZEN_SOURCE_READ', `${file.name} cannot be read: ${messageOf(error)}.`, {
    cause: error,
    exitCode: 1,
  })
}
