import { batchBytes, type ExampleBatch, type FeatureKind } from '../formats/batch.ts'
import { ColumnBuilder } from '../formats/column-builder.ts'
import type { CellSink } from './csv-scan.ts'
import { KindMismatch, type KindsSoFar, notOfKind, widened } from './kinds.ts'
import { found, readNumber } from './number-text.ts'

/** Tells which unquoted cells mean a missing value. */
export class MissingTexts {
  private readonly empty: boolean
  private readonly others: readonly Uint8Array[]

  constructor(texts: readonly string[]) {
    this.empty = texts.includes('')
    this.others = texts.filter((text) => text !== '').map((text) => Buffer.from(text))
  }

  has(bytes: Uint8Array, start: number, end: number): boolean {
    if (start === end) return this.empty
    for (let index = 0; index < this.others.length; index++) {
      const text = this.others[index]!
      if (text.length !== end - start) continue
      let at = 0
      while (at < text.length && bytes[start + at] === text[at]) at++
      if (at === text.length) return true
    }
    return false
  }
}

/** What both sinks do at the end of a record: check its length, stop where they are told. */
export type RecordEnd = (cells: number, line: number) => boolean

/** Finds the kinds of the columns of one file; `schema`'s are taken as they are. */
export class KindFinder implements CellSink {
  readonly endRecord: RecordEnd
  private readonly kinds: (FeatureKind | undefined)[]
  private readonly names: readonly string[]
  private readonly missing: MissingTexts

  constructor(names: readonly string[], known: KindsSoFar, missing: MissingTexts, endRecord: RecordEnd) {
    this.names = names
    this.kinds = names.map((name) => known.get(name))
    this.missing = missing
    this.endRecord = endRecord
  }

  cell(index: number, bytes: Uint8Array, start: number, end: number, quoted: boolean): void {
    const known = this.kinds[index]
    if (known === 'bytes' || index >= this.kinds.length) return
    // A quoted "" says nothing of the kind: among numbers it is a missing one, as programs that quote every cell write it.
    if (quoted ? start === end : this.missing.has(bytes, start, end)) return
    this.kinds[index] = widened(known, readNumber(bytes, start, end))
  }

  /** Puts what was found into the kinds of all files. */
  addTo(kinds: KindsSoFar): void {
    for (const [index, name] of this.names.entries()) kinds.set(name, this.kinds[index])
  }
}

/** Gathers the cells of files into batches of given kinds. */
export class BatchFiller implements CellSink {
  endRecord: RecordEnd = () => true
  /** Rows in the batch so far. */
  rows = 0
  /** Bytes of the texts in it. */
  private bytes = 0
  private readonly batchSize: number
  private readonly builders: ReadonlyMap<string, ColumnBuilder>
  private readonly kinds: ReadonlyMap<string, FeatureKind | undefined>
  private readonly schema: { readonly [feature: string]: FeatureKind }
  private readonly missing: MissingTexts
  private columns: readonly ColumnBuilder[] = []
  private guessed: readonly boolean[] = []
  private file = ''
  private firstRow = 0

  constructor(
    kinds: ReadonlyMap<string, FeatureKind | undefined>,
    schema: { readonly [feature: string]: FeatureKind },
    missing: MissingTexts,
    batchSize: number,
  ) {
    this.kinds = kinds
    this.schema = schema
    this.missing = missing
    this.batchSize = batchSize
    this.builders = new Map(
      [...kinds].map(([name, kind]) => [name, new ColumnBuilder(name, kind ?? 'bytes', batchSize)]),
    )
  }

  /** Begins a file with these columns. */
  begin(file: string, names: readonly string[]): void {
    this.file = file
    this.firstRow = 1
    this.columns = names.map((name) => {
      const builder = this.builders.get(name)
      if (builder === undefined) throw new KindMismatch(name)
      return builder
    })
    this.guessed = names.map((name) => this.kinds.get(name) === undefined)
  }

  cell(index: number, bytes: Uint8Array, start: number, end: number, quoted: boolean): void {
    if (index >= this.columns.length) return // a ragged record, refused at its end
    const builder = this.columns[index]!
    const row = this.rows
    if (quoted ? start === end && builder.kind !== 'bytes' : this.missing.has(bytes, start, end)) return
    if (builder.nextRow !== row) builder.openRow(row)
    if (builder.kind === 'bytes') {
      if (this.guessed[index] && start !== end) throw new KindMismatch(builder.name)
      builder.addBytes(bytes, start, end - start)
      this.bytes += end - start
    } else {
      const kind = readNumber(bytes, start, end)
      if (kind === 'bytes' || (kind === 'float' && builder.kind === 'int')) this.refuse(builder, bytes, start, end)
      if (builder.kind === 'float') builder.addFloat(found.value)
      else if (found.big === undefined) builder.addWhole(found.value)
      else builder.addInt(Number(found.big >> 32n), Number(found.big & 0xffffffffn))
    }
    builder.closeRow(row)
  }

  private refuse(builder: ColumnBuilder, bytes: Uint8Array, start: number, end: number): never {
    if (!Object.hasOwn(this.schema, builder.name)) throw new KindMismatch(builder.name)
    const text = new TextDecoder().decode(bytes.subarray(start, end))
    throw notOfKind(text, builder.kind, builder.name, this.file, this.firstRow + this.rows)
  }

  /** Ends a row; whether there is room for another. */
  endRow(): boolean {
    return ++this.rows < this.batchSize && this.bytes < batchBytes
  }

  /** The rows so far as a batch; begins the next. */
  take(): ExampleBatch {
    const { rows } = this
    this.rows = 0
    this.bytes = 0
    this.firstRow += rows
    return {
      length: rows,
      columns: new Map([...this.builders].map(([name, builder]) => [name, builder.take(rows)])),
    }
  }
}
