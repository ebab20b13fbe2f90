import { extname } from 'node:path'
import { ZenmlError } from '../base/errors.ts'
import type { RunListener } from '../model/events.ts'
import { recoverLostRuns } from '../run/lost-runs.ts'
import type { PinnedRun } from '../run/pinned-run.ts'
import { pinnedRun } from '../run/pinned-run.ts'
import { parsePins, samePins } from '../run/pins.ts'
import { loadPipeline } from './load-pipeline.ts'
import { type OpenOptions, openProject, type Project } from './open-project.ts'
import { hasOtherStores } from './pipeline-stores.ts'

/** A run that is to be made again, and the project whose stores it is in. Closes itself. */
export interface OpenedPinned extends AsyncDisposable {
  readonly project: Project
  readonly pinned: PinnedRun
  /** Whether the metadata store has this very run, so that what is found out can be kept beside it: a file may say other things of its id. */
  readonly onRecord: boolean
}

/**
 * Opens a run by its id (or a unique prefix, or `@latest`), or by the configuration that `zenml pipeline config` printed of it: with that file
 * nothing of the run needs to be in the metadata store.
 *
 * Throws `ZEN_RUN_UNKNOWN`, `ZEN_RUN_AMBIGUOUS`, `ZEN_PINS`, and what opening throws.
 */
export async function openPinned(
  argument: string,
  {
    directory,
    environment,
    onEvent,
  }: { readonly directory: string; readonly onEvent: RunListener } & Pick<Required<OpenOptions>, 'environment'>,
): Promise<OpenedPinned> {
  const own = await openProject(directory, { environment })
  let other: Project | undefined
  const close = async (): Promise<void> => {
    await other?.[Symbol.asyncDispose]()
    await own[Symbol.asyncDispose]()
  }
  try {
    if (!['.yaml', '.yml'].includes(extname(argument))) {
      const id = await own.records.resolveRun(argument)
      let record = (await own.records.getRun(id))!
      if (record.status === 'running') {
        // Its process may be gone; then it has ended, and what it finished can be made again.
        await recoverLostRuns(own.workspace, onEvent)
        record = (await own.records.getRun(id))!
      }
      if (record.status === 'running')
        throw new ZenmlError('ZEN_RUN_RUNNING', `Run ${record.id} has not ended yet.`, { next: 'Wait for its end.' })
      return { project: own, pinned: pinnedRun(record), onRecord: true, [Symbol.asyncDispose]: close }
    }
    const { spec, run } = await loadPipeline(own, argument, directory)
    const pinned = parsePins(spec, run)
    if (hasOtherStores(own.config, own.root, own.home, spec.stores))
      other = await openProject(directory, { environment, stores: spec.stores! })
    const project = other ?? own
    const record = await project.records.getRun(pinned.id)
    const onRecord = record !== undefined && samePins(pinned, pinnedRun(record))
    return { project, pinned, onRecord, [Symbol.asyncDispose]: close }
  } catch (error) {
    await close()
    throw error
  }
}
