import { explainChanges, type StepChange } from '../fingerprint/explain.ts'
import { wordsOf } from '../fingerprint/explain-words.ts'
import { identify } from '../fingerprint/identify.ts'
import { presentlyObserved } from '../fingerprint/observed.ts'
import type { StoredArtifact } from '../model/artifact.ts'
import type { Identity } from '../model/fingerprint.ts'
import type { PipelineSpec } from '../model/pipeline-spec.ts'
import type { RunRecord, StepRecord } from '../model/run.ts'
import { breaksStrict } from '../model/touch.ts'
import { type CodeChange, presentCode, recordedCode, showCodeChanges } from './explain-code.ts'
import { because, datasourceWords, shortRun, type Upstream } from './explain-sentence.ts'
import { identifyStep, inputsOf } from './identify-step.ts'
import { type Plan, type PlannedStep, planRun } from './plan.ts'
import { noReuse, type ReusePolicy, reuseFrom } from './reuse.ts'
import { namedSnapshots } from './versioned-source.ts'
import type { Workspace } from './workspace.ts'

/** What a run would do with a step, and why. */
export interface StepPrediction {
  readonly name: string
  /** `depends`: behind a step that will execute; reused if that one gives again what it gave before. */
  readonly prediction: 'reuse' | 'execute' | 'depends'
  /** The execution that would stand for it; null where there is none. */
  readonly reusedFrom: number | null
  /** What moved since the nearest earlier execution of it. */
  readonly changes: readonly PredictedChange[]
  /** One sentence for people. */
  readonly reason: string
}

/** A change that will make a step execute. */
export interface PredictedChange extends CodeChange {
  /** In plain words. */
  readonly reason: string
  /** Of an input: the step that feeds it and will give something else. */
  readonly because?: Upstream
}

/** What a run would do. */
export interface RunPrediction {
  readonly pipeline: string
  readonly seed: number
  /** In the order of the graph. */
  readonly steps: readonly StepPrediction[]
}

/**
 * Plans a run and predicts which steps it would reuse; executes and records nothing.
 *
 * Throws a `PlanError` where the configuration cannot run.
 *
 * @example
 * await using project = await openProject(directory)
 * const { spec } = await loadPipeline(project, 'pipeline.yaml', directory)
 * const { steps } = await predictRun(project.workspace, spec)
 * steps.map(({ name, prediction }) => `${name}: ${prediction}`)
 */
export async function predictRun(
  workspace: Workspace,
  spec: PipelineSpec,
  { reuse = true, signal }: { readonly reuse?: boolean; readonly signal?: AbortSignal } = {},
): Promise<RunPrediction> {
  const plan = await planRun(workspace, spec, signal === undefined ? {} : { signal })
  const policy = namedSnapshots(workspace, plan.sources, reuse ? reuseFrom(workspace) : noReuse)
  const predictor = new Predictor(workspace, plan, policy, reuse)
  const steps: StepPrediction[] = []
  for (const step of plan.steps) steps.push(await predictor.predict(step))
  return { pipeline: spec.name, seed: spec.seed, steps }
}

/** The nearest earlier execution of a step. */
interface Before {
  readonly run: RunRecord
  readonly step: StepRecord & { readonly identity: Identity; readonly execution: number }
}

class Predictor {
  private readonly workspace: Workspace
  private readonly plan: Plan
  private readonly policy: ReusePolicy
  private readonly reuse: boolean
  /** What steps give: known of reused ones, of others what they gave before. */
  private readonly outputs = new Map<string, { readonly [output: string]: StoredArtifact }>()
  private readonly runs = new Map<string, Promise<RunRecord | undefined>>()
  /** Steps whose outputs are only supposed. */
  private readonly supposed = new Set<string>()

  constructor(workspace: Workspace, plan: Plan, policy: ReusePolicy, reuse: boolean) {
    this.workspace = workspace
    this.plan = plan
    this.policy = policy
    this.reuse = reuse
  }

  async predict(step: PlannedStep): Promise<StepPrediction> {
    const before = await this.before(step)
    const inputs = inputsOf(this.plan, step, this.outputs)
    const behind = this.behind(step)
    const identity = inputs === undefined ? undefined : identifyStep(this.plan, step, inputs)
    const { prior, refused } =
      identity === undefined ? { prior: undefined, refused: [] } : await this.policy.find(step, identity)
    if (prior !== undefined) {
      this.outputs.set(step.name, prior.outputs)
      const from = `execution ${prior.execution} of run ${shortRun(prior.run)}`
      if (behind.length === 0) {
        const reason = `${step.name} will be reused from ${from}: nothing that counts has changed since.`
        return { name: step.name, prediction: 'reuse', reusedFrom: prior.execution, changes: [], reason }
      }
      this.supposed.add(step.name)
      const reason = `${step.name} executes, or is reused from ${from} if ${this.same(behind)}.`
      return { name: step.name, prediction: 'depends', reusedFrom: prior.execution, changes: [], reason }
    }
    this.supposed.add(step.name)
    if (before !== undefined) this.outputs.set(step.name, before.step.outputs)
    const changes = before === undefined ? [] : await this.changes(step, before, identity)
    const told = { name: step.name, reusedFrom: null, changes }
    const decided = this.decided(step, before, changes, refused)
    if (decided === undefined) {
      // Its inputs cannot be known, and nothing else moved.
      const reason = `${step.name} executes, unless ${behind.join(' and ')} ${behind.length === 1 ? 'gives' : 'give'} what an earlier execution was given.`
      return { ...told, prediction: 'depends', reason }
    }
    return { ...told, prediction: 'execute', reason: decided }
  }

  /** Why a step executes whatever the steps before it give; undefined where that is open. */
  private decided(
    step: PlannedStep,
    before: Before | undefined,
    changes: readonly PredictedChange[],
    refused: readonly string[],
  ): string | undefined {
    const { name } = step
    if (!this.reuse) return `${name} will execute because the run is told to reuse nothing (--no-cache).`
    if (!step.spec.cache) return `${name} will execute because it says cache: false.`
    if (refused.length > 0)
      return `${name} will execute because an identical execution cannot be reused: ${refused.join(' ')}`
    if (before === undefined) return `${name} will execute because nothing comparable ran before.`
    const since = `since run ${shortRun(before.run.id)}`
    // What an input will be is open while the step that feeds it has not run; everything else is known.
    const known = changes.filter(({ field, path }) => field !== 'inputs' || !this.isOpen(step, path))
    if (known.length > 0) return `${name} will execute because ${because(known, since)}.`
    if (this.behind(step).length > 0) return undefined
    return step.strict && before.step.touches.some(breaksStrict)
      ? `${name} will execute because it is strict, and in run ${shortRun(before.run.id)} it did what a strict step may not.`
      : `${name} will execute although nothing that counts has changed ${since}; why that cannot be reused is not recorded.`
  }

  private isOpen(step: PlannedStep, input: string): boolean {
    const from = step.inputs[input]
    return from?.kind === 'output' && this.supposed.has(from.step)
  }

  /** The steps that feed it and whose outputs are not known yet. */
  private behind(step: PlannedStep): string[] {
    const feeding = Object.values(step.inputs).flatMap((from) => (from.kind === 'output' ? [from.step] : []))
    return [...new Set(feeding)].filter((name) => this.supposed.has(name))
  }

  private same(behind: readonly string[]): string {
    return behind.length === 1 ? `${behind[0]} gives the same again` : `${behind.join(' and ')} give the same again`
  }

  private async changes(
    step: PlannedStep,
    before: Before,
    identity: Identity | undefined,
  ): Promise<readonly PredictedChange[]> {
    const { identity: earlier } = before.step
    const now = seenAgain(identity ?? this.withInputsOf(step, before), earlier, step, this.workspace.root)
    const found: readonly StepChange[] = explainChanges(earlier.fingerprint, now.fingerprint)
    const { artifacts, root } = this.workspace
    const recorded = recordedCode({ artifacts, root }, earlier.fingerprint.code, async () => await this.treeOf(before))
    const shown = await showCodeChanges(found, recorded, presentCode(root, step.bundle))
    return shown.map((change) => ({ ...change, ...this.told(change, step, before) }))
  }

  /** The words for a change, with what feeds an input. */
  private told(change: StepChange, step: PlannedStep, { run }: Before): Pick<PredictedChange, 'reason' | 'because'> {
    const reason = wordsOf(change)
    const from = change.field === 'inputs' ? step.inputs[change.path] : undefined
    if (from === undefined || change.before === null) return { reason }
    if (from.kind === 'datasource')
      return {
        reason: `${reason} (${datasourceWords(from.name, run, { spec: this.plan.spec, sources: Object.fromEntries(this.plan.sources) })})`,
      }
    if (from.kind === 'artifact') return { reason: `${reason} ("${from.name}" is another artifact)` }
    const gives = this.supposed.has(from.step) ? 'last gave' : 'will be reused with'
    return {
      reason,
      because: {
        step: from.step,
        reason: `${from.step} ${gives} another ${from.output} than in run ${shortRun(run.id)}`,
      },
    }
  }

  /** The identity of a step of which an input is not known, as if that were what it was before. */
  private withInputsOf(step: PlannedStep, before: Before): Identity {
    const supposed: { [input: string]: StoredArtifact } = {}
    for (const [input, from] of Object.entries(step.inputs)) {
      if (from.kind === 'datasource') continue
      const artifact =
        from.kind === 'artifact'
          ? this.plan.artifacts.get(from.name)
          : (this.outputs.get(from.step)?.[from.output] ?? before.step.inputs[input])
      if (artifact !== undefined) supposed[input] = artifact
    }
    const known = Object.entries(step.inputs).filter(([input, { kind }]) => kind === 'datasource' || input in supposed)
    return identifyStep(this.plan, { ...step, inputs: Object.fromEntries(known) }, supposed)
  }

  private async before(step: PlannedStep): Promise<Before | undefined> {
    const { records } = this.workspace
    const [place] = await records.findEarlier([{ pipeline: this.plan.spec.name, step: step.name }])
    const run = place === undefined ? undefined : await this.run(place.run)
    const found = run?.steps.find(({ name }) => name === step.name)
    if (run === undefined || found === undefined) return undefined
    const { identity, execution } = found
    return identity === null || execution === null ? undefined : { run, step: { ...found, identity, execution } }
  }

  private async treeOf({ run, step: { reusedFrom } }: Before): Promise<string | null> {
    if (reusedFrom === null) return run.code.tree
    const origin = (await this.workspace.records.findExecutions([reusedFrom])).get(reusedFrom)
    return (origin === undefined ? undefined : await this.run(origin.run))?.code.tree ?? null
  }

  private run(id: string): Promise<RunRecord | undefined> {
    const known = this.runs.get(id) ?? this.workspace.records.getRun(id)
    this.runs.set(id, known)
    return known
  }
}

/** As if the step were seen to do what it did before: with its seed, where it used one, and the files that it read as they are now. */
function seenAgain(identity: Identity, earlier: Identity, step: PlannedStep, root: string): Identity {
  const { observed } = earlier.fingerprint
  if (observed === undefined) return identity
  return identify({
    ...identity.fingerprint,
    observed: presentlyObserved(observed, { seed: step.seed, root }),
  })
}
