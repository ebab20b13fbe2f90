import { compareText } from '../base/canonical.ts'
import { ZenmlError } from '../base/errors.ts'
import type { ExampleBatch, FeatureKind } from './batch.ts'
import { ColumnBuilder } from './column-builder.ts'

/** One value of a row as one writes it. */
export type CellValue = number | bigint | string | boolean | Uint8Array
/** One cell: a value, several, or none. */
export type Cell = CellValue | readonly CellValue[] | null | undefined

/**
 * A batch from rows of plain objects: for tests and small steps. Strings and byte arrays make bytes, bigints and booleans ints;
 * numbers make ints where all of a feature are whole and safe (a `kinds` entry decides otherwise), else floats.
 *
 * Throws `ZEN_BATCH_INVALID` for a value that its feature cannot hold.
 *
 * @example
 * batchOf([{ species: 'Gentoo', mass: 5000 }, { species: 'Adelie', mass: null }], { mass: 'float' })
 */
export function batchOf(
  rows: readonly { readonly [feature: string]: Cell }[],
  kinds: { readonly [feature: string]: FeatureKind } = {},
): ExampleBatch {
  const found = new Map<string, FeatureKind>(Object.entries(kinds))
  for (const row of rows) {
    for (const [name, cell] of Object.entries(row)) {
      for (const value of valuesOf(cell)) {
        const kind = kindOf(value)
        const before = found.get(name)
        if (before === undefined || (before === 'int' && kind === 'float' && !Object.hasOwn(kinds, name)))
          found.set(name, kind)
      }
      // A feature without any value is kept as one of bytes, unless a later row knows better.
    }
  }
  for (const row of rows) for (const name of Object.keys(row)) if (!found.has(name)) found.set(name, 'bytes')
  const builders = [...found]
    .sort(([left], [right]) => compareText(left, right))
    .map(([name, kind]) => new ColumnBuilder(name, kind, rows.length))
  for (let row = 0; row < rows.length; row++) {
    for (const builder of builders) {
      builder.openRow(row)
      // Own ones only: a feature may be called "constructor".
      const cell = Object.hasOwn(rows[row]!, builder.name) ? rows[row]![builder.name] : undefined
      for (const value of valuesOf(cell)) addValue(builder, value, row)
      builder.closeRow(row)
    }
  }
  return { length: rows.length, columns: new Map(builders.map((builder) => [builder.name, builder.take(rows.length)])) }
}

function valuesOf(cell: Cell): readonly CellValue[] {
  if (cell === null || cell === undefined) return []
  return Array.isArray(cell) ? (cell as readonly CellValue[]) : [cell as CellValue]
}

function kindOf(value: CellValue): FeatureKind {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'int' : 'float'
  return typeof value === 'bigint' || typeof value === 'boolean' ? 'int' : 'bytes'
}

function addValue(builder: ColumnBuilder, value: CellValue, row: number): void {
  if (builder.kind === 'bytes' && (typeof value === 'string' || value instanceof Uint8Array)) {
    const bytes = typeof value === 'string' ? new TextEncoder().encode(value) : value
    builder.addBytes(bytes, 0, bytes.length)
  } else if (builder.kind === 'float' && typeof value === 'number') {
    builder.addFloat(value)
  } else if (builder.kind === 'int' && kindOf(value) === 'int') {
    const whole = BigInt.asIntN(64, BigInt(value as number | bigint | boolean))
    builder.addInt(Number(whole >> 32n), Number(whole & 0xffffffffn))
  } else {
    throw new ZenmlError(
      'ZEN_BATCH_INVALID',
      `Row ${row} has a value of type ${typeof value} for the feature ${JSON.stringify(builder.name)}, which is of kind ${builder.kind}.`,
      {
        facts: { row, feature: builder.name, kind: builder.kind },
        next: 'Give every row values of one kind.',
        exitCode: 1,
      },
    )
  }
}
