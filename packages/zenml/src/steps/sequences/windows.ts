import { compareText } from '../../base/canonical.ts'
import type { ExampleBatch, FeatureKind } from '../../formats/batch.ts'
import { bytesAt, rowEnd, rowStart } from '../../formats/batch.ts'
import { ColumnBuilder } from '../../formats/column-builder.ts'
import { timeText } from '../time-value.ts'
import type { EndedSession, FeaturePlan, SessionFeature } from './session.ts'

/** What windows are cut, and what they hold. */
export interface WindowPlan {
  readonly features: readonly FeaturePlan[]
  readonly length: number
  readonly stride: number
  readonly time: { readonly name: string; readonly kind: FeatureKind }
  readonly by: readonly { readonly name: string; readonly kind: FeatureKind }[]
  readonly label: { readonly name: string; readonly feature: number; readonly horizon: number } | undefined
}

/** Values that a batch of windows holds at most, but for the last window. */
const mostValues = 1 << 18

/** Cuts sessions into windows, one example each. */
export class WindowCutter {
  /** Windows that were left out, as a value or the label was missing. */
  dropped = 0
  private readonly plan: WindowPlan
  private builders: Map<string, ColumnBuilder>
  private rows = 0
  private readonly batchRows: number

  constructor(plan: WindowPlan) {
    this.plan = plan
    this.batchRows = Math.max(1, Math.min(4096, Math.floor(mostValues / (plan.length * plan.features.length))))
    this.builders = this.newBuilders()
  }

  private newBuilders(): Map<string, ColumnBuilder> {
    const { features, time, by, label } = this.plan
    const kinds: [string, FeatureKind][] = [
      ...features.map(({ name, becomes }): [string, FeatureKind] => [name, becomes]),
      ...by.map(({ name, kind }): [string, FeatureKind] => [name, kind]),
      [time.name, time.kind],
      ...(label === undefined ? [] : [[label.name, features[label.feature]!.becomes] as [string, FeatureKind]]),
    ]
    return new Map(
      kinds
        .sort(([a], [b]) => compareText(a, b))
        .map(([name, kind]) => [name, new ColumnBuilder(name, kind, this.batchRows)]),
    )
  }

  /** The windows of a session, in batches as they fill. */
  *cut(session: EndedSession): Generator<ExampleBatch, void, undefined> {
    const { length, stride, label, features } = this.plan
    const cells = session.times.length
    const lastMissing = missingBefore(session.features, cells)
    for (let start = 0; start + length <= cells; start += stride) {
      const last = start + length - 1
      const labelAt = label === undefined ? last : last + label.horizon
      // Behind the end of a session there is nothing to tell.
      if (labelAt >= cells) return
      const hasLabel = label === undefined || !Number.isNaN(session.features[label.feature]!.observed[labelAt])
      if (lastMissing[last]! >= start || !hasLabel) {
        this.dropped++
        continue
      }
      const { rows } = this
      for (const [index, { name, becomes }] of features.entries()) {
        const { filled, words } = session.features[index]!
        const builder = this.open(name)
        for (let cell = start; cell <= last; cell++) put(builder, becomes, filled[cell]!, words)
        builder.closeRow(rows)
      }
      this.putKeys(session)
      this.putTime(session.times[last]!)
      if (label !== undefined) {
        const { observed, words } = session.features[label.feature]!
        const builder = this.open(label.name)
        put(builder, features[label.feature]!.becomes, observed[labelAt]!, words)
        builder.closeRow(rows)
      }
      this.rows++
      if (this.rows === this.batchRows) yield this.take()
    }
  }

  /** What is left; undefined where nothing is. */
  finish(): ExampleBatch | undefined {
    return this.rows === 0 ? undefined : this.take()
  }

  private take(): ExampleBatch {
    const { rows } = this
    this.rows = 0
    const columns = new Map([...this.builders].map(([name, builder]) => [name, builder.take(rows)]))
    return { length: rows, columns }
  }

  private open(name: string): ColumnBuilder {
    const builder = this.builders.get(name)!
    builder.openRow(this.rows)
    return builder
  }

  private putKeys({ first }: EndedSession): void {
    for (const { name } of this.plan.by) {
      const builder = this.open(name)
      const column = first.batch.columns.get(name)!
      for (let at = rowStart(column, first.row); at < rowEnd(column, first.row); at++) {
        if (column.kind === 'bytes') {
          const bytes = bytesAt(column, at)
          builder.addBytes(bytes, 0, bytes.length)
        } else if (column.kind === 'float') builder.addFloat(column.values[at]!)
        else addExact(builder, column.big?.[at] ?? BigInt(column.values[at]!))
      }
      builder.closeRow(this.rows)
    }
  }

  private putTime(time: number): void {
    const { name, kind } = this.plan.time
    const builder = this.open(name)
    if (kind === 'bytes') putBytes(builder, timeText(time))
    else if (kind === 'float') builder.addFloat(time)
    else addExact(builder, BigInt(time))
    builder.closeRow(this.rows)
  }
}

/** By cell: the last cell up to it that some feature lacks; -1 where none does. */
function missingBefore(features: readonly SessionFeature[], cells: number): Int32Array {
  const missing = new Int32Array(cells)
  let last = -1
  for (let cell = 0; cell < cells; cell++) {
    if (features.some(({ filled }) => Number.isNaN(filled[cell]))) last = cell
    missing[cell] = last
  }
  return missing
}

function put(builder: ColumnBuilder, kind: FeatureKind, value: number, words: readonly string[]): void {
  if (kind === 'bytes') putBytes(builder, words[value]!)
  else if (kind === 'float') builder.addFloat(value)
  else builder.addWhole(value)
}

function putBytes(builder: ColumnBuilder, word: string): void {
  const bytes = Buffer.from(word, 'latin1')
  builder.addBytes(bytes, 0, bytes.length)
}

function addExact(builder: ColumnBuilder, value: bigint): void {
  builder.addInt(Number(value >> 32n), Number(value & 0xffffffffn))
}
