import { ZenmlError } from '../base/errors.ts'
import type { SourceFile } from '../model/source-files.ts'
import { readText, type TextEncodingName } from './read-text.ts'

/** How a CSV file is written. */
export interface CsvOptions {
  /** One character; guessed from the first line among `,` tab `;` `|` where it is left out. */
  readonly delimiter?: string
  /** One character. Default `"`. */
  readonly quote?: string
  /** False: no line with names; the columns are `columns`, or column1, column2 … Default true. */
  readonly header?: boolean
  readonly columns?: readonly string[]
  /** Cells that mean a missing value. Default only the empty one. */
  readonly missing?: readonly string[]
  /** Default UTF-8, or what a byte order mark says. */
  readonly encoding?: TextEncodingName
}

/** A row of texts; null is a missing value. */
export interface TextRow {
  readonly names: readonly string[]
  readonly cells: readonly (string | null)[]
  /** Number of the record in the file, from 1, the header not counted. */
  readonly record: number
}

/**
 * Reads the rows of a CSV file (RFC 4180; CR, LF or CRLF; quoted line breaks). Blank lines are passed over.
 *
 * Throws `ZEN_CSV_RAGGED`, `ZEN_CSV_QUOTE` and `ZEN_CSV_HEADER` with file, record and line.
 */
export async function* readCsv(
  file: SourceFile,
  options: CsvOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<TextRow> {
  const { quote = '"', header = true, missing = [''] } = options
  const absent = new Set(missing)
  let names: readonly string[] | undefined = options.columns
  let waiting = header
  let record = 0
  for await (const { cells, quoted, line } of records(file, options.delimiter, quote, options.encoding, signal)) {
    if (cells.length === 1 && cells[0] === '' && quoted[0] !== true) continue
    if (waiting) {
      waiting = false
      checkNames(cells, file, line)
      names ??= cells
      continue
    }
    record++
    names ??= cells.map((_, index) => `column${index + 1}`)
    if (cells.length !== names.length) {
      throw new ZenmlError(
        'ZEN_CSV_RAGGED',
        `${file.name}: row ${record} (line ${line}) has ${cells.length} ${cells.length === 1 ? 'field' : 'fields'}, expected ${names.length}.`,
        {
          facts: { file: file.name, row: record, line, found: cells.length, expected: names.length },
          next: 'Mend the row, or look whether a field with a delimiter lacks its quotes.',
          exitCode: 1,
        },
      )
    }
    yield {
      names,
      cells: cells.map((cell, index) => (absent.has(cell) && quoted[index] !== true ? null : cell)),
      record,
    }
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

interface TextRecord {
  readonly cells: string[]
  /** Whether each cell was quoted: a quoted empty cell is an empty text, not a missing one. */
  readonly quoted: boolean[]
  /** Line on which the record starts, from 1. */
  readonly line: number
}

/** A cell larger than this is taken for an unterminated quote, so that memory stays bounded. */
const largestCell = 16 << 20

async function* records(
  file: SourceFile,
  delimiter: string | undefined,
  quote: string,
  encoding: TextEncodingName | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<TextRecord> {
  let separator = delimiter
  let cells: string[] = []
  let quoted: boolean[] = []
  let cell = ''
  let state: 'start' | 'plain' | 'quoted' | 'closed' = 'start'
  let line = 1
  let started = 1
  let quoteLine = 1
  let afterCr = false
  let head = ''
  const endCell = (): void => {
    cells.push(cell)
    quoted.push(state === 'closed')
    cell = ''
    state = 'start'
  }
  const unterminated = (): ZenmlError =>
    new ZenmlError('ZEN_CSV_QUOTE', `${file.name}: the quote that opens on line ${quoteLine} is never closed.`, {
      facts: { file: file.name, line: quoteLine },
      next: 'Close it, or write a quote inside of a field twice.',
      exitCode: 1,
    })

  for await (const piece of readText(file, encoding, signal)) {
    let text = piece
    if (separator === undefined) {
      head += piece
      if (!/[\r\n]/.test(head) && head.length < 1 << 20) continue
      separator = guessDelimiter(head, quote)
      text = head
      head = ''
    }
    const ready: TextRecord[] = []
    for (let index = 0; index < text.length; index++) {
      const char = text[index]!
      if (afterCr) {
        afterCr = false
        if (char === '\n') continue
      }
      if (state === 'quoted') {
        if (char === quote) state = 'closed'
        else {
          if (char === '\n') line++
          cell += char
          if (cell.length > largestCell) throw unterminated()
        }
      } else if (char === separator) endCell()
      else if (char === '\n' || char === '\r') {
        endCell()
        ready.push({ cells, quoted, line: started })
        cells = []
        quoted = []
        line++
        started = line
        afterCr = char === '\r'
      } else if (char === quote && state === 'start') {
        state = 'quoted'
        quoteLine = line
      } else if (char === quote && state === 'closed') {
        cell += quote
        state = 'quoted'
      } else {
        if (state === 'closed') {
          throw new ZenmlError(
            'ZEN_CSV_QUOTE',
            `${file.name}: on line ${line} a closing quote is followed by ${JSON.stringify(char)} instead of a delimiter.`,
            { facts: { file: file.name, line }, next: 'Write a quote inside of a field twice.', exitCode: 1 },
          )
        }
        // Plain text up to the next special character in one piece.
        let end = index + 1
        while (end < text.length && text[end] !== separator && text[end] !== '\n' && text[end] !== '\r') end++
        cell += text.slice(index, end)
        state = 'plain'
        index = end - 1
      }
    }
    yield* ready
  }
  if (head !== '') {
    // A file of a single line without its end.
    yield* parseWhole(head, guessDelimiter(head, quote), quote, file)
    return
  }
  if (state === 'quoted') throw unterminated()
  if (cells.length > 0 || cell !== '' || state === 'closed') {
    endCell()
    yield { cells, quoted, line: started }
  }
}

function* parseWhole(text: string, separator: string, quote: string, file: SourceFile): Generator<TextRecord> {
  const cells: string[] = []
  const quoted: boolean[] = []
  let rest = text
  for (;;) {
    const match = rest.startsWith(quote)
      ? new RegExp(
          `^${escapePattern(quote)}((?:[^${escapePattern(quote)}]|${escapePattern(quote)}{2})*)${escapePattern(quote)}(?=${escapePattern(separator)}|$)`,
        ).exec(rest)
      : undefined
    if (match === null)
      throw new ZenmlError('ZEN_CSV_QUOTE', `${file.name}: the quote that opens on line 1 is never closed.`, {
        facts: { file: file.name, line: 1 },
        exitCode: 1,
      })
    const end =
      match === undefined ? (rest.indexOf(separator) < 0 ? rest.length : rest.indexOf(separator)) : match[0].length
    cells.push(match === undefined ? rest.slice(0, end) : match[1]!.replaceAll(quote + quote, quote))
    quoted.push(match !== undefined)
    if (end >= rest.length) break
    rest = rest.slice(end + separator.length)
  }
  yield { cells, quoted, line: 1 }
}

function escapePattern(char: string): string {
  return char.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}

/** The candidate that stands most often in the first line outside of quotes; the comma where none does. */
function guessDelimiter(text: string, quote: string): string {
  const counts = new Map([',', '\t', ';', '|'].map((candidate) => [candidate, 0]))
  let inside = false
  for (const char of text) {
    if (char === quote) inside = !inside
    else if (!inside && (char === '\n' || char === '\r')) break
    else if (!inside && counts.has(char)) counts.set(char, counts.get(char)! + 1)
  }
  return [...counts].reduce((best, next) => (next[1] > best[1] ? next : best))[0]
}
