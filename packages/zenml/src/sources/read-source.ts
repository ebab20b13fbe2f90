import { compareText } from '../base/canonical.ts'
import { ZenmlError } from '../base/errors.ts'
import type { ExampleBatch, FeatureKind } from '../formats/batch.ts'
import { batchOf, type Cell, type CellValue } from '../formats/examples.ts'
import type { SourceFile, SourceFiles } from '../model/source-files.ts'
import { type CsvOptions, readCsv } from './csv.ts'
import { readJson, readJsonLines } from './json.ts'
import { readParquet } from './parquet.ts'
import type { TextEncodingName } from './read-text.ts'
import type { Row } from './row.ts'
import { checkOptions } from './source-options.ts'

/** What is known of a source after its first reading. */
export interface SourceShape {
  readonly rows: number
  /** Kind of every feature, in the order of the names' UTF-8 bytes. */
  readonly kinds: ReadonlyMap<string, FeatureKind>
}

/** Options of reading. */
export interface ReadSourceOptions {
  readonly signal?: AbortSignal
  /** Rows in a batch. Default 4096. */
  readonly batchSize?: number
}

/**
 * Reads a source once and finds each feature's kind: the narrowest of int, float and bytes that holds every value.
 *
 * A text is an int where it is an optional sign and digits without a leading zero within 64 bits, a float where it is a decimal number
 * (`1.5`, `-2e3`), else bytes; a leading zero (`007`) is kept as bytes. A feature without any value is
 * bytes. `options.schema` decides for the features that it names.
 */
export async function inspectSource(source: SourceFiles, options: ReadSourceOptions = {}): Promise<SourceShape> {
  const { schema } = checkOptions(source)
  // Texts of a CSV file may be numbers; those of JSON and Parquet were meant as texts.
  const textual = source.format === 'csv'
  const kinds = new Map<string, FeatureKind | undefined>()
  let rows = 0
  for await (const row of rowsOf(source, options.signal)) {
    rows++
    for (const name in row) {
      const known = kinds.get(name)
      if (known === 'bytes') continue
      kinds.set(name, widen(known, row[name], textual))
    }
  }
  for (const [name, kind] of Object.entries(schema)) {
    if (rows > 0 && !kinds.has(name))
      throw new ZenmlError(
        'ZEN_SOURCE_SCHEMA',
        `The schema names "${name}", but the data has ${[...kinds.keys()].join(', ')}.`,
        { exitCode: 1 },
      )
    kinds.set(name, kind)
  }
  const sorted = [...kinds]
    .sort(([a], [b]) => compareText(a, b))
    .map(([name, kind]): [string, FeatureKind] => [name, kind ?? 'bytes'])
  return { rows, kinds: new Map(sorted) }
}

/** Reads a source as batches of the kinds that `inspectSource` found, in constant memory. */
export async function* readSource(
  source: SourceFiles,
  shape: SourceShape,
  { signal, batchSize = 4096 }: ReadSourceOptions = {},
): AsyncGenerator<ExampleBatch> {
  const kinds = Object.fromEntries(shape.kinds)
  let rows: { [feature: string]: Cell }[] = []
  let count = 0
  for await (const row of rowsOf(source, signal)) {
    count++
    const converted: { [feature: string]: Cell } = {}
    for (const name in row) converted[name] = convert(row[name], kinds[name] ?? 'bytes', name, count)
    rows.push(converted)
    if (rows.length === batchSize) {
      yield batchOf(rows, kinds)
      rows = []
    }
  }
  if (rows.length > 0) yield batchOf(rows, kinds)
}

async function* rowsOf(source: SourceFiles, signal: AbortSignal | undefined): AsyncGenerator<Row> {
  const options = checkOptions(source)
  for (const file of source.files) yield* fileRows(source.format, file, options, signal)
}

async function* fileRows(
  format: string,
  file: SourceFile,
  options: CsvOptions,
  signal: AbortSignal | undefined,
): AsyncGenerator<Row> {
  const encoding: TextEncodingName | undefined = options.encoding
  if (format === 'json') yield* readJson(file, encoding, signal)
  else if (format === 'jsonl') yield* readJsonLines(file, encoding, signal)
  else if (format === 'parquet') yield* readParquet(file, signal)
  else {
    for await (const { names, cells } of readCsv(file, options, signal)) {
      const row: { [feature: string]: string | null } = {}
      for (let index = 0; index < names.length; index++) row[names[index]!] = cells[index]!
      yield row
    }
  }
}

const integer = /^[+-]?(?:0|[1-9]\d*)$/
const decimal = /^[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/

function widen(known: FeatureKind | undefined, cell: Cell, textual: boolean): FeatureKind | undefined {
  if (cell === null || cell === undefined) return known
  if (Array.isArray(cell))
    return cell.reduce<FeatureKind | undefined>((kind, value) => widen(kind, value as CellValue, textual), known)
  const kind = textual ? kindOfText(cell as string) : kindOf(cell as CellValue)
  if (known === undefined || kind === known) return kind
  return known === 'bytes' || kind === 'bytes' ? 'bytes' : 'float'
}

function kindOf(value: CellValue): FeatureKind {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'int' : 'float'
  if (typeof value === 'bigint' || typeof value === 'boolean') return 'int'
  return 'bytes'
}

function kindOfText(text: string): FeatureKind {
  if (integer.test(text)) {
    if (text.length < 19) return 'int'
    const value = BigInt(text.replace('+', ''))
    if (value >= -(2n ** 63n) && value < 2n ** 63n) return 'int'
    return 'float'
  }
  return decimal.test(text) ? 'float' : 'bytes'
}

function convert(cell: Cell, kind: FeatureKind, name: string, row: number): Cell {
  if (cell === null || cell === undefined) return null
  if (Array.isArray(cell)) return cell.map((value) => convert(value as CellValue, kind, name, row) as CellValue)
  if (kind === 'bytes') return typeof cell === 'string' || cell instanceof Uint8Array ? cell : String(cell)
  if (typeof cell !== 'string') return kind === 'float' ? Number(cell) : cell
  if (kind === 'float' && decimal.test(cell)) return Number(cell)
  if (kind === 'int' && kindOfText(cell) === 'int')
    return cell.length < 16 ? Number(cell) : BigInt(cell.replace('+', ''))
  throw new ZenmlError(
    'ZEN_SOURCE_VALUE',
    `Row ${row}: ${JSON.stringify(cell.slice(0, 50))} is no ${kind}, as the schema says of "${name}".`,
    { facts: { row, feature: name }, exitCode: 1 },
  )
}
