import type { JsonObject } from '../base/json.ts'
import type { RunRecord } from '../model/run.ts'
import type { PinnedRun } from './pinned-run.ts'

/** How the outputs of a run stand beside those of the run that it made again. */
export interface Comparison extends JsonObject {
  /** The run that was made again. */
  readonly with: string
  /** Outputs that both have. */
  readonly compared: number
  /** `step.output` of those that differ. */
  readonly differing: readonly string[]
  /** `step.output` of those that are on record and were not made again: a step failed, or was canceled. */
  readonly missing: readonly string[]
}

/** Compares the digests of what two runs gave. */
export function comparisonOf(pinned: PinnedRun, { steps }: Pick<RunRecord, 'steps'>): Comparison {
  const made = new Map(steps.map(({ name, outputs }) => [name, outputs]))
  let compared = 0
  const differing: string[] = []
  const missing: string[] = []
  for (const [step, { outputs }] of Object.entries(pinned.steps)) {
    for (const [output, { digest }] of Object.entries(outputs)) {
      const again = made.get(step)?.[output]?.digest
      if (again === undefined) missing.push(`${step}.${output}`)
      else compared++
      if (again !== undefined && again !== digest) differing.push(`${step}.${output}`)
    }
  }
  return { with: pinned.id, compared, differing, missing }
}
