import type { ColumnBuilder } from '../formats/column-builder.ts'
import type { VectorForm } from './duckdb-columns.ts'

type Bindings = typeof import('@duckdb/node-bindings')
type Chunk = import('@duckdb/node-api').DuckDBDataChunk

/** Bytes of a value of each form. A blob is a `duckdb_string_t`: its length, and its bytes where they are no more than twelve, else where they are. */
const widths: { readonly [form in VectorForm]: number } = { bytes: 16, int32: 4, int64: 8, double: 8 }
const mostInline = 12

/**
 * Columns of chunks as DuckDB has them in memory: the driver's own vectors make an object of each text and a bigint of each whole number, which
 * takes longer than to decode the file.
 */
export class RawVectors {
  private readonly bindings: Bindings

  private constructor(bindings: Bindings) {
    this.bindings = bindings
  }

  static async load(): Promise<RawVectors> {
    // Its types say that it is a module of functions; it is one of CommonJS.
    const { default: bindings } = (await import('@duckdb/node-bindings')) as unknown as { default: Bindings }
    return new RawVectors(bindings)
  }

  /** A column of a chunk, which has to be kept as long as this is used. */
  column({ chunk, rowCount }: Chunk, index: number, form: VectorForm): RawVector {
    const vector = this.bindings.data_chunk_get_vector(chunk, index)
    const data = this.bindings.vector_get_data(vector, rowCount * widths[form])
    // Null where every value is there.
    const validity = this.bindings.vector_get_validity(vector, Math.ceil(rowCount / 64) * 8) as Uint8Array | null
    return new RawVector(this.bindings, form, data, validity)
  }
}

/** The values of a column in a chunk. */
export class RawVector {
  private readonly bindings: Bindings
  private readonly form: VectorForm
  private readonly data: Uint8Array
  private readonly words: Int32Array
  private readonly valid: Uint8Array | null

  constructor(bindings: Bindings, form: VectorForm, data: Uint8Array, valid: Uint8Array | null) {
    this.bindings = bindings
    this.form = form
    this.data = data
    this.words = new Int32Array(data.buffer, data.byteOffset, data.byteLength >> 2)
    this.valid = valid
  }

  /** Adds the values from `from` to before `end` to a column of their kind, the first of them as row `row`. */
  addTo(builder: ColumnBuilder, from: number, end: number, row: number): void {
    const { form, words, valid } = this
    const doubles =
      form === 'double' ? new Float64Array(words.buffer, words.byteOffset, words.length >> 1) : new Float64Array(0)
    for (let index = from; index < end; index++) {
      if (valid !== null && (valid[index >> 3]! & (1 << (index & 7))) === 0) continue
      const at = row + index - from
      if (builder.nextRow !== at) builder.openRow(at)
      if (form === 'int64') builder.addInt(words[index * 2 + 1]!, words[index * 2]! >>> 0)
      else if (form === 'double') builder.addFloat(doubles[index]!)
      else if (form === 'int32') builder.addWhole(words[index]!)
      else this.addBytes(builder, index)
      builder.closeRow(at)
    }
  }

  private addBytes(builder: ColumnBuilder, index: number): void {
    const { data } = this
    const length = this.words[index * 4]! >>> 0
    if (length <= mostInline) builder.addBytes(data, index * 16 + 4, length)
    else {
      const bytes = this.bindings.get_data_from_pointer(
        data.buffer as ArrayBuffer,
        data.byteOffset + index * 16 + 8,
        length,
      )
      builder.addBytes(bytes, 0, length)
    }
  }
}
