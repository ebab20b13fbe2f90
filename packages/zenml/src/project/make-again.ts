import type { RunListener } from '../model/events.ts'
import type { RunRecord } from '../model/run.ts'
import type { Verification } from '../model/verification.ts'
import { type Comparison, comparisonOf } from '../run/comparison.ts'
import { rerun } from '../run/rerun.ts'
import { type VerifyOptions, verifyRun } from '../run/verify.ts'
import { openPinned } from './open-pinned.ts'
import type { OpenOptions, Project } from './open-project.ts'
import { recreatePast } from './recreate.ts'

/** Where a run is made again, and who listens. */
interface AgainOptions extends Pick<OpenOptions, 'environment'> {
  /** A folder of the project. */
  readonly directory: string
  readonly signal?: AbortSignal
  readonly onEvent?: RunListener
}

/** A run that was made again. */
export interface Rerun {
  /** The project whose stores the run is in: it stays open until `close`. */
  readonly project: Project
  readonly record: RunRecord
  readonly comparison: Comparison
}

/** Options of `rerunPipeline`. */
export interface RerunPipelineOptions extends AgainOptions {
  /** True: earlier executions may stand for steps. Default false: all are executed. */
  readonly reuse?: boolean
}

/**
 * Makes a past run again, as a new run that names the old one: with its code, packages, Node, inputs, parameters and seed, in a folder of its
 * own. `run` is an id, a unique prefix of one, `@latest`, or a file that `zenml pipeline config` printed. `use` gets the result while its
 * stores are open.
 *
 * Throws `ZEN_RUN_UNKNOWN`, `ZEN_RUN_RUNNING`, `ZEN_CODE_GONE`, `ZEN_PACKAGES_RECREATE`, `ZEN_SNAPSHOT_GONE`.
 *
 * @example
 * await initProject(directory)
 * await using project = await openProject(directory)
 * const { spec } = await loadPipeline(project, 'pipeline.yaml', directory)
 * const { run } = await runPipeline(project.workspace, spec, pinCode(project.root))
 * const differing = await rerunPipeline(run, { directory }, ({ comparison }) => comparison.differing)
 * differing // []
 */
export async function rerunPipeline<T>(
  run: string,
  options: RerunPipelineOptions,
  use: (rerun: Rerun) => T | Promise<T>,
): Promise<T> {
  const { reuse = false, signal = new AbortController().signal, onEvent = () => undefined } = options
  await using opened = await openPinned(run, withVariables(options))
  const { project, pinned } = opened
  await using past = await recreatePast(project, pinned, { scratch: false, signal, onEvent })
  const end = await rerun(past, pinned, { reuse, signal, onEvent })
  const record = (await project.records.getRun(end.run))!
  return await use({ project, record, comparison: comparisonOf(pinned, record) })
}

/** Options of `verifyPipeline`. */
export interface VerifyPipelineOptions extends AgainOptions, Pick<VerifyOptions, 'steps' | 'times'> {}

/**
 * Executes the steps of a past run again from their recorded inputs, into a place that goes afterwards, compares every output digest,
 * and names the cause of what differs. Only the verdict is kept, beside the run; `recorded` is false where this metadata store does
 * not have the run, or not as the file that is given says. `run` as for `rerunPipeline`.
 *
 * Throws `ZEN_RUN_UNKNOWN`, `ZEN_RUN_RUNNING`, `ZEN_STEP_UNKNOWN`, `ZEN_CODE_GONE`, `ZEN_PACKAGES_RECREATE`.
 *
 * @example
 * await initProject(directory)
 * await using project = await openProject(directory)
 * const { spec } = await loadPipeline(project, 'pipeline.yaml', directory)
 * const { run } = await runPipeline(project.workspace, spec, pinCode(project.root))
 * const { verdict, steps } = await verifyPipeline(run, { directory })
 * for (const { name, cause } of steps) if (cause !== null) console.log(name, cause.kind, cause.message)
 * verdict // 'reproduced'
 */
export async function verifyPipeline(
  run: string,
  options: VerifyPipelineOptions,
): Promise<Verification & { readonly recorded: boolean }> {
  const { steps, times = 1, signal = new AbortController().signal, onEvent = () => undefined } = options
  await using opened = await openPinned(run, withVariables(options))
  const { project, pinned, onRecord } = opened
  let verification: Verification
  {
    await using past = await recreatePast(project, pinned, { scratch: true, signal, onEvent })
    const chosen = steps === undefined ? {} : { steps }
    verification = await verifyRun(past, pinned, { ...chosen, times, signal, onEvent })
  }
  if (!onRecord) {
    const note = `The metadata store does not have run ${pinned.id} as the file describes it, so the verdict is not recorded.`
    return { ...verification, notes: [...verification.notes, note], recorded: false }
  }
  return { ...verification, recorded: await project.records.recordVerification(verification) }
}

function withVariables({
  directory,
  environment = process.env,
  onEvent = () => undefined,
}: AgainOptions): Parameters<typeof openPinned>[1] {
  return { directory, environment, onEvent }
}
