import { compareText, digestOf } from '../base/canonical.ts'
import { ZenmlError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import { type Column, type ExampleBatch, rowEnd, rowStart } from '../formats/batch.ts'
import type { FittedFeature, FittedLabel, TransformGraphData } from '../formats/transform-graph.ts'
import { labelsOf } from './transform-labels.ts'
import { familyOf } from './transforms/families.ts'
import { numberAt, wordAt } from './values.ts'

/** Rows as a model takes them. */
export interface TransformedBatch {
  /**
   * Rows that are left, as indexes into the batch: those without a label are dropped where labels are asked for, and those that lack a feature
   * whose `missing` is drop.
   */
  readonly rows: Uint32Array
  /** Numbers in a row. */
  readonly width: number
  /** Row after row, `rows.length * width`. */
  readonly features: Float32Array
  /** One a row: index of the class, or the value; empty where no labels were asked for. */
  readonly labels: Float32Array
  /** The same of each further label, in their order; empty where no labels were asked for. */
  readonly otherLabels: readonly Float32Array[]
}

/** How many numbers a feature gives. */
export function widthOf({ transform, values = 1, missing }: FittedFeature): number {
  return familyOf(transform.kind).width(transform) * values + (missing === 'indicator' ? 1 : 0)
}

/**
 * How many numbers a fitted transform gives for a row.
 *
 * @example
 * transformWidth({ version: 2, features: [], label: { name: 'y', transform: { kind: 'number' } } }) // 0
 */
export function transformWidth({ features }: TransformGraphData): number {
  return features.reduce((sum, feature) => sum + widthOf(feature), 0)
}

/** Numbers that a batch of transformed rows has at most, but for a row of more: 16 MiB. */
const batchNumbers = 4 << 20

/** How many rows to read at once: an image or a long text becomes many numbers, and what a row becomes does not depend on those beside it. */
export function rowsAtOnce(graph: TransformGraphData): number {
  return Math.max(1, Math.min(4096, Math.floor(batchNumbers / Math.max(1, transformWidth(graph)))))
}

/**
 * The features of examples that a fitted transform looks at, labels left out: sorted, each once.
 *
 * @example
 * const transform = { kind: 'pca', inputs: ['b', 'a'], means: [0, 0], scales: [1, 1], components: [[1, 0]], variances: [1] } as const
 * transformInputs({ version: 2, features: [{ name: 'c', transform }], label: { name: 'y', transform: { kind: 'number' } } }) // ['a', 'b']
 */
export function transformInputs({ features }: TransformGraphData): string[] {
  return [...new Set(features.flatMap(inputsOf))].sort(compareText)
}

/**
 * What tells a fitted transform from every other: the digest of its canonical encoding. Trainers put it into the `metadata` of a model as `transform`.
 *
 * @example
 * transformDigest({ version: 2, features: [], label: { name: 'y', transform: { kind: 'number' } } }).length // 71
 */
export function transformDigest(graph: TransformGraphData): string {
  return digestOf(graph as unknown as Json)
}

/**
 * The label of a fitted transform, for a model that tells one; throws `ZEN_TRANSFORM_LABELS` where there are several.
 *
 * @example
 * onlyLabel({ version: 2, features: [], label: { name: 'y', transform: { kind: 'number' } } }).name // 'y'
 */
export function onlyLabel({ label, otherLabels = [] }: TransformGraphData): FittedLabel {
  if (otherLabels.length === 0) return label
  const names = [label, ...otherLabels].map(({ name }) => name)
  throw new ZenmlError(
    'ZEN_TRANSFORM_LABELS',
    `The transform has the labels ${names.join(', ')}, but the model tells one.`,
    { facts: { labels: names }, next: 'Fit a transform for each label.', exitCode: 1 },
  )
}

function inputsOf({ name, transform }: FittedFeature): readonly string[] {
  return transform.kind === 'pca' ? transform.inputs : [name]
}

/**
 * Applies a fitted transform to raw examples: the same function for training, evaluation and serving. Each row's numbers depend on that row alone,
 * whatever the batch. A feature that a row, or the whole batch, does not have is filled as fitted, unless its `missing` says otherwise.
 *
 * Throws `ZEN_TRANSFORM_VALUE` for a text where a number is expected, for an infinite number, and for a missing value where that is an error;
 * `ZEN_TRANSFORM_IMAGE` for an image that cannot be decoded; `ZEN_LABEL_UNKNOWN` for a class that was not seen in fitting.
 *
 * @example
 * const fitted: TransformGraphData = {
 *   version: 2,
 *   features: [{ name: 'mass', transform: { kind: 'minmax', fill: 0, min: 2000, max: 6000 } }],
 *   label: { name: 'species', transform: { kind: 'class', classes: ['Adelie', 'Gentoo'] } },
 * }
 * applyTransform(fitted, batchOf([{ mass: 4000 }]), { labels: false }).features // Float32Array.of(0.5)
 */
export function applyTransform(
  graph: TransformGraphData,
  batch: ExampleBatch,
  { labels = true }: { readonly labels?: boolean } = {},
): TransformedBatch {
  const width = transformWidth(graph)
  const all = labels ? [graph.label, ...(graph.otherLabels ?? [])].map((label) => labelsOf(label, batch)) : []
  const labelled: number[] = []
  for (let row = 0; row < batch.length; row++) if (all.every((values) => !Number.isNaN(values[row]))) labelled.push(row)
  const given = Uint32Array.from(labelled)
  const matrix = new Float32Array(given.length * width)
  const dropped = new Uint8Array(given.length)
  let at = 0
  for (const feature of graph.features) {
    writeFeature(feature, batch, given, { matrix, width, at, dropped })
    at += widthOf(feature)
  }
  const rows = given.filter((_, index) => dropped[index] === 0)
  if (rows.length < given.length) {
    let to = 0
    for (let from = 0; from < given.length; from++)
      if (dropped[from] === 0) matrix.copyWithin(to++ * width, from * width, (from + 1) * width)
  }
  const [first, ...others] = all.map((values) => Float32Array.from(rows, (row) => values[row]!))
  return {
    rows,
    width,
    features: matrix.subarray(0, rows.length * width),
    labels: first ?? new Float32Array(0),
    otherLabels: others,
  }
}

/** Writes the numbers of one feature for each row, and marks the rows that are dropped for it. */
function writeFeature(
  feature: FittedFeature,
  batch: ExampleBatch,
  rows: Uint32Array,
  into: { readonly matrix: Float32Array; readonly width: number; readonly at: number; readonly dropped: Uint8Array },
): void {
  const { name, transform, values = 1, missing } = feature
  const { matrix, width, at, dropped } = into
  const family = familyOf(transform.kind)
  const inputs = inputsOf(feature).map((input) => ({ input, column: batch.columns.get(input) }))
  for (const { input, column } of inputs)
    if (family.takes !== 'words') checkKind(input, column, rows, family.takes === 'images' ? 'images' : 'numbers')
  const size = family.width(transform)
  const column = inputs[0]!.column
  const write = family.writer(
    transform,
    inputs.map((input) => input.column),
  )
  // Every row has one value, and one counts: its index is the row.
  const isPlain = values === 1 && column !== undefined && column.offsets === undefined
  for (let index = 0; index < rows.length; index++) {
    const row = rows[index]!
    const place = index * width + at
    let lacks = false
    if (family.per === 'row' || isPlain) lacks = write(row, matrix, place)
    else {
      const start = column === undefined ? 0 : rowStart(column, row)
      const end = column === undefined ? 0 : rowEnd(column, row)
      for (let value = 0; value < values; value++)
        if (write(start + value < end ? start + value : -1, matrix, place + value * size)) lacks = true
    }
    if (lacks && missing !== undefined) {
      if (missing === 'error') throw lacking(name, row)
      if (missing === 'drop') dropped[index] = 1
      else matrix[place + size * values] = 1
    }
    if (family.takes !== 'numbers') continue
    // Of the buckets of a value the first tells as much as all.
    const step = family.per === 'row' ? 1 : size
    for (let part = 0; part < size * values; part += step)
      if (!Number.isFinite(matrix[place + part])) throw tooLarge(inputs, row, name)
  }
}

/** A text must not silently count as a missing number, nor a number as a missing image. */
function checkKind(name: string, column: Column | undefined, rows: Uint32Array, takes: 'numbers' | 'images'): void {
  if (column === undefined || (column.kind === 'bytes') === (takes === 'images')) return
  const row = rows.find((some) => rowEnd(column, some) > rowStart(column, some))
  if (row === undefined) return
  const value =
    takes === 'numbers'
      ? `the text ${JSON.stringify(wordAt(column, row))}`
      : `the number ${wordAt(column, row) ?? 'NaN'}`
  throw new ZenmlError('ZEN_TRANSFORM_VALUE', `Row ${row} has ${value} for "${name}", which was fitted on ${takes}.`, {
    facts: { row, feature: name },
    next: `Give it as ${takes === 'numbers' ? 'a number' : 'the bytes of an image'}, or leave it out to have it filled.`,
    exitCode: 1,
  })
}

function lacking(name: string, row: number): ZenmlError {
  return new ZenmlError('ZEN_TRANSFORM_VALUE', `Row ${row} lacks a value of "${name}", which must not be missing.`, {
    facts: { row, feature: name },
    next: 'Give it, or fit the transform with another rule of "missing" for this feature.',
    exitCode: 1,
  })
}

function tooLarge(
  inputs: readonly { readonly input: string; readonly column: Column | undefined }[],
  row: number,
  name: string,
): ZenmlError {
  const said = inputs.map(({ input, column }) => `${valuesText(column, row)} for "${input}"`).join(', ')
  return new ZenmlError('ZEN_TRANSFORM_VALUE', `Row ${row} has ${said}, which gives no finite number.`, {
    facts: { row, feature: name },
    next: 'Replace infinite and extreme values in a step before, or bucketize the feature.',
    exitCode: 1,
  })
}

function valuesText(column: Column | undefined, row: number): string {
  if (column === undefined || column.kind === 'bytes') return 'nothing'
  return rowEnd(column, row) - rowStart(column, row) > 1
    ? String([...column.values.subarray(rowStart(column, row), rowEnd(column, row))])
    : String(numberAt(column, row) ?? 'nothing')
}
