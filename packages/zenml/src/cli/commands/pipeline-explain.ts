import { openProject } from '../../project/open-project.ts'
import { explainRun } from '../../run/explain.ts'
import type { CommandFunction } from '../command.ts'
import { explanationText } from '../explain-text.ts'
import { document } from '../report-error.ts'

export const command: CommandFunction = async ({ cli, terminal, args, options }) => {
  await using project = await openProject(cli.directory)
  const run = await project.records.resolveRun(args[0]!)
  const against = options['against'] as string | undefined
  const explanation = await explainRun(project, run, {
    ...(args[1] === undefined ? {} : { step: args[1] }),
    ...(against === undefined ? {} : { against: await project.records.resolveRun(against) }),
  })
  terminal.result(document({ ...explanation }), () => explanationText(explanation, terminal.colors))
  return 0
}
