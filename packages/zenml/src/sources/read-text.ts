import { createReadStream } from 'node:fs'
import { open } from 'node:fs/promises'
import type { Readable } from 'node:stream'
import { TextDecoder } from 'node:util'
import { createGunzip } from 'node:zlib'
import { messageOf, ZenmlError } from '../base/errors.ts'
import type { SourceFile } from '../model/source-files.ts'

/** Encodings of text files. */
export type TextEncodingName = 'utf-8' | 'utf-16le' | 'utf-16be' | 'latin1'

/**
 * Reads a text file in pieces: gzip by its first bytes, the encoding by a byte order mark or as told (default UTF-8).
 *
 * Throws `ZEN_SOURCE_ENCODING` where the bytes are no text of the encoding, `ZEN_SOURCE_READ` where the file cannot be read.
 */
export async function* readText(
  file: SourceFile,
  encoding: TextEncodingName | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  const head = await firstBytes(file)
  let stream: Readable = createReadStream(file.path, {
    highWaterMark: 1 << 20,
    ...(signal === undefined ? {} : { signal }),
  })
  if (head[0] === 0x1f && head[1] === 0x8b) {
    const source = stream
    const gunzip = createGunzip()
    source.on('error', (error) => gunzip.destroy(error))
    stream = source.pipe(gunzip)
  }
  let decoder: TextDecoder | undefined
  let done = 0
  try {
    for await (const chunk of stream as AsyncIterable<Uint8Array>) {
      decoder ??= decoderOf(chunk, encoding)
      const text = decode(decoder, chunk, file, done)
      done += chunk.length
      if (text !== '') yield text
    }
    if (decoder !== undefined) {
      const rest = decode(decoder, undefined, file, done)
      if (rest !== '') yield rest
    }
  } catch (error) {
    if (error instanceof ZenmlError || signal?.aborted === true) throw error
    throw new ZenmlError('ZEN_SOURCE_READ', `${file.name} cannot be read: ${messageOf(error)}.`, {
      cause: error,
      exitCode: 1,
    })
  }
}

function decode(decoder: TextDecoder, chunk: Uint8Array | undefined, file: SourceFile, at: number): string {
  try {
    return chunk === undefined ? decoder.decode() : decoder.decode(chunk, { stream: true })
  } catch (error) {
    throw new ZenmlError(
      'ZEN_SOURCE_ENCODING',
      `${file.name} is no valid ${decoder.encoding} text, in the MiB from byte ${at}.`,
      {
        next: 'Name its encoding in the options: utf-8, utf-16le, utf-16be or latin1.',
        cause: error,
        exitCode: 1,
      },
    )
  }
}

function decoderOf(head: Uint8Array, encoding: TextEncodingName | undefined): TextDecoder {
  const marked =
    head[0] === 0xff && head[1] === 0xfe ? 'utf-16le' : head[0] === 0xfe && head[1] === 0xff ? 'utf-16be' : undefined
  // The label latin1 means windows-1252 to the decoder, as everywhere on the web; the two agree on all printable letters.
  return new TextDecoder(marked ?? encoding ?? 'utf-8', { fatal: true })
}

async function firstBytes(file: SourceFile): Promise<Uint8Array> {
  try {
    await using handle = await open(file.path, 'r')
    const buffer = new Uint8Array(2)
    await handle.read(buffer, 0, 2, 0)
    return buffer
  } catch (error) {
    throw new ZenmlError('ZEN_SOURCE_READ', `${file.name} cannot be read: ${messageOf(error)}.`, {
      cause: error,
      exitCode: 1,
    })
  }
}
