import { rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import { writeView } from '../artifacts/view.ts'
import type { RunStart } from '../metadata/runs.ts'
import type { ReusedStep } from '../metadata/step-facts.ts'
import type { StoredArtifact } from '../model/artifact.ts'
import type { RunListener } from '../model/events.ts'
import type { Identity } from '../model/fingerprint.ts'
import type { PipelineSpec } from '../model/pipeline-spec.ts'
import type { CodePin, Failure, Outcome, RunStatus, SourceUse } from '../model/run.ts'
import { keepCode } from './archive-code.ts'
import type { ArtifactFinder } from './artifact-references.ts'
import { executeStep, failureOf } from './execute-step.ts'
import { identifyStep, incrementOf, inputsOf } from './identify-step.ts'
import { recoverLostRuns } from './lost-runs.ts'
import { disagreementsWith, nondeterminismSentence } from './nondeterminism.ts'
import { type Plan, type PlannedStep, planRun, type SourceFinder } from './plan.ts'
import { noReuse, type ReusePolicy, reuseFrom } from './reuse.ts'
import { manyFilesWarning, touchWarnings } from './touch-warnings.ts'
import { namedSnapshots } from './versioned-source.ts'
import type { Workspace } from './workspace.ts'

/** Options of a run. */
export interface RunOptions {
  /** False: every step is executed. Default true. */
  readonly reuse?: boolean
  /** Decides on reuse instead. */
  readonly policy?: ReusePolicy
  /** Finds datasources elsewhere than where they are now. */
  readonly findSource?: SourceFinder
  /** Finds artifacts of other runs elsewhere than under their names. */
  readonly findArtifact?: ArtifactFinder
  /** The run that is made again. */
  readonly rerunOf?: string
  readonly signal?: AbortSignal
  readonly onEvent?: RunListener
}

/** How a run ended; the metadata store has the rest under its id. */
export interface RunEnd {
  readonly run: string
  readonly status: RunStatus
}

/** What is known of a step while its run goes on. */
interface Progress {
  readonly outputs: Map<string, { readonly [output: string]: StoredArtifact }>
  readonly outcomes: Map<string, Outcome>
}

/**
 * Plans, reuses, executes and records a run of a pipeline.
 *
 * Throws a `PlanError` before anything is recorded where the configuration cannot run. A step that fails, or a cancellation by
 * `signal`, is a recorded end and no exception.
 *
 * @example
 * await initProject(directory)
 * await using project = await openProject(directory)
 * const { spec } = await loadPipeline(project, 'pipeline.yaml', directory)
 * const { status } = await runPipeline(project.workspace, spec, pinCode(project.root))
 * status // 'complete'
 */
export async function runPipeline(
  workspace: Workspace,
  spec: PipelineSpec,
  pinned: Promise<CodePin>,
  {
    reuse = true,
    policy = reuse ? reuseFrom(workspace) : noReuse,
    findSource,
    findArtifact,
    rerunOf,
    signal = new AbortController().signal,
    onEvent = () => undefined,
  }: RunOptions = {},
): Promise<RunEnd> {
  const startedAt = workspace.clock.now()
  const [plan, pin] = await Promise.all([
    planRun(workspace, spec, { findSource, findArtifact, signal, onEvent }),
    pinned,
    recoverLostRuns(workspace, onEvent),
  ])
  const code = await keepCode(workspace, plan, pin)
  const run = workspace.ids.run()
  const start: RunStart = {
    id: run,
    pipeline: spec.name,
    seed: spec.seed,
    startedAt,
    code,
    spec,
    environment: plan.environmentFacts,
    sources: sourceUses(plan),
    steps: plan.steps.map(({ name, spec: { source } }) => ({ name, source })),
    process: workspace.process,
    ...(rerunOf === undefined ? {} : { rerunOf }),
    reuse,
  }
  const runner = new Runner(workspace, plan, run, namedSnapshots(workspace, plan.sources, policy), signal, onEvent)
  onEvent({ kind: 'run-started', run, pipeline: spec.name, steps: plan.steps.map(({ name }) => name) })
  const status = await runner.go(start)
  await writeView(workspace.artifacts, workspace.viewDirectory, {
    run,
    pipeline: spec.name,
    steps: Object.fromEntries(runner.progress.outputs),
  })
  onEvent({ kind: 'run-ended', run, status, seconds: (workspace.clock.now() - startedAt) / 1000 })
  return { run, status }
}

/** What of the datasources goes on record. */
function sourceUses({ sources }: Plan): { [name: string]: SourceUse } {
  return Object.fromEntries(
    [...sources].map(([name, { identity, staged = null, version = null, commit = null, snapshot }]) => [
      name,
      { identity, staged, version, commit, snapshot: snapshot?.digest ?? null },
    ]),
  )
}

class Runner {
  readonly progress: Progress = { outputs: new Map(), outcomes: new Map() }
  private readonly workspace: Workspace
  private readonly plan: Plan
  private readonly run: string
  private readonly policy: ReusePolicy
  private readonly signal: AbortSignal
  private readonly onEvent: RunListener
  private readonly touchesTold = new Set<string>()
  private readonly refusalsTold = new Set<string>()
  private error: Failure | null = null

  constructor(
    workspace: Workspace,
    plan: Plan,
    run: string,
    policy: ReusePolicy,
    signal: AbortSignal,
    onEvent: RunListener,
  ) {
    this.workspace = workspace
    this.plan = plan
    this.run = run
    this.policy = policy
    this.signal = signal
    this.onEvent = onEvent
  }

  async go(start: RunStart): Promise<RunStatus> {
    const { records, clock } = this.workspace
    const reused = await this.reuseWhatIsKnown()
    if (reused.length === this.plan.steps.length) {
      await records.recordReusedRun(start, reused, clock.now())
      for (const { name } of reused) this.tellReused(name)
      return 'complete'
    }
    await records.startRun(start)
    try {
      await this.workspace.artifacts.sweep(clock.now())
      if (reused.length > 0) await records.reuseSteps(this.run, reused)
      for (const { name } of reused) this.tellReused(name)
      await this.executeTheRest()
    } catch (error) {
      // Not a step's failure, but the store's or the disk's: the run must not stay "running" if that can still be written.
      this.error = failureOf(error)
      await records.endRun(this.run, { status: 'failed', endedAt: clock.now(), error: this.error })
      throw error
    } finally {
      await rm(join(this.workspace.temporaryDirectory, this.run), { recursive: true, force: true })
    }
    const status = this.status()
    const left = this.plan.steps.filter(({ name }) => !this.progress.outcomes.has(name))
    const outcome = status === 'canceled' ? 'canceled' : 'skipped'
    await records.skipSteps(
      this.run,
      left.map(({ name }) => ({ name, outcome })),
    )
    for (const { name } of left) this.onEvent({ kind: 'step-ended', step: name, outcome, seconds: 0, error: null })
    await records.endRun(this.run, { status, endedAt: clock.now(), error: this.error })
    return status
  }

  /** Goes through the graph once and takes what earlier executions already gave; nothing is recorded yet. */
  private async reuseWhatIsKnown(): Promise<ReusedStep[]> {
    const reused: ReusedStep[] = []
    for (const step of this.plan.steps) {
      const inputs = inputsOf(this.plan, step, this.progress.outputs)
      if (inputs === undefined) continue
      const found = await this.tryReuse(step, inputs, identifyStep(this.plan, step, inputs))
      if (found.reused !== undefined) reused.push(found.reused)
    }
    return reused
  }

  private async tryReuse(
    step: PlannedStep,
    inputs: { readonly [input: string]: StoredArtifact },
    identity: Identity,
  ): Promise<{ readonly reused?: ReusedStep; readonly refused: readonly string[] }> {
    const { prior, refused } = await this.policy.find(step, identity)
    for (const message of refused) {
      // A step is asked for twice: before anything runs, and when its turn comes.
      if (!this.refusalsTold.has(message)) this.onEvent({ kind: 'warning', code: 'ZEN_ARTIFACT_DAMAGED', message })
      this.refusalsTold.add(message)
    }
    if (prior === undefined) return { refused }
    this.progress.outputs.set(step.name, prior.outputs)
    this.progress.outcomes.set(step.name, 'reused')
    const reused: ReusedStep = {
      name: step.name,
      source: step.spec.source,
      parameters: step.parameters,
      identity: prior.identity,
      inputs,
      outputs: prior.outputs,
      bases: step.descriptor.bases,
      from: prior.execution,
      at: this.workspace.clock.now(),
      metrics: prior.metrics,
      log: prior.log,
      touches: prior.touches,
    }
    return { reused, refused }
  }

  /** Keeps as many steps going as the backend may run at once; a failure stops only what depends on it. */
  private async executeTheRest(): Promise<void> {
    const parallelism = this.plan.spec.backend.parallelism ?? availableParallelism()
    const running = new Map<string, Promise<void>>()
    for (;;) {
      const ready = this.signal.aborted ? [] : this.ready(running)
      for (const { step, inputs } of ready.slice(0, Math.max(0, parallelism - running.size))) {
        const work = this.advance(step, inputs).finally(() => running.delete(step.name))
        // Rejections are taken by the race below; this only keeps one from being reported as unhandled meanwhile.
        work.catch(() => undefined)
        running.set(step.name, work)
      }
      if (running.size === 0) return
      try {
        await Promise.race(running.values())
      } catch (error) {
        await Promise.allSettled(running.values())
        throw error
      }
    }
  }

  private ready(
    running: ReadonlyMap<string, unknown>,
  ): { step: PlannedStep; inputs: { [input: string]: StoredArtifact } }[] {
    const ready: { step: PlannedStep; inputs: { [input: string]: StoredArtifact } }[] = []
    for (const step of this.plan.steps) {
      if (this.progress.outcomes.has(step.name) || running.has(step.name)) continue
      const inputs = inputsOf(this.plan, step, this.progress.outputs)
      if (inputs !== undefined) ready.push({ step, inputs })
    }
    return ready
  }

  /** Reuses or executes one step and records the end. */
  private async advance(step: PlannedStep, inputs: { readonly [input: string]: StoredArtifact }): Promise<void> {
    const { records, clock } = this.workspace
    const identity = identifyStep(this.plan, step, inputs)
    const { reused, refused } = await this.tryReuse(step, inputs, identity)
    if (reused !== undefined) {
      await records.reuseSteps(this.run, [reused])
      this.tellReused(step.name)
      return
    }
    const increment = incrementOf(step, identity)
    const previous = increment === undefined ? undefined : await this.policy.findPrevious(step, increment)
    const startedAt = clock.now()
    this.onEvent({ kind: 'step-started', step: step.name })
    const { source } = step.spec
    const { bases } = step.descriptor
    const execution = await records.startStep(this.run, {
      name: step.name,
      source,
      parameters: step.parameters,
      identity,
      inputs,
      bases,
      startedAt,
      refused,
      ...(increment === undefined ? {} : { increment }),
    })
    const directory = join(this.workspace.temporaryDirectory, this.run, step.name)
    const end = await executeStep(this.workspace, {
      directory,
      plan: this.plan,
      step,
      identity,
      inputs,
      previous,
      keepPartial: increment !== undefined,
      signal: this.signal,
      onEvent: this.onEvent,
    })
    await records.endStep(execution, end)
    for (const message of touchWarnings(step.name, end.touches, this.touchesTold)) this.onEvent(message)
    for (const message of manyFilesWarning(step.name, end.identity)) this.onEvent(message)
    this.progress.outcomes.set(step.name, end.outcome)
    if (end.outcome === 'executed') {
      this.progress.outputs.set(step.name, end.outputs)
      await this.compareWithEarlier(step, end.identity, execution, end.outputs)
    }
    if (end.error !== null) this.error ??= { ...end.error, message: `Step "${step.name}" failed: ${end.error.message}` }
    this.onEvent({
      kind: 'step-ended',
      step: step.name,
      outcome: end.outcome,
      seconds: (clock.now() - startedAt) / 1000,
      error: end.error,
    })
    await rm(directory, { recursive: true, force: true })
  }

  /** Two executions of one identity must agree; where they do not, that is said at once, never hidden by taking the newest. */
  private async compareWithEarlier(
    step: PlannedStep,
    identity: Identity,
    execution: number,
    outputs: { readonly [output: string]: StoredArtifact },
  ): Promise<void> {
    const priors = (await this.workspace.records.findByKeys([identity.key])).get(identity.key) ?? []
    const own = { step: step.name, run: this.run, execution, identity, outputs }
    for (const found of disagreementsWith(priors, own)) {
      this.onEvent({ kind: 'warning', code: 'ZEN_NONDETERMINISM', message: nondeterminismSentence(found) })
    }
  }

  private tellReused(step: string): void {
    this.onEvent({ kind: 'step-ended', step, outcome: 'reused', seconds: 0, error: null })
  }

  private status(): RunStatus {
    const outcomes = [...this.progress.outcomes.values()]
    if (this.signal.aborted && (outcomes.includes('canceled') || outcomes.length < this.plan.steps.length))
      return 'canceled'
    if (outcomes.includes('failed')) return 'failed'
    return 'complete'
  }
}
