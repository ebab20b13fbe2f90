import { readdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { systemCode } from '../base/errors.ts'
import type { RunListener } from '../model/events.ts'
import type { Workspace } from './workspace.ts'

/**
 * Ends the runs whose process is gone (killed, or the machine went down): their state becomes failed with `ZEN_RUN_LOST`, and
 * what they left in the temporary folder is removed. What their finished steps gave is reused by the next run.
 */
export async function recoverLostRuns(workspace: Workspace, onEvent: RunListener): Promise<void> {
  // The folders first: a run is recorded before its folder is made, so none that starts meanwhile can look left behind.
  const names = await namesIn(workspace.temporaryDirectory)
  const folders = names.filter((name) => /^[0-9a-f]{16}$/.test(name))
  const unfinished = await workspace.records.unfinishedRuns()
  const alive = new Set<string>()
  for (const { id, pipeline, process } of unfinished) {
    if (workspace.isGone(process) !== true) {
      alive.add(id)
      continue
    }
    await workspace.records.markLost(id, workspace.clock.now(), {
      code: 'ZEN_RUN_LOST',
      message: `The process of the run ended without a word (process ${process.pid} on ${process.host}).`,
    })
    onEvent({
      kind: 'warning',
      code: 'ZEN_RUN_LOST',
      message: `Run ${id} of pipeline "${pipeline}" lost its process and is now recorded as failed; its finished steps are reused.`,
    })
  }
  const left = [
    ...folders.filter((id) => !alive.has(id)),
    ...names.filter((name) => {
      // Questions to steps, sources to be kept: named by the process that works there.
      const pid = /^[a-z]+-(\d+)-/.exec(name)?.[1]
      return (
        pid !== undefined && workspace.isGone({ host: workspace.process.host, pid: Number(pid), started: '' }) === true
      )
    }),
  ]
  await Promise.all(left.map((name) => rm(join(workspace.temporaryDirectory, name), { recursive: true, force: true })))
}

async function namesIn(directory: string): Promise<string[]> {
  try {
    return await readdir(directory)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}
