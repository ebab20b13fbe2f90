import type { Json, JsonObject } from '../base/json.ts'
import { identityDigest } from '../fingerprint/identify.ts'
import type { RunRecord, StepRecord } from '../model/run.ts'
import type { Nondeterminism } from '../run/nondeterminism.ts'

/** The JSON of a run, as scripts know it, with the outputs on which it and other runs disagree. */
export function runDocument(run: RunRecord, nondeterminism: readonly Nondeterminism[]): JsonObject {
  const { commit, tree, dirty, remote, ref, branch, archive = null } = run.code
  return {
    run: run.id,
    pipeline: run.pipeline,
    status: run.status,
    seed: run.seed,
    startedAt: new Date(run.startedAt).toISOString(),
    seconds: run.endedAt === null ? null : (run.endedAt - run.startedAt) / 1000,
    code: { commit, tree, dirty, remote, ref, branch, archive },
    rerunOf: run.rerunOf,
    datasources: Object.fromEntries(Object.entries(run.sources).map(([name, use]) => [name, { ...use }])),
    verification: verified(run),
    steps: run.steps.map((step) => stepDocument(step, run)),
    error: run.error === null ? null : { ...run.error },
    nondeterminism: nondeterminism.map((found) => ({ ...found })),
  }
}

function verified({ verification }: RunRecord): Json {
  if (verification === null) return null
  const { at, verdict, steps } = verification
  return {
    at: new Date(at).toISOString(),
    verdict,
    steps: steps.map(({ name, verdict: step, cause }) => ({ name, verdict: step, cause: cause?.kind ?? null })),
  }
}

function stepDocument(step: StepRecord, run: RunRecord): Json {
  const seconds = step.startedAt === null || step.endedAt === null ? null : (step.endedAt - step.startedAt) / 1000
  return {
    name: step.name,
    outcome: step.outcome,
    execution: step.execution,
    identity: step.identity === null ? null : identityDigest(step.identity).slice('sha256:'.length),
    reusedFrom: step.reusedFrom,
    seconds: step.outcome === 'reused' ? 0 : seconds,
    source: run.code.tree === null ? step.source : `${step.source}@${run.code.dirty ? run.code.tree : run.code.commit}`,
    parameters: step.parameters,
    inputs: Object.fromEntries(Object.entries(step.inputs).map(([name, artifact]) => [name, artifact.digest])),
    outputs: Object.fromEntries(
      Object.entries(step.outputs).map(([name, { type, digest, uri, size, properties }]) => [
        name,
        { type, digest, uri, size, properties },
      ]),
    ),
    metrics: step.metrics,
    touches: step.touches.map((touch) => ({ ...touch })),
    log: step.log,
    error: step.error === null ? null : { ...step.error },
    kept: step.kept === null ? null : { ...step.kept },
  }
}
