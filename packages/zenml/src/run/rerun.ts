import { ZenmlError } from '../base/errors.ts'
import type { RunListener } from '../model/events.ts'
import { pastArtifacts } from './artifact-references.ts'
import type { PinnedRun } from './pinned-run.ts'
import { goneSources, pinnedSources } from './pinned-sources.ts'
import type { PlannedSource, SourceFinder } from './plan.ts'
import { priorsOf } from './priors.ts'
import { noReuse, type ReusePolicy, reuseFrom } from './reuse.ts'
import { type RunEnd, runPipeline } from './run-pipeline.ts'
import type { Past } from './verify.ts'
import type { Workspace } from './workspace.ts'

/** Options of a rerun. */
export interface RerunOptions {
  /** True: steps whose outputs the store still holds are reused. Default false: everything is executed that can be. */
  readonly reuse?: boolean
  readonly signal?: AbortSignal
  readonly onEvent?: RunListener
}

/**
 * Runs a past run again as a new run that names it: its code, parameters and seed, and its datasources where they still are what they were. A step
 * whose datasource is gone is not executed: its snapshot is taken from the store. The old record stays as it is.
 *
 * Throws `ZEN_SNAPSHOT_GONE` where such a snapshot is not in the store either, and what `runPipeline` throws.
 */
export async function rerun(
  { workspace, presentRoot, notes }: Past,
  pinned: PinnedRun,
  { reuse = false, signal, onEvent = () => undefined }: RerunOptions = {},
): Promise<RunEnd> {
  for (const message of notes) onEvent({ kind: 'warning', code: 'ZEN_RERUN_DIFFERENCE', message })
  const sources = new Map<string, PlannedSource>()
  const find = pinnedSources(workspace, presentRoot, pinned)
  const findSource: SourceFinder = async (name, source) => {
    const found = await find(name, source)
    sources.set(name, found)
    return found
  }
  const otherwise = reuse ? reuseFrom(workspace) : noReuse
  return await runPipeline(workspace, pinned.spec, Promise.resolve(pinned.code), {
    reuse,
    policy: snapshotsOf(workspace, pinned, sources, otherwise),
    findSource,
    findArtifact: pastArtifacts(workspace, pinned),
    rerunOf: pinned.id,
    onEvent,
    ...(signal === undefined ? {} : { signal }),
  })
}

/** Takes what a step gave then where its datasource is gone, and asks another policy about the rest. */
function snapshotsOf(
  { records, artifacts }: Workspace,
  pinned: PinnedRun,
  sources: ReadonlyMap<string, PlannedSource>,
  otherwise: ReusePolicy,
): ReusePolicy {
  return {
    findPrevious: (step, increment) => otherwise.findPrevious(step, increment),
    async find(step, identity) {
      const gone = goneSources(step, sources)
      if (gone.length === 0) return await otherwise.find(step, identity)
      const why = gone.map(({ name, why: reason }) => `"${name}" (${reason})`).join(', ')
      const recorded = pinned.steps[step.name]
      for await (const prior of recorded === undefined ? [] : priorsOf(records, recorded.identity.key)) {
        const same = Object.entries(recorded!.outputs).every(
          ([output, { digest }]) => prior.outputs[output]?.digest === digest,
        )
        const checks = await Promise.all(Object.values(prior.outputs).map(({ digest }) => artifacts.check(digest)))
        if (same && checks.every(({ kind }) => kind === 'whole')) return { prior, refused: [] }
      }
      throw new ZenmlError(
        'ZEN_SNAPSHOT_GONE',
        `Step "${step.name}" cannot read its datasource ${why} as it was, and the store does not hold the snapshot of run ${pinned.id}.`,
        { facts: { step: step.name }, next: 'Restore the data or the artifact store.', exitCode: 1 },
      )
    },
  }
}
