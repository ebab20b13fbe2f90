import { ZenmlError } from '../base/errors.ts'

/** Takes the cells of a CSV file as they are found. */
export interface CellSink {
  /**
   * A cell: bytes from start to end, without quotes. A record that is cut off by the end of a window is given again from its first cell.
   */
  cell(index: number, bytes: Uint8Array, start: number, end: number, quoted: boolean): void
  /** The record that had these cells is complete; it started on this line. Returns whether to go on with the next. */
  endRecord(cells: number, line: number): boolean
}

const lf = 0x0a
const cr = 0x0d

/** A record larger than this is taken for an unterminated quote or a file that is no CSV, so that memory stays bounded. */
const largestRecord = 16 << 20

/** Finds cells and records in the bytes of a CSV file (RFC 4180; CR, LF or CRLF; quoted line breaks). Blank lines are passed over. */
export class CsvScanner {
  private readonly file: string
  private readonly delimiter: number
  private readonly quote: number
  private scratch = new Uint8Array(256)
  /** Line of the next byte, from 1. */
  private line = 1
  private afterCr = false
  /** Whether the sink ended the last scan, rather than the window. */
  stopped = false
  /** Line of the quote that is open at the end of the window, 0 where there is none. */
  private openQuote = 0

  constructor(file: string, delimiter: number, quote: number) {
    this.file = file
    this.delimiter = delimiter
    this.quote = quote
  }

  /**
   * Scans the whole records of `bytes[from .. limit]`; `final` says that nothing follows. Returns the place after the last whole
   * record: the start of the next window. Throws `ZEN_CSV_QUOTE` and `ZEN_CSV_RECORD`.
   */
  scan(bytes: Uint8Array, from: number, limit: number, final: boolean, sink: CellSink): number {
    const { delimiter } = this
    let at = from
    this.stopped = false
    for (;;) {
      if (at >= limit) return at
      let byte = bytes[at]!
      if (this.afterCr) {
        this.afterCr = false
        if (byte === lf) {
          at++
          continue
        }
      }
      if (byte === lf || byte === cr) {
        this.line++
        this.afterCr = byte === cr
        at++
        continue
      }
      const start = at
      const line = this.line
      this.openQuote = 0
      let cells = 0
      for (;;) {
        if (at < limit && bytes[at] === this.quote) at = this.quotedCell(bytes, at, limit, final, cells, sink)
        else {
          const begin = at
          while (at < limit) {
            byte = bytes[at]!
            if (byte === delimiter || byte === lf || byte === cr) break
            at++
          }
          if (at < limit || final) sink.cell(cells, bytes, begin, at, false)
        }
        if (at >= limit && !final) {
          this.line = line
          if (limit - start > largestRecord) throw this.tooLarge(line)
          return start
        }
        cells++
        if (at >= limit) break
        byte = bytes[at++]!
        if (byte === delimiter) continue
        this.line++
        this.afterCr = byte === cr
        break
      }
      if (!sink.endRecord(cells, line)) {
        this.stopped = true
        return at
      }
    }
  }

  /** Returns the place after the cell, or `limit` where it is cut off. */
  private quotedCell(
    bytes: Uint8Array,
    open: number,
    limit: number,
    final: boolean,
    index: number,
    sink: CellSink,
  ): number {
    const { quote } = this
    const line = this.line
    let at = open + 1
    let doubled = 0
    for (;;) {
      while (at < limit && bytes[at] !== quote) if (bytes[at++] === lf) this.line++
      if (at >= limit) {
        if (final) throw this.unterminated(line)
        this.openQuote = line
        return limit
      }
      if (at + 1 >= limit && !final) return limit
      if (at + 1 >= limit || bytes[at + 1] !== quote) break
      doubled++
      at += 2
    }
    const end = at++
    if (at < limit && bytes[at] !== this.delimiter && bytes[at] !== lf && bytes[at] !== cr)
      throw this.notClosed(bytes[at]!)
    this.openQuote = 0
    if (doubled === 0) sink.cell(index, bytes, open + 1, end, true)
    else {
      const length = this.undouble(bytes, open + 1, end)
      sink.cell(index, this.scratch, 0, length, true)
    }
    return at
  }

  private undouble(bytes: Uint8Array, start: number, end: number): number {
    if (this.scratch.length < end - start) this.scratch = new Uint8Array((end - start) * 2)
    const { quote, scratch } = this
    let length = 0
    for (let at = start; at < end; at++) {
      scratch[length++] = bytes[at]!
      if (bytes[at] === quote) at++
    }
    return length
  }

  private tooLarge(line: number): ZenmlError {
    if (this.openQuote > 0) return this.unterminated(this.openQuote)
    return new ZenmlError('ZEN_CSV_RECORD', `${this.file}: the record on line ${line} is longer than 16 MiB.`, {
      facts: { file: this.file, line },
      next: 'Look whether the file is CSV, and its delimiter and line ends are right.',
      exitCode: 1,
    })
  }

  private unterminated(line: number): ZenmlError {
    return new ZenmlError('ZEN_CSV_QUOTE', `${this.file}: the quote that opens on line ${line} is never closed.`, {
      facts: { file: this.file, line },
      next: 'Close it, or write a quote inside of a field twice.',
      exitCode: 1,
    })
  }

  private notClosed(byte: number): ZenmlError {
    const found = byte < 0x80 ? JSON.stringify(String.fromCharCode(byte)) : 'another letter'
    return new ZenmlError(
      'ZEN_CSV_QUOTE',
      `${this.file}: on line ${this.line} a closing quote is followed by ${found} instead of a delimiter.`,
      { facts: { file: this.file, line: this.line }, next: 'Write a quote inside of a field twice.', exitCode: 1 },
    )
  }
}
