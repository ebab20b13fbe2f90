import type { ArtifactStore } from '../artifacts/artifact-store.ts'
import type { Digest } from '../base/digest.ts'
import { holds } from '../fingerprint/observed.ts'
import type { PreviousExecution, PriorExecution } from '../metadata/step-facts.ts'
import type { Identity } from '../model/fingerprint.ts'
import { breaksStrict } from '../model/touch.ts'
import type { PlannedStep } from './plan.ts'
import { priorsOf } from './priors.ts'
import type { Workspace } from './workspace.ts'

/** Decides whether an earlier execution can stand for a step. */
export interface ReusePolicy {
  find(step: PlannedStep, identity: Identity): Promise<ReuseDecision>
  /**
   * The newest execution of a step that works item by item which differs in its items alone and can be believed: one that completed, or one
   * that kept what it had made, which has all that it could take over itself.
   */
  findPrevious(step: PlannedStep, increment: Digest): Promise<PreviousExecution | undefined>
}

/** What was found, and what was found but could not be believed. */
export interface ReuseDecision {
  readonly prior: PriorExecution | undefined
  /** Sentences about earlier executions whose outputs are missing or damaged. */
  readonly refused: readonly string[]
}

/** Never reuses anything. */
export const noReuse: ReusePolicy = {
  find: async () => ({ prior: undefined, refused: [] }),
  findPrevious: async () => undefined,
}

/** How many earlier executions of a step that works item by item are looked at. */
const increments = 3

/** Reuses the newest execution with the same identity whose outputs are all there, byte for byte. */
export function reuseFrom({
  records,
  artifacts,
  root,
}: Pick<Workspace, 'records' | 'artifacts' | 'root'>): ReusePolicy {
  return {
    async find(step, identity) {
      if (!step.spec.cache) return { prior: undefined, refused: [] }
      const refused: string[] = []
      for await (const prior of priorsOf(records, identity.key)) {
        if (!stands({ ...prior, observed: prior.identity.fingerprint.observed }, step, root)) continue
        const problem = await problemOf(prior, artifacts)
        if (problem === undefined) return { prior, refused }
        refused.push(problem)
      }
      return { prior: undefined, refused }
    },
    async findPrevious(step, increment) {
      if (!step.spec.cache) return undefined
      for (const found of await records.findPrevious(increment, increments)) {
        const given = Object.entries(step.descriptor.outputs)
        if (!given.every(([output, type]) => found.outputs[output]?.type === type)) continue
        if (stands(found, step, root) && (await problemOf(found, artifacts)) === undefined) return found
      }
      return undefined
    },
  }
}

/** Whether what an earlier execution was seen to depend on is as it was. */
function stands(
  { observed, touches }: Pick<PreviousExecution, 'observed' | 'touches'>,
  step: PlannedStep,
  root: string,
): boolean {
  if (observed === undefined || !holds(observed, { seed: step.seed, root })) return false
  // A strict step stands only on what a strict step could have made.
  return !(step.strict && touches.some(breaksStrict))
}

async function problemOf(
  prior: Pick<PriorExecution, 'execution' | 'run' | 'outputs'>,
  artifacts: ArtifactStore,
): Promise<string | undefined> {
  for (const [output, artifact] of Object.entries(prior.outputs)) {
    const check = await artifacts.check(artifact.digest)
    if (check.kind !== 'whole') {
      const files = check.files.join(', ')
      return `Output "${output}" of execution ${prior.execution} (run ${prior.run}) is ${check.kind}${files === '' ? '' : `: ${files}`}; it is not reused.`
    }
  }
  return undefined
}
