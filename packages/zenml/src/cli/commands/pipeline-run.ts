import { ZenmlError } from '../../base/errors.ts'
import type { PipelineSpec } from '../../model/pipeline-spec.ts'
import type { RunRecord } from '../../model/run.ts'
import { loadPipeline } from '../../project/load-pipeline.ts'
import { openProject } from '../../project/open-project.ts'
import { pinCode } from '../../project/pin-code.ts'
import { type Nondeterminism, nondeterminismOf } from '../../run/nondeterminism.ts'
import { PlanError } from '../../run/plan.ts'
import { runPipeline } from '../../run/run-pipeline.ts'
import type { CommandFunction } from '../command.ts'
import { openStores } from '../open-stores.ts'
import { showProgress } from '../progress.ts'
import { document } from '../report-error.ts'
import { runDocument } from '../run-document.ts'
import { runSummary } from '../run-summary.ts'

export const command: CommandFunction = async ({ cli, terminal, args, options, signal }) => {
  await using own = await openProject(cli.directory, { environment: cli.environment })
  const dryRun = options['dryRun'] === true
  const progress = showProgress(terminal)
  const requireClean = options['requireClean'] === true
  // Pinning keeps a dirty tree under a ref, and a dry run leaves none; where a clean tree is required, nothing is kept anyhow.
  const pinned = dryRun && !requireClean ? undefined : pinCode(own.root, { requireClean, onEvent: progress.listen })
  pinned?.catch(() => undefined)
  const loaded = await loadPipeline(own, args[0]!, cli.directory, { signal })
  await using other = await openStores(own, loaded, cli)
  const project = other ?? own
  let record: RunRecord | undefined
  let nondeterminism: readonly Nondeterminism[] = []
  try {
    const spec = await overridden(loaded.spec, options)
    if (dryRun || pinned === undefined) {
      await pinned
      const { predictRun } = await import('../../run/dry-run.ts')
      const predicted = await predictRun(project.workspace, spec, { reuse: options['cache'] !== false, signal })
      const { pipeline, seed, steps } = predicted
      const { predictionText } = await import('../explain-text.ts')
      terminal.result(document({ pipeline, seed, dryRun: true, steps }), () =>
        predictionText(predicted, terminal.colors),
      )
      return 0
    }
    const { run } = await runPipeline(project.workspace, spec, pinned, {
      reuse: options['cache'] !== false,
      signal,
      onEvent: progress.listen,
    })
    record = await project.records.getRun(run)
    nondeterminism = await nondeterminismOf(project.records, record!)
  } catch (error) {
    if (error instanceof PlanError) {
      // Only here is it known where in the file each part of the configuration stands.
      throw new PlanError(
        error.diagnostics.map((diagnostic) => ({
          ...diagnostic,
          file: loaded.file,
          ...(diagnostic.path === undefined ? {} : loaded.locate(diagnostic.path)),
        })),
        error.exitCode,
      )
    }
    throw error
  } finally {
    progress.end()
  }
  const run = record!
  terminal.result(runDocument(run, nondeterminism), () =>
    runSummary(run, project, terminal.colors, cli, nondeterminism),
  )
  return run.status === 'complete' ? 0 : 1
}

async function overridden(spec: PipelineSpec, options: { readonly [name: string]: unknown }): Promise<PipelineSpec> {
  const parameters = (options['param'] ?? []) as string[]
  const seed = options['seed'] as string | undefined
  if (parameters.length === 0 && seed === undefined) return spec
  const { applyOverrides } = await import('../../config/overrides.ts')
  if (seed !== undefined && !/^\d{1,10}$/.test(seed)) {
    throw new ZenmlError('ZEN_USAGE', `--seed takes a whole number from 0 to 2147483647, not "${seed}".`)
  }
  const result = await applyOverrides(spec, { parameters, ...(seed === undefined ? {} : { seed: Number(seed) }) })
  if (!result.ok) throw new PlanError(result.error)
  return result.value
}
