import { compareText } from '../base/canonical.ts'
import type { ExampleBatch, FeatureKind } from '../formats/batch.ts'
import type { FittedLabel } from '../formats/transform-graph.ts'
import { unfit } from './transforms/family.ts'
import { numberAt, wordAt } from './values.ts'

/** More are hardly classes, but identifiers. */
const mostClasses = 100_000

/** Learns what a label can be. */
export class LabelFit {
  private readonly name: string
  private readonly kind: FeatureKind
  private readonly split: string
  private readonly classes: Set<string> | undefined
  private labels = 0

  constructor(name: string, kind: FeatureKind, task: 'classification' | 'regression' | undefined, split: string) {
    if (task === 'regression' && kind === 'bytes')
      throw unfit(`The label "${name}" is text, but regression needs numbers.`)
    this.name = name
    this.kind = kind
    this.split = split
    this.classes = kind === 'bytes' || task === 'classification' ? new Set() : undefined
  }

  see(batch: ExampleBatch): void {
    const column = batch.columns.get(this.name)
    for (let row = 0; row < batch.length; row++) {
      if (this.classes === undefined) {
        if (numberAt(column, row) !== undefined) this.labels++
        continue
      }
      const word = wordAt(column, row)
      if (word === undefined) continue
      this.labels++
      this.classes.add(word)
    }
    if (this.classes !== undefined && this.classes.size > mostClasses)
      throw unfit(
        `The label "${this.name}" has more than ${mostClasses} classes.`,
        'Name a label with fewer values, or set "task" to regression where it is an amount.',
      )
  }

  finish(): FittedLabel {
    const { name, kind, split, classes, labels } = this
    if (labels === 0) throw unfit(`No row of split "${split}" has the label "${name}".`)
    if (classes === undefined) return { name, transform: { kind: 'number' } }
    if (classes.size === 1)
      throw unfit(
        `Every row of split "${split}" has the same label "${name}": ${JSON.stringify([...classes][0])}.`,
        'Use data with at least two classes; there is nothing to learn from one.',
      )
    const names = [...classes]
    return {
      name,
      transform: {
        kind: 'class',
        classes:
          kind === 'bytes' ? names.sort(compareText) : names.sort((a, b) => Number(a) - Number(b) || compareText(a, b)),
      },
    }
  }
}
