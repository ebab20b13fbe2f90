import { batchBytes, type ExampleBatch, type FeatureKind } from '../formats/batch.ts'
import { ColumnBuilder } from '../formats/column-builder.ts'
import type { SourceFile } from '../model/source-files.ts'
import { type ExactJson, type ExactObject, type JsonRecord, jsonProblem, readJson, readJsonLines } from './json.ts'
import { KindMismatch, type KindsSoFar, notOfKind, widened } from './kinds.ts'
import type { TextEncodingName } from './read-text.ts'

/** The two forms of JSON files. */
export type JsonFormat = 'json' | 'jsonl'

/** A value of a feature; booleans are 0 and 1. */
type Scalar = string | number | bigint

/**
 * Finds the kinds of JSON or JSON Lines files, in all of their records, or in those of the first piece of each where `sample` is true: numbers are ints
 * where all of a feature are whole and safe; texts are bytes.
 */
export async function findJsonKinds(
  format: JsonFormat,
  files: readonly SourceFile[],
  encoding: TextEncodingName | undefined,
  sample: boolean,
  signal: AbortSignal | undefined,
): Promise<KindsSoFar> {
  const finder = new KindFinder(format)
  for (const file of files) {
    let seen = false
    for await (const records of recordsOf(format, file, encoding, signal)) {
      for (const record of records) finder.add(record, file)
      seen ||= records.length > 0
      if (sample && seen) break
    }
  }
  return finder.kinds
}

/**
 * Reads JSON or JSON Lines files as batches of the kinds given: values go to columns without a row between.
 *
 * Throws `KindMismatch` where a value does not fit a kind that `schema` does not name, and `ZEN_SOURCE_VALUE` where it does not fit one that it names.
 */
export async function* readJsonRows(
  format: JsonFormat,
  files: readonly SourceFile[],
  encoding: TextEncodingName | undefined,
  kinds: ReadonlyMap<string, FeatureKind | undefined>,
  schema: { readonly [feature: string]: FeatureKind },
  batchSize: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<ExampleBatch> {
  const filler = new BatchFiller(format, kinds, schema, batchSize)
  for (const file of files) {
    filler.beginFile()
    for await (const records of recordsOf(format, file, encoding, signal)) {
      for (const record of records) {
        filler.add(record, file)
        if (filler.rows === batchSize || filler.bytes >= batchBytes) yield filler.take()
      }
    }
  }
  if (filler.rows > 0) yield filler.take()
}

function recordsOf(
  format: JsonFormat,
  file: SourceFile,
  encoding: TextEncodingName | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly JsonRecord[]> {
  return format === 'json' ? readJson(file, encoding, signal) : readJsonLines(file, encoding, signal)
}

/** A feature that records have. */
interface Feature {
  readonly name: string
  /** The last record that has it, null counted in. */
  record: number
}

/** A key of an object, and what is below it. */
interface Key<F> {
  /** Names from the top, joined by dots. */
  readonly name: string
  feature: F | undefined
  readonly below: Map<string, Key<F>>
}

/** Walks through records: nested objects are flattened with dots, lists are several values. */
abstract class RecordWalk<F extends Feature> {
  private readonly format: JsonFormat
  private readonly top: Key<F> = { name: '', feature: undefined, below: new Map() }
  private record = 0

  constructor(format: JsonFormat) {
    this.format = format
  }

  /** Takes the values of a record. Throws `ZEN_JSON_RECORD` for a name that it has twice and for lists of lists, objects and nulls. */
  add(record: JsonRecord, file: SourceFile): void {
    this.record++
    this.walk(record.object, this.top, record.at, file)
  }

  protected abstract featureOf(name: string): F
  protected abstract open(feature: F): void
  protected abstract value(feature: F, value: Scalar, file: SourceFile): void
  protected abstract close(feature: F): void

  private walk(object: ExactObject, parent: Key<F>, at: number, file: SourceFile): void {
    for (const name of Object.keys(object)) {
      const value = object[name]!
      let key = parent.below.get(name)
      if (key === undefined) {
        key = { name: parent === this.top ? name : `${parent.name}.${name}`, feature: undefined, below: new Map() }
        parent.below.set(name, key)
      }
      if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
        this.walk(value as ExactObject, key, at, file)
        continue
      }
      key.feature ??= this.featureOf(key.name)
      const { feature } = key
      if (feature.record === this.record)
        throw this.problem(file, at, `has "${feature.name}" twice, once as a name with dots`)
      feature.record = this.record
      if (value === null) continue
      this.open(feature)
      if (Array.isArray(value))
        for (const item of value) this.value(feature, this.scalar(item, feature, at, file), file)
      else this.value(feature, this.scalar(value, feature, at, file), file)
      this.close(feature)
    }
  }

  private scalar(value: ExactJson, { name }: Feature, at: number, file: SourceFile): Scalar {
    if (typeof value === 'boolean') return value ? 1 : 0
    if (typeof value === 'object')
      throw this.problem(file, at, `has a nested list or null in "${name}", which a feature cannot hold`)
    return value
  }

  private problem(file: SourceFile, at: number, what: string): Error {
    return jsonProblem(file, `${this.format === 'json' ? 'record' : 'line'} ${at}`, what)
  }
}

class KindFinder extends RecordWalk<Feature & { kind: FeatureKind | undefined }> {
  private readonly features = new Map<string, Feature & { kind: FeatureKind | undefined }>()

  get kinds(): KindsSoFar {
    return new Map([...this.features].map(([name, { kind }]) => [name, kind]))
  }

  protected override featureOf(name: string): Feature & { kind: FeatureKind | undefined } {
    let feature = this.features.get(name)
    if (feature === undefined) {
      feature = { name, record: 0, kind: undefined }
      this.features.set(name, feature)
    }
    return feature
  }

  protected override open(): void {}

  protected override value(feature: { kind: FeatureKind | undefined }, value: Scalar): void {
    feature.kind = widened(feature.kind, kindOf(value))
  }

  protected override close(): void {}
}

function kindOf(value: Scalar): FeatureKind {
  if (typeof value === 'number') return Number.isSafeInteger(value) ? 'int' : 'float'
  return typeof value === 'bigint' ? 'int' : 'bytes'
}

/** A feature with the column of its values. */
interface FilledFeature extends Feature {
  /** Undefined where no value was seen, and one is a mismatch. */
  readonly kind: FeatureKind | undefined
  readonly builder: ColumnBuilder
}

/** Gathers records into batches of given kinds. */
class BatchFiller extends RecordWalk<FilledFeature> {
  /** Rows in the batch so far. */
  rows = 0
  /** Letters of the texts in it. */
  bytes = 0
  private readonly features: ReadonlyMap<string, FilledFeature>
  private readonly schema: { readonly [feature: string]: FeatureKind }
  /** The record of the file that is being added. */
  private inFile = 0

  constructor(
    format: JsonFormat,
    kinds: ReadonlyMap<string, FeatureKind | undefined>,
    schema: { readonly [feature: string]: FeatureKind },
    batchSize: number,
  ) {
    super(format)
    this.schema = schema
    this.features = new Map(
      [...kinds].map(([name, kind]) => [
        name,
        { name, kind, record: 0, builder: new ColumnBuilder(name, kind ?? 'bytes', batchSize) },
      ]),
    )
  }

  beginFile(): void {
    this.inFile = 0
  }

  override add(record: JsonRecord, file: SourceFile): void {
    this.inFile++
    super.add(record, file)
    this.rows++
  }

  protected override featureOf(name: string): FilledFeature {
    const feature = this.features.get(name)
    if (feature === undefined) throw new KindMismatch(name)
    return feature
  }

  protected override open({ builder }: FilledFeature): void {
    if (builder.nextRow !== this.rows) builder.openRow(this.rows)
  }

  protected override value(feature: FilledFeature, value: Scalar, file: SourceFile): void {
    const { builder, kind } = feature
    if (kind === 'bytes') {
      const text = typeof value === 'string' ? value : String(value)
      this.bytes += text.length
      builder.addText(text)
    } else if (kind === 'float' && typeof value !== 'string') builder.addFloat(Number(value))
    else if (kind === 'int' && typeof value === 'number' && Number.isSafeInteger(value)) builder.addWhole(value)
    else if (kind === 'int' && typeof value === 'bigint')
      builder.addInt(Number(value >> 32n), Number(value & 0xffffffffn))
    else if (Object.hasOwn(this.schema, feature.name))
      throw notOfKind(String(value), builder.kind, feature.name, file.name, this.inFile)
    else throw new KindMismatch(feature.name)
  }

  protected override close({ builder }: FilledFeature): void {
    builder.closeRow(this.rows)
  }

  /** The rows so far as a batch; begins the next. */
  take(): ExampleBatch {
    const { rows } = this
    this.rows = 0
    this.bytes = 0
    return {
      length: rows,
      columns: new Map([...this.features].map(([name, { builder }]) => [name, builder.take(rows)])),
    }
  }
}
