import type { Json } from '../base/json.ts'

/** A stream that text goes to; a terminal or not. */
export interface TextStream {
  write(text: string): unknown
  readonly isTTY?: boolean
  readonly columns?: number
}

/** What a command line is started with; passed in, so that nothing below reaches for the process. */
export interface CliEnvironment {
  /** Where relative paths start. */
  readonly directory: string
  readonly environment: { readonly [name: string]: string | undefined }
  readonly stdout: TextStream
  readonly stderr: TextStream
}

/** How a command talks: results on stdout, everything else on stderr. */
export interface Terminal {
  /** Whether `--json` was given: exactly one document on stdout and nothing else there. */
  readonly json: boolean
  /** Whether stderr is a terminal that live progress may be drawn on. */
  readonly live: boolean
  /** Width of the terminal behind stderr; 80 where it is not known. */
  readonly columns: number
  readonly colors: Colors
  /** Prints the result: the document with `--json`, else the text. */
  result(document: Json, text: () => string): void
  /** A line of progress, warning or hint. */
  note(text: string): void
  /** Raw text on stderr, for live progress. */
  draw(text: string): void
}

/** Colours, or nothing where they are not wanted. */
export interface Colors {
  bold(text: string): string
  dim(text: string): string
  red(text: string): string
  green(text: string): string
  yellow(text: string): string
  cyan(text: string): string
}

/** A terminal over two streams. */
export function terminal({ environment, stdout, stderr }: CliEnvironment, json: boolean): Terminal {
  const interactive = stderr.isTTY === true && environment['CI'] === undefined && environment['TERM'] !== 'dumb'
  const coloured = interactive && (environment['NO_COLOR'] ?? '') === ''
  return {
    json,
    live: interactive,
    get columns() {
      return stderr.columns || 80
    },
    colors: coloured && (json || stdout.isTTY === true) ? ansi : plain,
    result(document, text) {
      const written = json ? JSON.stringify(document, null, 2) : text()
      if (written !== '') stdout.write(`${written}\n`)
    },
    note: (text) => void stderr.write(`${text}\n`),
    draw: (text) => void stderr.write(text),
  }
}

const paint =
  (open: number, close: number) =>
  (text: string): string =>
    `\x1b[${open}m${text}\x1b[${close}m`

const ansi: Colors = {
  bold: paint(1, 22),
  dim: paint(2, 22),
  red: paint(31, 39),
  green: paint(32, 39),
  yellow: paint(33, 39),
  cyan: paint(36, 39),
}

const same = (text: string): string => text
const plain: Colors = { bold: same, dim: same, red: same, green: same, yellow: same, cyan: same }
