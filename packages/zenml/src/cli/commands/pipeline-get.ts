import { ZenmlError } from '../../base/errors.ts'
import { didYouMean } from '../../base/nearest.ts'
import { openProject } from '../../project/open-project.ts'
import type { CommandFunction } from '../command.ts'
import { document } from '../report-error.ts'
import { table, time } from '../table.ts'

export const command: CommandFunction = async ({ cli, terminal, args }) => {
  await using project = await openProject(cli.directory)
  const name = args[0]!
  const runs = await project.records.listRuns({ pipeline: name, limit: 5 })
  const [newest] = runs
  if (newest === undefined) {
    const known = (await project.records.listPipelines()).map((pipeline) => pipeline.name)
    throw new ZenmlError('ZEN_PIPELINE_UNKNOWN', `No pipeline "${name}" has run here.${didYouMean(name, known)}`, {
      next: 'See "zenml pipeline list".',
    })
  }
  const { spec } = (await project.records.getRun(newest.id))!
  terminal.result(document({ pipeline: name, spec, runs }), () => {
    const steps = Object.entries(spec.steps).map(([step, { source, inputs }]) => [
      step,
      source,
      Object.entries(inputs)
        .map(([input, from]) => `${input} = ${from}`)
        .join(', '),
    ])
    const latest = runs.map(({ id, status, startedAt }) => [id, status, time(startedAt)])
    return [
      table(['STEP', 'SOURCE', 'INPUTS'], steps, terminal.colors.bold),
      table(['RUN', 'STATUS', 'STARTED (UTC)'], latest, terminal.colors.bold),
    ].join('\n\n')
  })
  return 0
}
