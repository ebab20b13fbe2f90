import { type FileHandle, open, rm } from 'node:fs/promises'
import { deserialize, serialize } from 'node:v8'
import { messageOf, ZenmlError } from '../base/errors.ts'
import type { FeatureKind } from '../formats/batch.ts'
import { batchOf, type Cell, type CellValue, createExamplesWriter } from '../formats/examples.ts'
import type { GivenCell, GivenRows, GivenValue, RowsOptions } from '../model/given-rows.ts'
import { type KindsSoFar, withSchema } from './kinds.ts'

/** Rows, or about so many bytes of values, that are in memory at once. */
const blockRows = 1024
const blockBytes = 16 << 20

/** A row on its way through the scratch file: features with their values. */
type PackedRow = readonly (readonly [feature: string, values: readonly CellValue[]])[]

/**
 * Writes rows that a pipeline's own code gives as Examples with the split `all` into a directory; in bounded memory, however many there are. They are asked
 * for once and kept in a scratch file until all are seen, as only then it is known which kind holds all values of a feature.
 *
 * Throws `ZEN_SOURCE_VALUE` with row and feature for what no feature can hold, `ZEN_SOURCE_SCHEMA`, `ZEN_SOURCE_EMPTY`, and `ZEN_SOURCE_READ` for what the rows'
 * own code throws.
 */
export async function writeGivenRows(name: string, options: RowsOptions, directory: string): Promise<void> {
  const scratchFile = `${directory}.scratch`
  const scratch = await open(scratchFile, 'wx+')
  try {
    const gathered = new GatheredRows(name, options.schema ?? {}, scratch)
    for await (const row of rowsOf(name, options.rows)) if (gathered.add(row)) await gathered.flush()
    await gathered.flush()
    if (gathered.count === 0)
      throw new ZenmlError('ZEN_SOURCE_EMPTY', `The rows of datasource "${name}" are none.`, {
        next: 'Look at the code that gives them: a snapshot has at least one row.',
        exitCode: 1,
      })
    await gathered.writeTo(directory)
  } finally {
    await scratch.close()
    await rm(scratchFile, { force: true })
  }
}

async function* rowsOf(name: string, given: RowsOptions['rows']): AsyncGenerator<unknown> {
  try {
    const rows: unknown = typeof given === 'function' ? await given() : given
    if (typeof rows !== 'object' || rows === null || !(Symbol.iterator in rows || Symbol.asyncIterator in rows))
      throw new ZenmlError('ZEN_SOURCE_VALUE', `The rows of datasource "${name}" are no iterable.`, {
        next: 'Give an array, an iterable or async iterable, or a function that gives one.',
      })
    for await (const row of rows as GivenRows<unknown>) yield row
  } catch (error) {
    if (error instanceof ZenmlError) throw error
    throw new ZenmlError('ZEN_SOURCE_READ', `The rows of datasource "${name}" cannot be read: ${messageOf(error)}.`, {
      next: 'Mend the code that gives them.',
      cause: error,
      exitCode: 1,
    })
  }
}

/** Checks rows, learns the kinds of their features, and keeps them in a file. */
class GatheredRows {
  count = 0
  private readonly name: string
  private readonly schema: { readonly [feature: string]: FeatureKind }
  private readonly scratch: FileHandle
  private readonly kinds: KindsSoFar = new Map()
  private rows: PackedRow[] = []
  private bytes = 0
  /** Lengths of the blocks in the file. */
  private readonly blocks: number[] = []

  constructor(name: string, schema: { readonly [feature: string]: FeatureKind }, scratch: FileHandle) {
    this.name = name
    this.schema = schema
    this.scratch = scratch
  }

  /** Adds a row; whether there are now enough for a block. */
  add(row: unknown): boolean {
    this.count++
    if (typeof row !== 'object' || row === null || Array.isArray(row) || ArrayBuffer.isView(row))
      throw this.wrong(null, `it is ${shown(row)}, and no object of features`)
    const cells = Object.entries(row as { [feature: string]: GivenCell })
    // A map, a date, an object with getters only: each would silently be a row without values.
    if (cells.length === 0 && ![Object.prototype, null].includes(Object.getPrototypeOf(row)))
      throw this.wrong(null, `it is ${named(row)}, which has no properties of its own, and no object of features`)
    this.rows.push(cells.map(([feature, cell]) => [feature, this.valuesOf(feature, cell)]))
    return this.rows.length >= blockRows || this.bytes >= blockBytes
  }

  async flush(): Promise<void> {
    if (this.rows.length === 0) return
    const block = serialize(this.rows)
    for (let at = 0; at < block.length; ) at += (await this.scratch.write(block, at)).bytesWritten
    this.blocks.push(block.length)
    this.rows = []
    this.bytes = 0
  }

  async writeTo(directory: string): Promise<void> {
    const settled = [...withSchema(this.kinds, this.schema)].map(([name, kind]) => [name, kind ?? 'bytes'] as const)
    const kinds = Object.fromEntries(settled) as { readonly [feature: string]: FeatureKind }
    const writer = await createExamplesWriter(directory)
    try {
      let place = 0
      for (const length of this.blocks) {
        const block = Buffer.alloc(length)
        for (let at = 0; at < length; ) at += (await this.scratch.read(block, at, length - at, place + at)).bytesRead
        place += length
        const rows = (deserialize(block) as PackedRow[]).map((row) =>
          // Not assigned one by one: a feature may be called "__proto__".
          Object.fromEntries(row.map(([name, values]): [string, Cell] => [name, ofKind(values, kinds[name]!)])),
        )
        await writer.write('all', batchOf(rows, kinds))
      }
      await writer.finish()
    } catch (error) {
      await writer.abort()
      throw error
    }
  }

  private valuesOf(feature: string, cell: GivenCell): readonly CellValue[] {
    const given = Object.hasOwn(this.schema, feature) ? this.schema[feature]! : undefined
    let kind = this.kinds.get(feature)
    const values = cell === null || cell === undefined ? [] : Array.isArray(cell) ? (cell as GivenValue[]) : [cell]
    const checked = values.map((value): CellValue => {
      const plain = plainValue(value as GivenValue)
      if (plain === undefined) throw this.wrong(feature, `${shown(value)} is no value that a feature can have`)
      this.bytes += typeof plain === 'string' || plain instanceof Uint8Array ? plain.length + 8 : 8
      const own = kindOf(plain)
      if (given === undefined && kind !== undefined && (kind === 'bytes') !== (own === 'bytes'))
        throw this.wrong(feature, `${shown(value)} is ${own}, but rows above have ${kind}`)
      if (given !== undefined && (own === given || (given === 'float' && own === 'int')) === false)
        throw this.wrong(feature, `${shown(value)} is no ${given}, as the schema says`)
      kind = kind === undefined || kind === own ? own : 'float'
      return plain
    })
    this.kinds.set(feature, kind)
    return checked
  }

  private wrong(feature: string | null, reason: string): ZenmlError {
    const where = feature === null ? '' : `, feature ${JSON.stringify(feature)}`
    return new ZenmlError('ZEN_SOURCE_VALUE', `Datasource "${this.name}", row ${this.count}${where}: ${reason}.`, {
      facts: { datasource: this.name, row: this.count, ...(feature === null ? {} : { feature }) },
      next: 'Give each feature numbers, or texts and bytes: plain values, lists of them, null or undefined.',
      exitCode: 1,
    })
  }
}

/** A value as a feature has it; undefined for what none can have. */
function plainValue(value: GivenValue): CellValue | undefined {
  if (typeof value === 'number' || typeof value === 'boolean') return value
  if (typeof value === 'bigint') return BigInt.asIntN(64, value) === value ? value : undefined
  if (typeof value === 'string') return value.isWellFormed() ? value : undefined
  if (value instanceof Date) return Number.isNaN(value.getTime()) ? undefined : BigInt(value.getTime()) * 1000n
  if (!(value instanceof Uint8Array)) return undefined
  // A copy of its own bytes: the buffer around it may be larger, and change.
  return new Uint8Array(value)
}

function kindOf(value: CellValue): FeatureKind {
  if (typeof value === 'string' || value instanceof Uint8Array) return 'bytes'
  return typeof value === 'number' && !Number.isSafeInteger(value) ? 'float' : 'int'
}

function ofKind(values: readonly CellValue[], kind: FeatureKind): readonly CellValue[] {
  return kind === 'float' ? values.map(Number) : values
}

function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 50))
  if (value instanceof Date) return 'a date that is none'
  if (typeof value === 'object' && value !== null) return Array.isArray(value) ? 'a list' : 'an object'
  return typeof value === 'function' ? 'a function' : String(value)
}

function named(row: object): string {
  const { constructor: made } = row as { readonly constructor?: unknown }
  return typeof made === 'function' && made.name !== '' ? `a ${made.name}` : 'an object'
}
