import { ZenmlError } from '../base/errors.ts'
import { type Column, type ExampleBatch, rowEnd, rowStart } from '../formats/batch.ts'
import { textAt } from '../formats/examples.ts'
import type { FeatureTransform, TransformGraphData } from '../formats/transform-graph.ts'

/** Rows as a model takes them. */
export interface TransformedBatch {
  /** Rows that are left, as indexes into the batch: those without a label are dropped where labels are asked for. */
  readonly rows: Uint32Array
  /** Numbers in a row. */
  readonly width: number
  /** Row after row, `rows.length * width`. */
  readonly features: Float32Array
  /** One a row: index of the class, or the value; empty where no labels were asked for. */
  readonly labels: Float32Array
}

/** How many numbers a feature gives. */
function widthOf(transform: FeatureTransform): number {
  if (transform.kind === 'onehot') return transform.words.length + 1
  if (transform.kind === 'bucketize') return transform.boundaries.length + 1
  return 1
}

/**
 * How many numbers a fitted transform gives for a row.
 *
 * @example
 * transformWidth({ version: 1, features: [], label: { name: 'y', transform: { kind: 'number' } } }) // 0
 */
export function transformWidth({ features }: TransformGraphData): number {
  return features.reduce((sum, { transform }) => sum + widthOf(transform), 0)
}

/**
 * Applies a fitted transform to raw examples: the same function for training, evaluation and serving. A feature that a row, or the whole
 * batch, does not have is filled as fitted; of several values the first counts.
 *
 * Throws `ZEN_TRANSFORM_VALUE` for a text where a number is expected and for an infinite number, `ZEN_LABEL_UNKNOWN` for a class that was
 * not seen in fitting.
 *
 * @example
 * const fitted: TransformGraphData = {
 *   version: 1,
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
  const label = labels ? labelsOf(graph, batch) : undefined
  const kept: number[] = []
  for (let row = 0; row < batch.length; row++) if (label === undefined || !Number.isNaN(label[row]!)) kept.push(row)
  const rows = Uint32Array.from(kept)
  const features = new Float32Array(rows.length * width)
  let at = 0
  for (const { name, transform } of graph.features) {
    const column = batch.columns.get(name)
    if (transform.kind !== 'onehot' && transform.kind !== 'vocabulary') checkNumbers(name, column, rows)
    const read = reader(column, transform)
    for (let index = 0; index < rows.length; index++) {
      const place = index * width + at
      read(rows[index]!, features, place)
      if (!Number.isFinite(features[place])) throw tooLarge(name, column, rows[index]!)
    }
    at += widthOf(transform)
  }
  return {
    rows,
    width,
    features,
    labels: label === undefined ? new Float32Array(0) : Float32Array.from(rows, (row) => label[row]!),
  }
}

/** A text must not silently count as a missing number. */
function checkNumbers(name: string, column: Column | undefined, rows: Uint32Array): void {
  if (column?.kind !== 'bytes') return
  const row = rows.find((some) => rowEnd(column, some) > rowStart(column, some))
  if (row === undefined) return
  throw new ZenmlError(
    'ZEN_TRANSFORM_VALUE',
    `Row ${row} has the text ${JSON.stringify(wordAt(column, row))} for "${name}", which was fitted on numbers.`,
    { facts: { row, feature: name }, next: 'Give it as a number, or leave it out to have it filled.', exitCode: 1 },
  )
}

function tooLarge(name: string, column: Column | undefined, row: number): ZenmlError {
  return new ZenmlError(
    'ZEN_TRANSFORM_VALUE',
    `Row ${row} has ${numberAt(column, row)} for "${name}", which gives no finite number.`,
    {
      facts: { row, feature: name },
      next: 'Replace infinite and extreme values in a step before, or bucketize the feature.',
      exitCode: 1,
    },
  )
}

/** Writes what a feature gives for one row. */
function reader(
  column: Column | undefined,
  transform: FeatureTransform,
): (row: number, into: Float32Array, at: number) => void {
  switch (transform.kind) {
    case 'onehot': {
      const index = new Map(transform.words.map((word, place) => [word, place]))
      return (row, into, at) => {
        const word = wordAt(column, row) ?? transform.fill
        if (word !== null) into[at + (index.get(word) ?? transform.words.length)] = 1
      }
    }
    case 'vocabulary': {
      const index = new Map(transform.words.map((word, place) => [word, place]))
      return (row, into, at) => {
        const word = wordAt(column, row) ?? transform.fill
        into[at] = word === null ? transform.words.length : (index.get(word) ?? transform.words.length)
      }
    }
    case 'bucketize':
      return (row, into, at) => {
        const value = numberAt(column, row) ?? transform.fill
        let bucket = 0
        while (bucket < transform.boundaries.length && value >= transform.boundaries[bucket]!) bucket++
        into[at + bucket] = 1
      }
    case 'zscore':
      return (row, into, at) => {
        into[at] =
          transform.deviation === 0
            ? 0
            : ((numberAt(column, row) ?? transform.fill) - transform.mean) / transform.deviation
      }
    case 'minmax':
      return (row, into, at) => {
        into[at] =
          transform.max === transform.min
            ? 0
            : ((numberAt(column, row) ?? transform.fill) - transform.min) / (transform.max - transform.min)
      }
    case 'passthrough':
      return (row, into, at) => {
        into[at] = numberAt(column, row) ?? transform.fill
      }
  }
}

/** Label of each row; NaN where it is missing. */
function labelsOf({ label }: TransformGraphData, batch: ExampleBatch): Float64Array {
  const column = batch.columns.get(label.name)
  const labels = new Float64Array(batch.length).fill(Number.NaN)
  const { transform } = label
  if (transform.kind === 'number')
    checkNumbers(
      label.name,
      column,
      Uint32Array.from(labels, (_, row) => row),
    )
  const index = transform.kind === 'class' ? new Map(transform.classes.map((name, place) => [name, place])) : undefined
  for (let row = 0; row < batch.length; row++) {
    if (index === undefined) {
      labels[row] = numberAt(column, row) ?? Number.NaN
      if (!Number.isNaN(labels[row]) && !Number.isFinite(Math.fround(labels[row]!)))
        throw tooLarge(label.name, column, row)
    } else {
      const word = labelWordAt(column, row)
      const place = word === undefined ? Number.NaN : index.get(word)
      if (place === undefined) {
        throw new ZenmlError(
          'ZEN_LABEL_UNKNOWN',
          `The class "${word}" of label "${label.name}" was not seen in fitting.`,
          {
            next: 'Put rare classes together, or leave their rows out, in a step before the split; or give the train split a larger share.',
            exitCode: 1,
          },
        )
      }
      labels[row] = place
    }
  }
  return labels
}

/** The class of a row; undefined where there is none. NaN is no class. */
export function labelWordAt(column: Column | undefined, row: number): string | undefined {
  if (column === undefined || column.kind === 'bytes') return wordAt(column, row)
  return numberAt(column, row) === undefined ? undefined : wordAt(column, row)
}

/** First value of a row as a number; undefined where there is none, or it is NaN. Of a text there is none. */
export function numberAt(column: Column | undefined, row: number): number | undefined {
  if (column === undefined || column.kind === 'bytes' || rowStart(column, row) === rowEnd(column, row)) return undefined
  const value = column.values[rowStart(column, row)]!
  return Number.isNaN(value) ? undefined : value
}

/**
 * First value of a row as a text; undefined where there is none. Numbers are written as JavaScript does, whole ones exactly.
 *
 * @example
 * wordAt(batchOf([{ island: 'Dream' }]).columns.get('island'), 0) // 'Dream'
 */
export function wordAt(column: Column | undefined, row: number): string | undefined {
  if (column === undefined || rowStart(column, row) === rowEnd(column, row)) return undefined
  const at = rowStart(column, row)
  if (column.kind === 'bytes') return textAt(column, at)
  // Identifiers beyond 2^53 must not fall together.
  return String(column.kind === 'int' && column.big !== undefined ? column.big[at] : column.values[at])
}
