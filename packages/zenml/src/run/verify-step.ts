import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import type { ArtifactStore } from '../artifacts/artifact-store.ts'
import { compareFingerprints } from '../fingerprint/compare.ts'
import { numericDifferences } from '../formats/numeric-difference.ts'
import type { StepEnd } from '../metadata/step-facts.ts'
import type { StoredArtifact } from '../model/artifact.ts'
import type { RunListener } from '../model/events.ts'
import type { Cause, VerifiedOutput, VerifiedStep } from '../model/verification.ts'
import { causeOf } from './cause.ts'
import { executeStep } from './execute-step.ts'
import { identifyStep } from './identify-step.ts'
import type { PinnedRun, PinnedStep } from './pinned-run.ts'
import { goneSources } from './pinned-sources.ts'
import type { Plan, PlannedStep } from './plan.ts'
import type { Workspace } from './workspace.ts'

/** What the steps of one verification share. */
export interface VerifyContext {
  readonly workspace: Workspace
  readonly store: ArtifactStore
  readonly plan: Plan
  readonly pinned: PinnedRun
  /** Where steps run. */
  readonly directory: string
  /** The steps that are verified. */
  readonly chosen: ReadonlySet<string>
  readonly times: number
  readonly signal: AbortSignal
  readonly onEvent: RunListener
}

/** Executes one step from its recorded inputs and compares what it gives. */
export async function verifyStep(context: VerifyContext, step: PlannedStep): Promise<VerifiedStep> {
  const recorded = context.pinned.steps[step.name]
  if (recorded === undefined)
    return cannot(step, undefined, null, {
      code: 'ZEN_VERIFY_NOTHING',
      message: `The step completed nothing in run ${context.pinned.id}, so there is nothing to compare with.`,
    })
  const gone = goneSources(step, context.plan.sources)
  if (gone.length > 0) {
    const names = gone.map(({ name, why }) => `"${name}" (${why})`).join(', ')
    return cannot(
      step,
      recorded,
      data(
        `${step.name} cannot read its datasource ${names} as it was; what comes after it is verified from the snapshot.`,
      ),
    )
  }
  const inputs = await recordedInputs(context, step)
  if (typeof inputs === 'string') return cannot(step, recorded, data(inputs))

  context.onEvent({ kind: 'step-started', step: step.name })
  const started = context.workspace.clock.now()
  const trials = await execute(context, step, recorded, inputs)
  const failed = trials.find(({ outcome }) => outcome !== 'executed')
  const verified = failed === undefined ? await judge(context, step, recorded, trials) : undefined
  context.onEvent({
    kind: 'step-ended',
    step: step.name,
    outcome: failed?.outcome ?? 'executed',
    seconds: (context.workspace.clock.now() - started) / 1000,
    error: failed?.error ?? null,
  })
  if (verified !== undefined) return verified
  const changes = compareFingerprints(recorded.identity.fingerprint, {
    ...failed!.identity.fingerprint,
    observed: recorded.identity.fingerprint.observed!,
  })
  const { code, message } = failed!.error ?? { code: 'ZEN_STEP_CANCELED', message: 'The step was canceled.' }
  return { ...cannot(step, recorded, null, { code, message }), differences: changes, executions: trials.length }
}

/** Executes as often as asked, and once more where a single execution differs: to tell what is unstable from what has changed. */
async function execute(
  context: VerifyContext,
  step: PlannedStep,
  recorded: PinnedStep,
  inputs: { readonly [input: string]: StoredArtifact },
): Promise<StepEnd[]> {
  const identity = identifyStep(context.plan, step, inputs)
  const trials: StepEnd[] = []
  let wanted = context.times
  while (trials.length < wanted) {
    context.signal.throwIfAborted()
    const directory = join(context.directory, `${step.name}-${trials.length}`, step.name)
    const { workspace, plan, signal, onEvent } = context
    const end = await executeStep(workspace, { directory, plan, step, identity, inputs, signal, onEvent })
    await rm(join(directory, '..'), { recursive: true, force: true })
    trials.push(end)
    if (end.outcome !== 'executed') break
    if (trials.length === 1 && wanted === 1 && differing(recorded, end).length > 0) wanted = 2
  }
  context.signal.throwIfAborted()
  return trials
}

async function judge(
  context: VerifyContext,
  step: PlannedStep,
  recorded: PinnedStep,
  trials: readonly StepEnd[],
): Promise<VerifiedStep> {
  const { pinned, plan, store } = context
  // The first that differs tells more than one that does not.
  const end = trials.find((trial) => differing(recorded, trial).length > 0) ?? trials[0]!
  const wrong = differing(recorded, end)
  const lost = await lostOutputs(store, recorded)
  const outputs: { [output: string]: VerifiedOutput } = {}
  for (const [output, { type, digest }] of Object.entries(recorded.outputs)) {
    const observed = end.outputs[output]?.digest ?? null
    const numeric =
      wrong.includes(output) && observed !== null && !lost.has(output)
        ? await numbersOf(context, type, digest, observed)
        : []
    outputs[output] = { recorded: digest, observed, ...(numeric.length === 0 ? {} : { numeric }) }
  }
  const differences = compareFingerprints(recorded.identity.fingerprint, end.identity.fingerprint)
  const base = { name: step.name, outputs, error: null, differences, executions: trials.length }
  if (wrong.length > 0) {
    const stable = trials.every((trial) => sameOutputs(trial, trials[0]!))
    const evidence = {
      step: step.name,
      recorded: recorded.identity.fingerprint,
      observed: end.identity.fingerprint,
      environment: { recorded: pinned.environment, observed: plan.environmentFacts },
      touches: end.touches,
      stable,
    }
    return { ...base, verdict: 'differs', cause: causeOf(evidence) }
  }
  if (lost.size === 0) return { ...base, verdict: 'reproduced', cause: null }
  const names = [...lost].map(([output, state]) => `${output} (${state})`).join(', ')
  return {
    ...base,
    verdict: 'differs',
    cause: data(
      `The store no longer holds what ${step.name} gave: ${names}. Executing it gave the recorded digests again; "zenml pipeline rerun ${pinned.id}" puts them back.`,
    ),
  }
}

/** The artifacts that fed the step, as recorded; a sentence where one can be had neither from the store nor from the step that makes it. */
async function recordedInputs(
  context: VerifyContext,
  step: PlannedStep,
): Promise<{ [input: string]: StoredArtifact } | string> {
  const { pinned, workspace } = context
  const inputs: { [input: string]: StoredArtifact } = {}
  for (const [input, from] of Object.entries(step.inputs)) {
    if (from.kind === 'datasource') continue
    if (from.kind === 'artifact') {
      inputs[input] = context.plan.artifacts.get(from.name)!
      continue
    }
    const artifact = pinned.steps[from.step]?.outputs[from.output]
    if (artifact === undefined)
      return `${from.step} has no recorded output ${from.output} that ${step.name} could read.`
    const check = await workspace.artifacts.check(artifact.digest, { full: true })
    if (check.kind !== 'whole')
      return `Input "${input}" of ${step.name} (${from.step}.${from.output}) is ${check.kind} in the store${check.files.length === 0 ? '' : `: ${check.files.join(', ')}`}, and ${notMadeAgain(context, from.step)}`
    inputs[input] = { ...artifact, uri: '', size: 0, properties: {} }
  }
  return inputs
}

function notMadeAgain({ chosen, pinned }: VerifyContext, step: string): string {
  return chosen.has(step)
    ? `${step} did not give it again here.`
    : `${step}, which makes it, is not verified here: "zenml pipeline verify ${pinned.id}", without --step, makes it again.`
}

async function lostOutputs(store: ArtifactStore, { outputs }: PinnedStep): Promise<Map<string, string>> {
  const lost = new Map<string, string>()
  for (const [output, { digest }] of Object.entries(outputs)) {
    const { kind } = await store.check(digest, { full: true })
    if (kind !== 'whole') lost.set(output, kind)
  }
  return lost
}

async function numbersOf(
  { workspace, store, directory }: VerifyContext,
  type: string,
  recorded: StoredArtifact['digest'],
  observed: StoredArtifact['digest'],
): Promise<VerifiedOutput['numeric'] & object> {
  await mkdir(directory, { recursive: true })
  const place = await mkdtemp(join(directory, 'numbers-'))
  try {
    const [before, after] = [join(place, 'before'), join(place, 'after')]
    await store.pull(recorded, before)
    await workspace.artifacts.pull(observed, after)
    return await numericDifferences(type, before, after)
  } finally {
    await rm(place, { recursive: true, force: true })
  }
}

function differing(recorded: PinnedStep, end: StepEnd): string[] {
  return Object.entries(recorded.outputs).flatMap(([output, { digest }]) =>
    end.outcome === 'executed' && end.outputs[output]?.digest === digest ? [] : [output],
  )
}

function sameOutputs(a: StepEnd, b: StepEnd): boolean {
  return Object.entries(a.outputs).every(([output, { digest }]) => b.outputs[output]?.digest === digest)
}

function data(message: string): Cause {
  return { kind: 'data', message, changes: [], calls: [] }
}

function cannot(
  { name }: PlannedStep,
  recorded: PinnedStep | undefined,
  cause: Cause | null,
  error: VerifiedStep['error'] = null,
): VerifiedStep {
  const outputs = Object.fromEntries(
    Object.entries(recorded?.outputs ?? {}).map(([output, { digest }]) => [
      output,
      { recorded: digest, observed: null },
    ]),
  )
  return { name, verdict: 'cannot', outputs, cause, error, differences: [], executions: 0 }
}
