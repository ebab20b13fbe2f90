import type { ExampleBatch, FeatureKind } from '../formats/batch.ts'
import { batchOf, type Cell, type CellValue } from '../formats/examples.ts'
import type { SourceFile } from '../model/source-files.ts'
import { readJson, readJsonLines } from './json.ts'
import { type KindsSoFar, notOfKind, widened } from './kinds.ts'
import type { TextEncodingName } from './read-text.ts'
import type { Row } from './row.ts'

/** Finds the kinds of JSON or JSON Lines files: numbers are ints where all of a feature are whole and safe; texts are bytes. */
export async function findRowKinds(
  format: string,
  files: readonly SourceFile[],
  encoding: TextEncodingName | undefined,
  signal: AbortSignal | undefined,
): Promise<KindsSoFar> {
  const kinds: KindsSoFar = new Map()
  for (const file of files) {
    for await (const row of rowsOf(format, file, encoding, signal)) {
      for (const name in row) {
        let kind = kinds.get(name)
        for (const value of valuesOf(row[name])) kind = widened(kind, kindOf(value))
        kinds.set(name, kind)
      }
    }
  }
  return kinds
}

/** Reads JSON or JSON Lines files as batches of the kinds given. Throws `ZEN_SOURCE_VALUE` for a text in a feature of numbers. */
export async function* readRows(
  format: string,
  files: readonly SourceFile[],
  encoding: TextEncodingName | undefined,
  kinds: ReadonlyMap<string, FeatureKind>,
  batchSize: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<ExampleBatch> {
  const given = Object.fromEntries(kinds)
  let rows: { [feature: string]: Cell }[] = []
  for (const file of files) {
    let count = 0
    for await (const row of rowsOf(format, file, encoding, signal)) {
      count++
      const converted: { [feature: string]: Cell } = Object.create(null)
      for (const name in row) {
        const kind = given[name]!
        converted[name] = valuesOf(row[name]).map((value) => convert(value, kind, name, file.name, count))
      }
      rows.push(converted)
      if (rows.length === batchSize) {
        yield batchOf(rows, given)
        rows = []
      }
    }
  }
  if (rows.length > 0) yield batchOf(rows, given)
}

function rowsOf(
  format: string,
  file: SourceFile,
  encoding: TextEncodingName | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Row> {
  return format === 'json' ? readJson(file, encoding, signal) : readJsonLines(file, encoding, signal)
}

function valuesOf(cell: Cell): readonly CellValue[] {
  if (cell === null || cell === undefined) return []
  return Array.isArray(cell) ? (cell as readonly CellValue[]) : [cell as CellValue]
}

function kindOf(value: CellValue): FeatureKind {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'int' : 'float'
  return typeof value === 'bigint' ? 'int' : 'bytes'
}

function convert(value: CellValue, kind: FeatureKind, feature: string, file: string, row: number): CellValue {
  if (kind === 'bytes') return typeof value === 'string' ? value : String(value)
  if (typeof value === 'bigint') return kind === 'float' ? Number(value) : value
  if (typeof value === 'number' && (kind === 'float' || Number.isSafeInteger(value))) return value
  throw notOfKind(String(value), kind, feature, file, row)
}
