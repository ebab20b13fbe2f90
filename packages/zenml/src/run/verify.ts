import { mkdir, rm } from 'node:fs/promises'
import { availableParallelism } from 'node:os'
import { join } from 'node:path'
import type { ArtifactStore } from '../artifacts/artifact-store.ts'
import { ZenmlError } from '../base/errors.ts'
import { didYouMean } from '../base/nearest.ts'
import { workSlots } from '../base/slots.ts'
import type { RunListener } from '../model/events.ts'
import { type Verification, type VerifiedStep, verdictOf } from '../model/verification.ts'
import { pastArtifacts } from './artifact-references.ts'
import type { PinnedRun } from './pinned-run.ts'
import { pinnedSources } from './pinned-sources.ts'
import { type Plan, planRun } from './plan.ts'
import { verifyStep } from './verify-step.ts'
import type { Workspace } from './workspace.ts'

/** Where a run is made again: nothing that happens there reaches the project or its stores. */
export interface Past {
  /** Root, packages and Node of the past; its artifact store only reads from the project's. */
  readonly workspace: Workspace
  /** The project's own artifact store. */
  readonly store: ArtifactStore
  /** The project's root as it is now. */
  readonly presentRoot: string
  /** What could not be brought back as it was, in sentences. */
  readonly notes: readonly string[]
}

/** Options of a verification. */
export interface VerifyOptions {
  /** Only these steps. Default all. */
  readonly steps?: readonly string[]
  /** How many times each step is executed, from 1. Default 1; once more where that differs, to tell what is unstable. */
  readonly times?: number
  readonly signal?: AbortSignal
  readonly onEvent?: RunListener
}

/**
 * Executes the steps of a run again, each from the inputs that are on record, reusing nothing, and compares every output digest. What
 * differs is explained as far as it can be. Nothing is recorded, and nothing written outside of the past's own folder.
 *
 * Throws `ZEN_STEP_UNKNOWN` for a step that the run does not have, what `planRun` throws, and an abort of `signal`.
 */
export async function verifyRun(
  { workspace, store, presentRoot, notes }: Past,
  pinned: PinnedRun,
  { steps, times = 1, signal = new AbortController().signal, onEvent = () => undefined }: VerifyOptions = {},
): Promise<Verification> {
  for (const name of steps ?? []) {
    if (pinned.spec.steps[name] !== undefined) continue
    throw new ZenmlError(
      'ZEN_STEP_UNKNOWN',
      `Run ${pinned.id} has no step "${name}".${didYouMean(name, Object.keys(pinned.spec.steps))}`,
    )
  }
  const at = workspace.clock.now()
  const findSource = pinnedSources(workspace, presentRoot, pinned)
  const plan = await planRun(workspace, pinned.spec, {
    findSource,
    findArtifact: pastArtifacts(workspace, pinned),
    signal,
  })
  const chosen = plan.steps.filter(({ name }) => steps === undefined || steps.includes(name))
  onEvent({
    kind: 'run-started',
    run: pinned.id,
    pipeline: pinned.spec.name,
    steps: chosen.map(({ name }) => name),
  })
  const directory = join(workspace.temporaryDirectory, 'verify')
  await mkdir(directory, { recursive: true })
  const context = {
    ...{ workspace, store, plan, pinned, directory, times, signal, onEvent },
    chosen: new Set(chosen.map(({ name }) => name)),
  }
  const slots = workSlots(plan.spec.backend.parallelism ?? availableParallelism())
  const done = new Map<string, Promise<VerifiedStep>>()
  for (const step of chosen) {
    // An input that the store has lost is taken from the step that makes it again, so that goes first.
    const before = Object.values(step.inputs).flatMap((from) => (from.kind === 'output' ? [done.get(from.step)] : []))
    const work = Promise.all(before).then(() => slots(() => verifyStep(context, step)))
    work.catch(() => undefined)
    done.set(step.name, work)
  }
  const settled = await Promise.allSettled(done.values())
  await rm(directory, { recursive: true, force: true })
  signal.throwIfAborted()
  const verified = settled.map((result) => {
    if (result.status === 'rejected') throw result.reason
    return result.value
  })
  return {
    run: pinned.id,
    verdict: verdictOf(verified.map(({ verdict }) => verdict)),
    at,
    partial: steps !== undefined,
    environment: plan.environmentFacts,
    notes: [...notes, ...sourceNotes(plan.sources)],
    steps: verified,
  }
}

function sourceNotes(sources: Plan['sources']): string[] {
  return [...sources].flatMap(([name, { gone }]) =>
    gone === undefined ? [] : [`Datasource "${name}" is no longer what it was (${gone}); its snapshot is used.`],
  )
}
