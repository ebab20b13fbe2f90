import type { ArtifactStore } from '../artifacts/artifact-store.ts'
import { ZenmlError } from '../base/errors.ts'
import { didYouMean } from '../base/nearest.ts'
import { deriveSeed } from '../base/random.ts'
import { explainChanges } from '../fingerprint/explain.ts'
import { wordsOf } from '../fingerprint/explain-words.ts'
import { identify } from '../fingerprint/identify.ts'
import type { ExecutionPlace } from '../metadata/execution-queries.ts'
import type { RunRecords } from '../metadata/run-records.ts'
import type { Identity } from '../model/fingerprint.ts'
import { isStrict } from '../model/pipeline-spec.ts'
import type { Outcome, RunRecord, StepRecord } from '../model/run.ts'
import { breaksStrict } from '../model/touch.ts'
import { type CodeChange, type CodeVersion, recordedCode, showCodeChanges } from './explain-code.ts'
import { type StepOnlyThere, stepsOnlyIn } from './explain-only-there.ts'
import {
  because,
  datasourceWords,
  noReuseWords,
  notRun,
  originOf,
  shortRun,
  type Upstream,
} from './explain-sentence.ts'
import { type Nondeterminism, nondeterminismOf } from './nondeterminism.ts'

/** What an explanation is made from. */
export interface ExplainSources {
  readonly records: RunRecords
  readonly artifacts: ArtifactStore
  /** The project's root, for the sources in its repository. */
  readonly root: string
}

/** A change with what shows and what caused it. */
export interface ExplainedChange extends CodeChange {
  /** In plain words. */
  readonly reason: string
  /** Of an input: the step that feeds it and why that gave something else. */
  readonly because?: Upstream
}

/**
 * What decided. Misses: `new` (nothing comparable ran before), `changed`, `cache-off` (`cache: false` or `--no-cache`),
 * `outputs-lost` (an identical execution's outputs are missing or damaged), `strict` (the earlier execution did what a strict
 * step may not), `unknown` (not recorded). `reused` is the hit, `not-run` neither. `same` only where another run was asked for.
 */
export type ExplainCause =
  | 'reused'
  | 'new'
  | 'changed'
  | 'cache-off'
  | 'outputs-lost'
  | 'strict'
  | 'unknown'
  | 'not-run'
  | 'same'

/** Why a step was executed or reused. */
export interface StepExplanation {
  readonly name: string
  /** Null while the run goes on. */
  readonly outcome: Outcome | null
  /** Null where none was recorded (skipped). */
  readonly execution: number | null
  readonly cause: ExplainCause
  /** The execution that it is compared with, and that one's run; null where there is none. */
  readonly against: number | null
  readonly againstRun: string | null
  /** The execution that stands for it, else null. */
  readonly reusedFrom: number | null
  /** Empty exactly where the two identities are equal, and no file changed while it was read. */
  readonly changes: readonly ExplainedChange[]
  /** One sentence for people. */
  readonly reason: string
}

/** Why each step of a run was executed or reused. */
export interface RunExplanation {
  readonly run: string
  readonly pipeline: string
  readonly steps: readonly StepExplanation[]
  /** Of the run that was asked for to compare with, the steps that this one does not have; else empty. */
  readonly onlyThere: readonly StepOnlyThere[]
  readonly nondeterminism: readonly Nondeterminism[]
}

/**
 * Explains every hit and miss of a run, or of one step: each step against the nearest earlier execution of it in the same
 * pipeline that gave outputs; in a run that makes another again, against that one where it ran there; or against any run.
 *
 * Throws `ZEN_RUN_UNKNOWN`, `ZEN_STEP_UNKNOWN`.
 *
 * @example
 * await using project = await openProject(directory)
 * const { spec } = await loadPipeline(project, 'pipeline.yaml', directory)
 * const { run } = await runPipeline(project.workspace, spec, pinCode(project.root), { reuse: false })
 * const { steps } = await explainRun(project, run)
 * for (const { reason } of steps) console.log(reason) // train ran again because lib/scale.ts (imported by steps/train.ts) changed …
 */
export async function explainRun(
  sources: ExplainSources,
  run: string,
  { step, against }: { readonly step?: string; readonly against?: string } = {},
): Promise<RunExplanation> {
  return await new Explainer(sources).explain(run, step, against)
}

/** A step in its run. */
interface Place {
  readonly run: RunRecord
  readonly step: StepRecord
}

class Explainer {
  private readonly sources: ExplainSources
  private readonly runs = new Map<string, Promise<RunRecord | undefined>>()
  private readonly originsByRun = new Map<string, Promise<ReadonlyMap<number, ExecutionPlace>>>()
  /** By the two executions: in a graph with many ways, a step is upstream of another on each of them. */
  private readonly compared = new Map<string, Promise<ExplainedChange[]>>()

  constructor(sources: ExplainSources) {
    this.sources = sources
  }

  async explain(id: string, only: string | undefined, againstId: string | undefined): Promise<RunExplanation> {
    const run = await this.run(id)
    if (run === undefined) throw new ZenmlError('ZEN_RUN_UNKNOWN', `There is no run ${id}.`)
    const other = againstId === undefined ? undefined : await this.run(againstId)
    if (againstId !== undefined && other === undefined)
      throw new ZenmlError('ZEN_RUN_UNKNOWN', `There is no run ${againstId}.`)
    const steps = run.steps.filter(({ name }) => only === undefined || name === only)
    if (steps.length === 0 && only !== undefined) throw unknownStep(run, only)
    const origins = await this.origins(steps)
    const places = other === undefined ? await this.places(run, steps) : placesIn(other, steps)
    const failed = await this.sources.records.findFailed(
      steps.flatMap(({ identity }) => (identity === null ? [] : [identity.key])),
    )
    const explained: StepExplanation[] = []
    for (const step of steps) {
      const failures = (step.identity === null ? undefined : failed.get(step.identity.key)) ?? []
      explained.push(
        await this.step({ run, step }, places.get(step.name), {
          origin: step.reusedFrom === null ? undefined : origins.get(step.reusedFrom),
          failed: failures.find(({ execution }) => step.execution !== null && execution < step.execution),
          asked: other !== undefined,
        }),
      )
    }
    const nondeterminism = await nondeterminismOf(this.sources.records, { ...run, steps })
    const onlyThere = other === undefined || only !== undefined ? [] : stepsOnlyIn(other, run)
    return { run: run.id, pipeline: run.pipeline, steps: explained, onlyThere, nondeterminism }
  }

  private async step(
    place: Place,
    before: Place | undefined,
    facts: {
      readonly origin: ExecutionPlace | undefined
      readonly failed: ExecutionPlace | undefined
      readonly asked: boolean
    },
  ): Promise<StepExplanation> {
    const { step } = place
    const base = {
      name: step.name,
      outcome: step.outcome,
      execution: step.execution,
      reusedFrom: step.reusedFrom,
      against: before?.step.execution ?? null,
      againstRun: before?.run.id ?? null,
    }
    if (step.identity === null) {
      const cause = 'not-run' as const
      return { ...base, against: null, againstRun: null, cause, changes: [], reason: notRun(place.run, place.step) }
    }
    const changes = before === undefined ? [] : await this.changes(before, place)
    if (step.outcome === 'reused' && !facts.asked) {
      const again = this.ranAgain(place)
      const still = again.length === 0 ? '' : `, although ${again.join(' and ')} ran again: the same came out`
      const origin = facts.origin === undefined ? '' : ` of run ${shortRun(facts.origin.run)}`
      const reason = `${step.name} was reused from execution ${step.reusedFrom}${origin}: nothing that counts has changed since${still}.`
      return {
        ...base,
        against: step.reusedFrom,
        againstRun: facts.origin?.run ?? null,
        cause: 'reused',
        changes: [],
        reason,
      }
    }
    if (before === undefined || before.step.identity === null) {
      const change = { field: 'new' as const, path: step.name, before: null, after: null }
      const failed =
        facts.failed === undefined
          ? ''
          : ` The same failed in run ${shortRun(facts.failed.run)}; failures are not reused.`
      const reason = facts.asked
        ? `${step.name} cannot be compared: it did not run in the other run.`
        : `${step.name} ran because nothing comparable ran before.${failed}`
      return { ...base, cause: 'new', changes: [{ ...change, reason: wordsOf(change) }], reason }
    }
    const cause = causeOf(place, before.step, changes, facts.asked)
    return { ...base, cause, changes, reason: sentenceOf(place, before, cause, changes, facts) }
  }

  private changes(before: Place, after: Place): Promise<ExplainedChange[]> {
    const key = JSON.stringify([before.run.id, after.run.id, after.step.name])
    const known = this.compared.get(key) ?? this.compare(before, after)
    this.compared.set(key, known)
    return known
  }

  /** What moved between two executions of a step, with diffs of code and, for inputs, what upstream moved them. */
  private async compare(before: Place, after: Place): Promise<ExplainedChange[]> {
    const [left, right] = [before.step.identity, after.step.identity]
    if (left === null || right === null) return []
    const found = explainChanges(seenSoFar(left, right, before).fingerprint, seenSoFar(right, left, after).fingerprint)
    const shown = await showCodeChanges(found, this.code(left, before), this.code(right, after))
    const explained: ExplainedChange[] = []
    for (const change of shown) {
      const cause = change.field === 'inputs' ? await this.upstream(change.from, before.run, after.run) : undefined
      explained.push({
        ...change,
        reason: cause?.kind === 'datasource' ? `input ${change.path} changed (${cause.reason})` : wordsOf(change),
        ...(cause?.kind === 'step' ? { because: cause.upstream } : {}),
      })
    }
    return explained
  }

  private code({ fingerprint }: Identity, { run, step }: Place): CodeVersion {
    return recordedCode(this.sources, fingerprint.code, async () => {
      if (step.reusedFrom === null) return run.code.tree
      const known = this.originsByRun.get(run.id) ?? this.origins(run.steps)
      this.originsByRun.set(run.id, known)
      const origin = (await known).get(step.reusedFrom)
      return (origin === undefined ? undefined : await this.run(origin.run))?.code.tree ?? null
    })
  }

  /** Why an input is another: its datasource, or the step that made it, compared between the same two runs. */
  private async upstream(
    from: string | undefined,
    before: RunRecord,
    after: RunRecord,
  ): Promise<
    | { readonly kind: 'step'; readonly upstream: Upstream }
    | { readonly kind: 'datasource'; readonly reason: string }
    | undefined
  > {
    if (from === undefined) return undefined
    const [name, rest] = [from.slice(0, from.indexOf('.')), from.slice(from.indexOf('.') + 1)]
    if (name === 'datasources') return { kind: 'datasource', reason: datasourceWords(rest, before, after) }
    const [first, second] = [before, after].map((run) => {
      const step = run.steps.find((candidate) => candidate.name === name)
      return step === undefined ? undefined : { run, step }
    })
    if (second === undefined) return undefined
    if (first === undefined || first.step.identity === null || second.step.identity === null)
      return { kind: 'step', upstream: { step: name, reason: `${name} feeds it now` } }
    const changes = await this.changes(first, second)
    const reused = second.step.outcome === 'reused'
    const verb = reused ? 'gave something else' : 'ran again'
    const reason =
      changes.length === 0
        ? `${name} gave something else although nothing that counts had changed: it is not deterministic`
        : `${name} ${verb} because ${because(changes)}`
    const origin = originOf(changes)
    const began = origin === undefined ? {} : { origin: { step: origin.step, reason: origin.reason } }
    return { kind: 'step', upstream: { step: name, reason, ...began } }
  }

  /** The steps that feed a reused step and were executed in the same run: their change stopped here. */
  private ranAgain({ run, step }: Place): string[] {
    const feeding = Object.values(step.identity?.fingerprint.inputs ?? {}).map(({ from }) => from.split('.')[0]!)
    return run.steps
      .filter(({ name, outcome }) => outcome === 'executed' && feeding.includes(name))
      .map(({ name }) => name)
  }

  /** What each step is compared with: the run that is made again, where the step gave outputs there; else what ran last. */
  private async places(run: RunRecord, steps: readonly StepRecord[]): Promise<ReadonlyMap<string, Place>> {
    const earlier = await this.earlier(run, steps)
    const made = run.rerunOf === null ? undefined : await this.run(run.rerunOf)
    if (made === undefined) return earlier
    const then = [...placesIn(made, steps)].filter(
      ([, { step }]) => step.identity !== null && (step.outcome === 'executed' || step.outcome === 'reused'),
    )
    return new Map([...earlier, ...then])
  }

  private async earlier(run: RunRecord, steps: readonly StepRecord[]): Promise<ReadonlyMap<string, Place>> {
    const asked = steps.filter(({ identity, outcome }) => identity !== null && outcome !== 'reused')
    const found = await this.sources.records.findEarlier(
      asked.map(({ name, execution }) => ({
        pipeline: run.pipeline,
        step: name,
        ...(execution === null ? {} : { before: execution }),
      })),
    )
    const places = new Map<string, Place>()
    for (const [index, { name }] of asked.entries()) {
      const place = found[index]
      const record = place === undefined ? undefined : await this.run(place.run)
      const step = record?.steps.find((candidate) => candidate.name === name)
      if (record !== undefined && step !== undefined) places.set(name, { run: record, step })
    }
    return places
  }

  private async origins(steps: readonly StepRecord[]): Promise<ReadonlyMap<number, ExecutionPlace>> {
    return await this.sources.records.findExecutions(steps.flatMap(({ reusedFrom }) => reusedFrom ?? []))
  }

  private run(id: string): Promise<RunRecord | undefined> {
    const known = this.runs.get(id) ?? this.sources.records.getRun(id)
    this.runs.set(id, known)
    return known
  }
}

function placesIn(run: RunRecord, steps: readonly StepRecord[]): ReadonlyMap<string, Place> {
  const names = new Set(steps.map(({ name }) => name))
  return new Map(run.steps.filter(({ name }) => names.has(name)).map((step) => [step.name, { run, step }]))
}

/**
 * A step that failed was not seen to its end. What is known of it is its seed: where the other execution used one, so would it.
 */
function seenSoFar(own: Identity, other: Identity, { run, step }: Place): Identity {
  const seen = other.fingerprint.observed
  if (own.fingerprint.observed !== undefined || seen === undefined) return own
  const seed = seen.seed === null ? null : deriveSeed(run.seed, step.name)
  return identify({ ...own.fingerprint, observed: { ...seen, seed } })
}

function causeOf(
  { run, step }: Place,
  before: StepRecord,
  changes: readonly ExplainedChange[],
  asked: boolean,
): ExplainCause {
  if (asked) return changes.length > 0 ? 'changed' : 'same'
  if (step.refused.length > 0) return 'outputs-lost'
  if (changes.length > 0) return 'changed'
  const spec = run.spec.steps[step.name]
  if (!run.reuse || spec?.cache === false) return 'cache-off'
  return spec !== undefined && isStrict(run.spec, spec) && before.touches.some(breaksStrict) ? 'strict' : 'unknown'
}

function sentenceOf(
  { run, step }: Place,
  before: Place,
  cause: ExplainCause,
  changes: readonly ExplainedChange[],
  {
    asked,
    origin,
    failed,
  }: {
    readonly asked: boolean
    readonly origin: ExecutionPlace | undefined
    readonly failed: ExecutionPlace | undefined
  },
): string {
  const { name } = step
  const since = `since run ${shortRun(before.run.id)}`
  const tried = failed === undefined ? '' : ` The same failed in run ${shortRun(failed.run)}; failures are not reused.`
  if (cause === 'outputs-lost')
    return `${name} ran again because an identical execution could not be reused: ${step.refused.join(' ')}`
  if (asked) {
    const reused = origin === undefined ? '' : ` (reused from run ${shortRun(origin.run)})`
    return changes.length === 0
      ? `${name}${reused} is the same as in run ${shortRun(before.run.id)}: nothing that counts differs.`
      : `${name}${reused} differs from run ${shortRun(before.run.id)} because ${because(changes)}.`
  }
  if (changes.length > 0) {
    const anyhow = run.reuse ? '' : ` Besides, ${noReuseWords(run)}.`
    return `${name} ran again because ${because(changes, since)}.${anyhow}${tried}`
  }
  if (cause === 'cache-off') {
    const why = run.reuse ? 'it says cache: false' : noReuseWords(run)
    return `${name} ran again because ${why}; nothing that counts has changed ${since}.`
  }
  if (cause === 'strict')
    return `${name} ran again because it is strict, and in run ${shortRun(before.run.id)} it did what a strict step may not.`
  return before.step.endedAt !== null && step.startedAt !== null && before.step.endedAt > step.startedAt
    ? `${name} ran although nothing that counts has changed ${since}: that run was still at it.`
    : `${name} ran although nothing that counts has changed ${since}; why that was not reused is not recorded.`
}

function unknownStep(run: RunRecord, name: string): ZenmlError {
  const names = run.steps.map((step) => step.name)
  return new ZenmlError('ZEN_STEP_UNKNOWN', `Run ${run.id} has no step "${name}".${didYouMean(name, names)}`, {
    facts: { steps: names },
    next: `Its steps are ${names.join(', ')}.`,
  })
}
