import { compareText } from '../base/canonical.ts'
import { ZenmlError } from '../base/errors.ts'
import { batchBytes, type ExampleBatch, type FeatureKind } from '../formats/batch.ts'
import { ColumnBuilder } from '../formats/column-builder.ts'
import { type DatasourceSpec, placeOf } from '../model/datasource-spec.ts'

/** A value of a row after its connector has brought it into form: null is a missing one, booleans are 0 and 1. */
export type RowValue = null | number | bigint | string | Uint8Array

/** What stands in a column of a row: a value, or several. */
export type RowCell = RowValue | readonly RowValue[]

/** A column as it stands in the rows. */
export interface RowColumn {
  readonly name: string
  readonly kind: FeatureKind
}

/**
 * Gathers the rows of a database into batches, and checks that the key tells each row from the one before: only then is their order one
 * that the next read gives again.
 */
export class RowBatches {
  /** By feature, in the order of the names' UTF-8 bytes. */
  readonly kinds: ReadonlyMap<string, FeatureKind>
  private readonly spec: DatasourceSpec
  private readonly key: readonly number[]
  /** In the order of the rows' columns. */
  private readonly builders: readonly ColumnBuilder[]
  private readonly sorted: readonly ColumnBuilder[]
  private readonly batchSize: number
  private rows = 0
  /** Bytes of texts and blobs in them. */
  private bytes = 0
  private before = 0
  private last: readonly RowCell[] | undefined

  /** Throws `ZEN_SOURCE_COLUMNS` for a name that is there twice, `ZEN_SOURCE_KEY` for a key that is no column. */
  constructor(spec: DatasourceSpec, columns: readonly RowColumn[], key: readonly string[], batchSize = 4096) {
    const names = columns.map(({ name }) => name)
    const twice = names.find((name, index) => names.indexOf(name) < index)
    if (twice !== undefined)
      throw new ZenmlError('ZEN_SOURCE_COLUMNS', `${placeOf(spec)} gives two columns "${twice}".`, {
        facts: { column: twice },
        next: 'Name one of them otherwise: SELECT … AS other.',
      })
    this.key = key.map((name) => {
      const index = names.indexOf(name)
      if (index >= 0) return index
      throw new ZenmlError(
        'ZEN_SOURCE_KEY',
        `${placeOf(spec)} gives no column "${name}", which its key names; it gives ${names.join(', ')}.`,
        { facts: { column: name } },
      )
    })
    this.spec = spec
    this.batchSize = batchSize
    this.builders = columns.map(({ name, kind }) => new ColumnBuilder(name, kind, batchSize))
    this.sorted = [...this.builders].sort((a, b) => compareText(a.name, b.name))
    this.kinds = new Map(this.sorted.map(({ name, kind }) => [name, kind]))
  }

  /** Adds a row; a full batch, where it completes one. Throws `ZEN_SOURCE_KEY` and `ZEN_SOURCE_VALUE` with the number of the row. */
  add(row: readonly RowCell[]): ExampleBatch | undefined {
    if (this.last !== undefined && this.hasSameKey(row, this.last)) throw this.notUnique(row)
    this.last = row
    const { builders, rows } = this
    for (let index = 0; index < builders.length; index++) {
      const cell = row[index]!
      if (cell === null) continue
      const builder = builders[index]!
      if (builder.nextRow !== rows) builder.openRow(rows)
      if (Array.isArray(cell)) for (const value of cell) this.addValue(builder, value)
      else this.addValue(builder, cell as RowValue)
      builder.closeRow(rows)
    }
    this.rows++
    return this.rows === this.batchSize || this.bytes >= batchBytes ? this.take() : undefined
  }

  private hasSameKey(row: readonly RowCell[], last: readonly RowCell[]): boolean {
    for (const index of this.key) if (!isSame(row[index]!, last[index]!)) return false
    return true
  }

  private notUnique(row: readonly RowCell[]): ZenmlError {
    const values = this.key.map((index) => `${this.builders[index]!.name} = ${shown(row[index]!)}`).join(', ')
    const at = this.before + this.rows
    return new ZenmlError(
      'ZEN_SOURCE_KEY',
      `${placeOf(this.spec)}: rows ${at} and ${at + 1} have the same key (${values}), so their order is not sure.`,
      { facts: { row: at + 1 }, next: 'Name as key columns that no two rows share.', exitCode: 1 },
    )
  }

  /** The rows since the last batch; undefined where there are none. */
  rest(): ExampleBatch | undefined {
    return this.rows === 0 ? undefined : this.take()
  }

  private take(): ExampleBatch {
    const length = this.rows
    this.before += length
    this.rows = 0
    this.bytes = 0
    return { length, columns: new Map(this.sorted.map((builder) => [builder.name, builder.take(length)])) }
  }

  private addValue(builder: ColumnBuilder, value: RowValue): void {
    const { kind } = builder
    if (kind === 'bytes' && typeof value === 'string') {
      builder.addText(value)
      this.bytes += value.length
    } else if (kind === 'bytes' && value instanceof Uint8Array) {
      builder.addBytes(value, 0, value.length)
      this.bytes += value.length
    } else if (kind === 'float' && (typeof value === 'number' || typeof value === 'bigint')) {
      builder.addFloat(Number(value))
    } else if (kind === 'int' && typeof value === 'bigint' && BigInt.asIntN(64, value) === value) {
      builder.addInt(Number(value >> 32n), Number(value & 0xffffffffn))
    } else if (kind === 'int' && typeof value === 'number' && Number.isSafeInteger(value)) {
      builder.addWhole(value)
    } else {
      const row = this.before + this.rows + 1
      throw new ZenmlError(
        'ZEN_SOURCE_VALUE',
        `${placeOf(this.spec)}: row ${row}: ${shown(value)} is no ${kind}, as the column "${builder.name}" is.`,
        {
          facts: { row, feature: builder.name, kind },
          next: 'Mend the value, or bring the column into form in a query (CAST).',
          exitCode: 1,
        },
      )
    }
  }
}

const encoder = new TextEncoder()

/** Whether two cells are equal, in whichever form the connector gives them. */
function isSame(a: RowCell, b: RowCell): boolean {
  if (a === b) return true
  if (a === null || b === null) return false
  if (Array.isArray(a) && Array.isArray(b)) return a.length === b.length && a.every((value, at) => isSame(value, b[at]))
  if (typeof a === 'bigint' || typeof b === 'bigint') return String(a) === String(b)
  if (!(a instanceof Uint8Array) && !(b instanceof Uint8Array)) return Object.is(a, b)
  return Buffer.compare(bytesOf(a), bytesOf(b)) === 0
}

function bytesOf(value: RowCell): Uint8Array {
  return value instanceof Uint8Array ? value : encoder.encode(String(value))
}

function shown(value: RowCell): string {
  if (value instanceof Uint8Array) return `a blob of ${value.length} bytes`
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 50)) : String(value)
}
