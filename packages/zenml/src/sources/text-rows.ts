import { ZenmlError } from '../base/errors.ts'
import type { ExampleBatch, FeatureKind } from '../formats/batch.ts'
import type { SourceFile } from '../model/source-files.ts'
import { readUtf8, type TextEncodingName } from './read-text.ts'
import { SizedRows } from './sized-rows.ts'

/** How text files become rows. */
export interface TextOptions {
  /**
   * `document`: a row a file, its text as it stands. `line`: a row a line. `paragraph`: a row for lines without a blank one between, joined by
   * line feeds. Blank lines (nothing but spaces and tabs) are passed over. Default `document`.
   */
  readonly rows?: 'document' | 'line' | 'paragraph'
  /** Default UTF-8, or what a byte order mark says. */
  readonly encoding?: TextEncodingName
}

/** The features of a source of texts. */
export const textKinds: ReadonlyMap<string, FeatureKind> = new Map([
  ['path', 'bytes'],
  ['text', 'bytes'],
])

/** Bytes of UTF-8 that a row may have, so that memory stays bounded. */
const largestRow = 64 << 20

/**
 * Reads text files as batches: rows in the order of the files, each with its `text` in UTF-8 and the `path` of its file.
 *
 * Throws `ZEN_SOURCE_LIMIT` for a row of more than 64 MiB, and what `readUtf8` throws.
 */
export async function* readTexts(
  files: readonly SourceFile[],
  { rows = 'document', encoding }: TextOptions,
  batchSize: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<ExampleBatch> {
  const gathered = new SizedRows(textKinds, batchSize)
  for (const file of files) {
    const pieces = readUtf8(file, encoding, signal)
    const texts =
      rows === 'document'
        ? document(pieces, file)
        : rows === 'line'
          ? written(lines(pieces, file))
          : paragraphs(lines(pieces, file), file)
    for await (const text of texts) {
      const full = gathered.add({ path: file.inner, text }, text.length)
      if (full !== undefined) yield full
    }
  }
  const rest = gathered.rest()
  if (rest !== undefined) yield rest
}

async function* document(pieces: AsyncIterable<Uint8Array>, file: SourceFile): AsyncGenerator<Uint8Array> {
  const text = new Parts(file, 'text')
  for await (const piece of pieces) text.add(piece)
  yield text.take()
}

/** Lines without what ends them: LF, CR or CRLF. A text that ends with a line end has no line behind it. */
async function* lines(pieces: AsyncIterable<Uint8Array>, file: SourceFile): AsyncGenerator<Uint8Array> {
  const line = new Parts(file, 'line')
  let afterCr = false
  for await (const piece of pieces) {
    let start = 0
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at]!
      const ends = byte === lf || byte === cr
      // The second half of a CRLF ends nothing.
      if (ends && !(byte === lf && afterCr)) {
        line.add(piece.subarray(start, at))
        yield line.take()
      }
      if (ends) start = at + 1
      afterCr = byte === cr
    }
    line.add(piece.subarray(start))
  }
  if (!line.isEmpty) yield line.take()
}

async function* written(all: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const line of all) if (!isBlank(line)) yield line
}

async function* paragraphs(all: AsyncIterable<Uint8Array>, file: SourceFile): AsyncGenerator<Uint8Array> {
  const paragraph = new Parts(file, 'paragraph')
  for await (const line of all) {
    if (!isBlank(line)) {
      if (!paragraph.isEmpty) paragraph.add(lineFeed)
      paragraph.add(line)
    } else if (!paragraph.isEmpty) yield paragraph.take()
  }
  if (!paragraph.isEmpty) yield paragraph.take()
}

/** A text in pieces, as long as it is not whole. */
class Parts {
  private readonly file: SourceFile
  private readonly what: string
  private parts: Uint8Array[] = []
  private length = 0

  constructor(file: SourceFile, what: string) {
    this.file = file
    this.what = what
  }

  get isEmpty(): boolean {
    return this.length === 0
  }

  add(part: Uint8Array): void {
    if (part.length === 0) return
    this.parts.push(part)
    this.length += part.length
    if (this.length > largestRow)
      throw new ZenmlError('ZEN_SOURCE_LIMIT', `${this.file.name} has a ${this.what} of more than 64 MiB.`, {
        facts: { file: this.file.name },
        next: 'Cut it into smaller files, or read it with the option rows: line or paragraph.',
        exitCode: 1,
      })
  }

  take(): Uint8Array {
    const whole = this.parts.length === 1 ? this.parts[0]! : Buffer.concat(this.parts)
    this.parts = []
    this.length = 0
    return whole
  }
}

const lf = 0x0a
const cr = 0x0d
const lineFeed = Uint8Array.of(lf)

function isBlank(line: Uint8Array): boolean {
  return line.every((byte) => byte === 0x20 || byte === 0x09)
}
