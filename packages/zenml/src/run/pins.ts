import type { JsonObject } from '../base/json.ts'
import { identityDigest } from '../fingerprint/identify.ts'
import type { RunRecord } from '../model/run.ts'

/** What a run's printed configuration says beside the pipeline itself: where the code is, the environment, what each step gave. */
export function pinsOf(run: RunRecord): JsonObject {
  return {
    id: run.id,
    code: { ...run.code },
    environment: run.environment,
    steps: Object.fromEntries(
      run.steps.map((step) => [
        step.name,
        {
          identity: step.identity === null ? null : identityDigest(step.identity),
          parameters: step.parameters,
          outputs: Object.fromEntries(Object.entries(step.outputs).map(([output, { digest }]) => [output, digest])),
        },
      ]),
    ),
  }
}
