import { ZenmlError } from '../base/errors.ts'
import type { ExampleBatch, FeatureKind } from '../formats/batch.ts'
import type { SourceFile } from '../model/source-files.ts'
import { BatchFiller, KindFinder, MissingTexts, type RecordEnd } from './csv-cells.ts'
import { type CellSink, CsvScanner } from './csv-scan.ts'
import type { KindsSoFar } from './kinds.ts'
import { readUtf8, type TextEncodingName } from './read-text.ts'

/** How a CSV file is written. */
export interface CsvOptions {
  /** One ASCII character; guessed from the first line among `,` tab `;` `|` where it is left out. */
  readonly delimiter?: string
  /** One ASCII character. Default `"`. */
  readonly quote?: string
  /** False: no line with names; the columns are `columns`, or column1, column2 … Default true. */
  readonly header?: boolean
  readonly columns?: readonly string[]
  /** Cells that mean a missing value. Default only the empty one. */
  readonly missing?: readonly string[]
  /** Default UTF-8, or what a byte order mark says. */
  readonly encoding?: TextEncodingName
}

/**
 * Finds the kinds of CSV files: all of their rows, or those of the first window of each where `sample` is true. A feature whose kind
 * stays undefined had no value.
 *
 * Throws `ZEN_CSV_RAGGED`, `ZEN_CSV_QUOTE`, `ZEN_CSV_RECORD` and `ZEN_CSV_HEADER` with file, record and line.
 */
export async function findCsvKinds(
  files: readonly SourceFile[],
  options: CsvOptions,
  sample: boolean,
  signal: AbortSignal | undefined,
): Promise<KindsSoFar> {
  const kinds: KindsSoFar = new Map()
  const missing = new MissingTexts(options.missing ?? [''])
  for (const file of files) {
    const csv = await CsvFile.open(file, options, signal)
    try {
      const finder = new KindFinder(
        csv.names,
        kinds,
        missing,
        csv.checked(() => true),
      )
      do csv.scan(finder)
      while (!sample && (await csv.advance()))
      finder.addTo(kinds)
    } finally {
      await csv.close()
    }
  }
  return kinds
}

/**
 * Reads CSV files as batches of the kinds given: bytes go to columns without a string between.
 *
 * Throws what `findCsvKinds` throws, `KindMismatch` where a value does not fit a kind that `schema` does not name, and
 * `ZEN_SOURCE_VALUE` where it does not fit one that it names.
 */
export async function* readCsv(
  files: readonly SourceFile[],
  options: CsvOptions,
  kinds: ReadonlyMap<string, FeatureKind | undefined>,
  schema: { readonly [feature: string]: FeatureKind },
  batchSize: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<ExampleBatch> {
  const filler = new BatchFiller(kinds, schema, new MissingTexts(options.missing ?? ['']), batchSize)
  for (const file of files) {
    const csv = await CsvFile.open(file, options, signal)
    try {
      filler.begin(file.name, csv.names)
      filler.endRecord = csv.checked(() => filler.endRow())
      do {
        while (!csv.scan(filler)) yield filler.take()
      } while (await csv.advance())
      if (filler.rows > 0) yield filler.take()
    } finally {
      await csv.close()
    }
  }
}

/** A CSV file with its header read, and the window of its bytes that is looked at. */
class CsvFile {
  readonly names: readonly string[]
  private readonly file: SourceFile
  private readonly scanner: CsvScanner
  private readonly window: Window
  private record = 0

  private constructor(file: SourceFile, names: readonly string[], scanner: CsvScanner, window: Window) {
    this.file = file
    this.names = names
    this.scanner = scanner
    this.window = window
  }

  static async open(file: SourceFile, options: CsvOptions, signal: AbortSignal | undefined): Promise<CsvFile> {
    const { delimiter, quote = '"', header = true, columns } = options
    const window = new Window(readUtf8(file, options.encoding, signal))
    try {
      const quoteByte = quote.charCodeAt(0)
      const first = new FirstRecord()
      for (;;) {
        await window.advance()
        const separator = delimiter?.charCodeAt(0) ?? guessDelimiter(window.bytes, quoteByte)
        const scanner = new CsvScanner(file.name, separator, quoteByte)
        const end = scanner.scan(window.bytes, 0, window.bytes.length, window.final, first.anew())
        if (!scanner.stopped && !window.final) continue
        if (header && scanner.stopped) {
          if (columns === undefined) checkNames(first.cells, file, first.line)
          window.at = end
          return new CsvFile(file, columns ?? first.cells, scanner, window)
        }
        // The first record is data: it is scanned again, from the start.
        const names = columns ?? first.cells.map((_, index) => `column${index + 1}`)
        return new CsvFile(file, names, new CsvScanner(file.name, separator, quoteByte), window)
      }
    } catch (error) {
      await window.close()
      throw error
    }
  }

  /** Gives the records of the window to a sink; false where the sink wants no more for now. */
  scan(sink: CellSink): boolean {
    const { window } = this
    window.at = this.scanner.scan(window.bytes, window.at, window.bytes.length, window.final, sink)
    return !this.scanner.stopped
  }

  /** Moves the window on; false at the end of the file. */
  advance(): Promise<boolean> {
    return this.window.advance()
  }

  close(): Promise<void> {
    return this.window.close()
  }

  /** What to do at the end of a record, after the check that it has as many cells as there are names. */
  checked(then: () => boolean): RecordEnd {
    const expected = this.names.length
    return (cells, line) => {
      this.record++
      if (cells !== expected) throw ragged(this.file, this.record, line, cells, expected)
      return then()
    }
  }
}

/** The bytes of a file that are in memory: what is not scanned yet. */
class Window {
  bytes: Uint8Array = new Uint8Array(0)
  /** Where the next record starts. */
  at = 0
  /** Whether nothing follows. */
  final = false
  private readonly pieces: AsyncIterator<Uint8Array>

  constructor(pieces: AsyncIterable<Uint8Array>) {
    this.pieces = pieces[Symbol.asyncIterator]()
  }

  /** Drops what is scanned and adds the next piece; false where the end was reached before. */
  async advance(): Promise<boolean> {
    if (this.final) return false
    const { done, value } = await this.pieces.next()
    if (done === true) this.final = true
    else {
      this.bytes = this.at === this.bytes.length ? value : Buffer.concat([this.bytes.subarray(this.at), value])
      this.at = 0
    }
    return true
  }

  async close(): Promise<void> {
    await this.pieces.return?.()
  }
}

/** Keeps the cells of the first record as texts. */
class FirstRecord implements CellSink {
  cells: string[] = []
  line = 1
  private readonly decoder = new TextDecoder('utf-8', { ignoreBOM: true })

  anew(): FirstRecord {
    this.cells = []
    return this
  }

  cell(_index: number, bytes: Uint8Array, start: number, end: number): void {
    this.cells.push(this.decoder.decode(bytes.subarray(start, end)))
  }

  endRecord(_cells: number, line: number): boolean {
    this.line = line
    return false
  }
}

function checkNames(names: readonly string[], file: SourceFile, line: number): void {
  for (const [index, name] of names.entries()) {
    const wrong =
      name === ''
        ? `column ${index + 1} has no name`
        : names.indexOf(name) < index
          ? `the name "${name}" stands twice`
          : undefined
    if (wrong !== undefined) {
      throw new ZenmlError('ZEN_CSV_HEADER', `${file.name}: in the header (line ${line}) ${wrong}.`, {
        facts: { file: file.name, line, column: index + 1 },
        next: 'Mend the header, or give the names as options: { header: true, columns: […] }.',
        exitCode: 1,
      })
    }
  }
}

function ragged(file: SourceFile, record: number, line: number, cells: number, expected: number): ZenmlError {
  return new ZenmlError(
    'ZEN_CSV_RAGGED',
    `${file.name}: row ${record} (line ${line}) has ${cells} ${cells === 1 ? 'field' : 'fields'}, expected ${expected}.`,
    {
      facts: { file: file.name, row: record, line, found: cells, expected },
      next: 'Mend the row, or look whether a field with a delimiter lacks its quotes.',
      exitCode: 1,
    },
  )
}

/** The candidate that stands most often in the first line outside of quotes; the comma where none does. */
function guessDelimiter(bytes: Uint8Array, quote: number): number {
  const candidates = [...',\t;|'].map((text) => text.charCodeAt(0))
  const counts = candidates.map(() => 0)
  let inside = false
  let begun = false
  for (const byte of bytes) {
    if (byte === quote) inside = !inside
    else if (!inside && (byte === 0x0a || byte === 0x0d)) {
      if (begun) break
    } else if (!inside && candidates.includes(byte)) counts[candidates.indexOf(byte)]!++
    begun ||= byte !== 0x0a && byte !== 0x0d
  }
  return candidates.reduce((best, next, index) => (counts[index]! > counts[candidates.indexOf(best)]! ? next : best))
}
