import type { JsonObject } from '../base/json.ts'
import type { RunRecord } from '../model/run.ts'
import type { PinnedRun } from '../run/pinned-run.ts'
import type { Colors } from './terminal.ts'

/** How the outputs of a rerun stand beside those of the run that it made again. */
export interface Comparison extends JsonObject {
  /** The run that was made again. */
  readonly with: string
  /** Outputs that both have. */
  readonly compared: number
  /** `step.output` of those that differ. */
  readonly differing: readonly string[]
}

/** Compares the digests of what two runs gave. */
export function comparisonOf(pinned: PinnedRun, { steps }: RunRecord): Comparison {
  let compared = 0
  const differing: string[] = []
  for (const { name, outputs } of steps) {
    for (const [output, { digest }] of Object.entries(pinned.steps[name]?.outputs ?? {})) {
      const again = outputs[output]?.digest
      if (again === undefined) continue
      compared++
      if (again !== digest) differing.push(`${name}.${output}`)
    }
  }
  return { with: pinned.id, compared, differing }
}

/** The same for people. */
export function comparisonLines({ with: id, compared, differing }: Comparison, colors: Colors): string[] {
  if (differing.length === 0)
    return ['', colors.green(`Reproduced: all ${compared} outputs have the digests of run ${id}.`)]
  return [
    '',
    colors.red(`${differing.length} of ${compared} outputs differ from run ${id}: ${differing.join(', ')}.`),
    `"zenml pipeline verify ${id}" finds the cause.`,
  ]
}
