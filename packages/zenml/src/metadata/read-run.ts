import type { Digest } from '../base/digest.ts'
import type { JsonObject } from '../base/json.ts'
import type { Identity } from '../model/fingerprint.ts'
import type { PipelineSpec } from '../model/pipeline-spec.ts'
import type { CodePin, Failure, KeptWork, Outcome, RunRecord, RunStatus, StepRecord } from '../model/run.ts'
import type { Touch } from '../model/touch.ts'
import { findContext } from './contexts.ts'
import { linkedArtifacts } from './linked-artifacts.ts'
import { getProperties, type PropertyValue } from './properties.ts'
import { select, type Work } from './sql/work.ts'
import { numberOrNull, parse } from './stored-json.ts'
import { listVerifications } from './verifications.ts'

/** A run with all of its steps; undefined where there is none with the id. */
export function* getRun(id: string): Work<RunRecord | undefined> {
  const context = yield* findContext('pipeline_run', id)
  if (context === undefined) return undefined
  const facts = (yield* getProperties('Context', [context])).get(context)!
  const text = 'SELECT execution_id FROM Association WHERE context_id = ? ORDER BY execution_id'
  const executions = (yield* select<{ execution_id: number }>(text, [context])).map(({ execution_id }) => execution_id)
  const properties = yield* getProperties('Execution', executions)
  const linked = yield* linkedArtifacts(executions)
  const verifications = yield* listVerifications(context)
  const byStep = new Map(executions.map((execution) => [String(properties.get(execution)!['step']), execution]))
  const skipped = parse(facts['skipped'] ?? '{}') as { readonly [step: string]: Outcome }
  const steps = parse(facts['steps'] ?? '[]') as { readonly name: string; readonly source: string }[]
  return {
    id,
    pipeline: String(facts['pipeline']),
    status: facts['status'] as RunStatus,
    seed: Number(facts['seed']),
    startedAt: Number(facts['started_at']),
    endedAt: numberOrNull(facts['ended_at']),
    code: parse(facts['code']) as CodePin,
    spec: parse(facts['spec']) as PipelineSpec,
    environment: parse(facts['environment'] ?? '{}') as JsonObject,
    error: facts['error'] === undefined ? null : (parse(facts['error']) as Failure),
    rerunOf: (facts['rerun_of'] ?? null) as string | null,
    verification: verifications.find(({ partial }) => !partial) ?? null,
    reuse: facts['reuse'] !== 0,
    sources: parse(facts['sources'] ?? '{}') as RunRecord['sources'],
    steps: steps.map(({ name, source }): StepRecord => {
      const execution = byStep.get(name)
      const own = execution === undefined ? {} : properties.get(execution)!
      const artifacts = execution === undefined ? undefined : linked.get(execution)
      return {
        name,
        source,
        outcome: (own['outcome'] ?? skipped[name] ?? null) as Outcome | null,
        execution: execution ?? null,
        reusedFrom: numberOrNull(own['reused_from']),
        identity: own['identity'] === undefined ? null : (parse(own['identity']) as Identity),
        parameters: parse(own['parameters'] ?? '{}') as JsonObject,
        startedAt: numberOrNull(own['started_at']),
        endedAt: numberOrNull(own['ended_at']),
        inputs: artifacts?.inputs ?? {},
        outputs: artifacts?.outputs ?? {},
        log: (own['log'] ?? null) as Digest | null,
        metrics: parse(own['metrics'] ?? '{}') as JsonObject,
        touches: parse(own['touches'] ?? '[]') as Touch[],
        error: own['error'] === undefined ? null : (parse(own['error']) as Failure),
        kept: keptWork(own['partial']),
        refused: parse(own['refused'] ?? '[]') as readonly string[],
      }
    }),
  }
}

function keptWork(property: PropertyValue | undefined): KeptWork | null {
  if (property === undefined) return null
  const { done, unit } = parse(property) as Partial<KeptWork>
  return done === undefined || unit === undefined ? null : { done, unit }
}
