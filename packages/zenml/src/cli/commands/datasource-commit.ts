import { ZenmlError } from '../../base/errors.ts'
import { didYouMean } from '../../base/nearest.ts'
import type { DatasourceSpec } from '../../model/datasource-spec.ts'
import { type LoadedPipeline, loadPipeline } from '../../project/load-pipeline.ts'
import { openProject, type Project } from '../../project/open-project.ts'
import { pinCode } from '../../project/pin-code.ts'
import { type CommitEnd, commitDatasource } from '../../run/commit-datasource.ts'
import type { CommandFunction } from '../command.ts'
import { commitDocument } from '../commit-document.ts'
import { datasourcesOf } from '../datasources.ts'
import { openStores } from '../open-stores.ts'
import { showProgress } from '../progress.ts'
import { document } from '../report-error.ts'
import { shortDigest } from '../table.ts'

export const command: CommandFunction = async ({ cli, terminal, args, signal }) => {
  await using own = await openProject(cli.directory, { environment: cli.environment })
  const [name, config] = args as [string, string | undefined]
  const loaded = config === undefined ? undefined : await loadPipeline(own, config, cli.directory, { signal })
  const source = loaded === undefined ? await usedLast(own, name) : declared(loaded, name)
  await using other = loaded === undefined ? undefined : await openStores(own, loaded, cli)
  const project = other ?? own
  const progress = showProgress(terminal)
  let end: CommitEnd
  try {
    const pinned = pinCode(project.root, { onEvent: progress.listen })
    pinned.catch(() => undefined)
    end = await commitDatasource(project.workspace, name, source, pinned, { signal, onEvent: progress.listen })
  } finally {
    progress.end()
  }
  if (end.kind === 'failed') {
    const { id, status, error } = end.run
    throw new ZenmlError(
      'ZEN_COMMIT_FAILED',
      `No commit of "${name}" was taken: run ${id} is ${status}${error === null ? '' : ` (${error.code}: ${error.message})`}.`,
      { facts: { run: id, status, error: error === null ? null : { ...error } }, exitCode: 1 },
    )
  }
  const { commit, sameAs, reused } = end
  terminal.result(document({ ...commitDocument(commit), unchanged: sameAs !== null, sameAs, reused }), () => {
    const what = `${commit.rows ?? '?'} rows, ${shortDigest(commit.digest)}`
    const how =
      sameAs !== null
        ? `unchanged since commit ${sameAs}: its snapshot is reused`
        : reused
          ? 'the snapshot of an earlier run is reused'
          : 'a new snapshot'
    return `Commit ${terminal.colors.bold(commit.id)} of ${name}: ${what}; ${how}.`
  })
  return 0
}

function declared({ spec: { datasources }, file }: LoadedPipeline, name: string): DatasourceSpec {
  if (Object.hasOwn(datasources, name)) return datasources[name]!
  const known = Object.keys(datasources)
  throw new ZenmlError('ZEN_SOURCE_UNKNOWN', `${file} declares no datasource "${name}".${didYouMean(name, known)}`, {
    next: known.length === 0 ? 'Declare it under datasources.' : `It declares ${known.join(', ')}.`,
  })
}

async function usedLast(project: Project, name: string): Promise<DatasourceSpec> {
  const used = await datasourcesOf(project)
  const found = used.find((datasource) => datasource.name === name)
  if (found !== undefined) return found.spec
  const known = used.map((datasource) => datasource.name)
  throw new ZenmlError('ZEN_SOURCE_UNKNOWN', `No run has read a datasource "${name}".${didYouMean(name, known)}`, {
    next: `Name the configuration that declares it: zenml datasource commit ${name} CONFIG.`,
  })
}
