import { ZenmlError } from '../base/errors.ts'
import { type ExampleBatch, rowEnd, rowStart } from '../formats/batch.ts'
import type { FittedLabel } from '../formats/transform-graph.ts'
import { numberAt, wordAt } from './values.ts'

/** A label of each row, as index of its class or value; NaN where it is missing. */
export function labelsOf({ name, transform }: FittedLabel, batch: ExampleBatch): Float64Array {
  const column = batch.columns.get(name)
  const labels = new Float64Array(batch.length).fill(Number.NaN)
  const index = transform.kind === 'class' ? new Map(transform.classes.map((word, place) => [word, place])) : undefined
  for (let row = 0; row < batch.length; row++) {
    if (index === undefined) {
      if (column?.kind === 'bytes' && rowEnd(column, row) > rowStart(column, row))
        throw refused(name, row, `the text ${JSON.stringify(wordAt(column, row))}`, 'is learned as a number')
      labels[row] = numberAt(column, row) ?? Number.NaN
      if (!Number.isNaN(labels[row]) && !Number.isFinite(Math.fround(labels[row]!)))
        throw refused(name, row, String(labels[row]), 'gives no finite number')
    } else {
      const word = wordAt(column, row)
      const place = word === undefined ? Number.NaN : index.get(word)
      if (place === undefined) {
        throw new ZenmlError('ZEN_LABEL_UNKNOWN', `The class "${word}" of label "${name}" was not seen in fitting.`, {
          next: 'Put rare classes together, or leave their rows out, in a step before the split; or give the train split a larger share.',
          exitCode: 1,
        })
      }
      labels[row] = place
    }
  }
  return labels
}

function refused(name: string, row: number, value: string, why: string): ZenmlError {
  return new ZenmlError('ZEN_TRANSFORM_VALUE', `Row ${row} has ${value} for the label "${name}", which ${why}.`, {
    facts: { row, feature: name },
    next: 'Mend it, or leave the row out, in a step before.',
    exitCode: 1,
  })
}
