import type { RunRecord } from '../model/run.ts'
import { shortRun } from './explain-sentence.ts'

/** A step that only the other run has. */
export interface StepOnlyThere {
  readonly name: string
  /** The step here that is the same execution under another name, else null. */
  readonly now: string | null
  /** One sentence for people. */
  readonly reason: string
}

/** The steps of a run that another does not have. */
export function stepsOnlyIn(other: RunRecord, { steps }: RunRecord): StepOnlyThere[] {
  return other.steps
    .filter(({ name }) => !steps.some((step) => step.name === name))
    .map(({ name, identity }) => {
      const same = steps.find((step) => identity !== null && step.identity?.key === identity.key)?.name ?? null
      const now = same === null ? '' : `; ${same} is the same under another name`
      return { name, now: same, reason: `${name} is only in run ${shortRun(other.id)}${now}.` }
    })
}
