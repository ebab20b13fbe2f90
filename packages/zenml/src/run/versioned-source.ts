import type { Digest } from '../base/digest.ts'
import { ZenmlError } from '../base/errors.ts'
import { type DatasourceSpec, placeOf } from '../model/datasource-spec.ts'
import { parseInputReference } from '../model/pipeline-spec.ts'
import { findSnapshot } from './commits.ts'
import { type FetchOptions, type RemoteDatasource, stagedSource } from './fetch-source.ts'
import { type PlannedSource, type PlannedStep, presentSource } from './plan.ts'
import type { ReusePolicy } from './reuse.ts'
import type { Workspace } from './workspace.ts'

/**
 * A datasource in the version that it names. Of a commit the source outside need not be there any more: the snapshot is in the store, and
 * only steps of another kind that read the source itself need its files.
 */
export async function versionedSource(
  workspace: Workspace,
  name: string,
  source: DatasourceSpec,
  options: FetchOptions = {},
): Promise<PlannedSource> {
  if (source.version === undefined) return await presentSource(workspace, workspace.root, source, options)
  const { commit, run, step, output, artifact, name: its } = await findSnapshot(workspace.records, name, source)
  const identity = step.identity!
  const input = Object.entries(run.spec.steps[step.name]!.inputs).find(([, from]) => from === `datasources.${its}`)![0]
  const recorded = identity.fingerprint.inputs[input]!.digest
  const found = await committedFiles(workspace, run.spec.datasources[its]!, recorded, run.sources[its]?.staged ?? null)
  return {
    ...found,
    version: run.sources[its]?.version ?? null,
    commit,
    snapshot: { step: step.source, key: identity.key, output, digest: artifact.digest },
  }
}

/** The files that a commit was taken of, where they are still the same; else why they are gone. */
async function committedFiles(
  workspace: Workspace,
  source: DatasourceSpec,
  recorded: Digest,
  staged: Digest | null,
): Promise<PlannedSource> {
  let why = `${placeOf(source)} has changed since`
  try {
    const found =
      source.type === 'file'
        ? await presentSource(workspace, workspace.root, source)
        : staged === null
          ? undefined
          : await stagedSource(workspace, source as RemoteDatasource, staged, null)
    if (found?.identity === recorded) return found
  } catch (error) {
    if (!(error instanceof ZenmlError)) throw error
    why = error.message
  }
  return { files: [], format: '', options: {}, digest: recorded, identity: recorded, gone: why }
}

/** Lets the snapshot that a datasource's version names stand for the step that takes it, and asks another policy about the rest. */
export function namedSnapshots(
  { records, artifacts }: Pick<Workspace, 'records' | 'artifacts'>,
  sources: ReadonlyMap<string, PlannedSource>,
  otherwise: ReusePolicy,
): ReusePolicy {
  return {
    findPrevious: (step, increment) => otherwise.findPrevious(step, increment),
    async find(step, identity) {
      const source = namedBy(step, sources)
      if (source?.snapshot === undefined) return await otherwise.find(step, identity)
      const { snapshot, gone } = source
      if (snapshot.step !== step.spec.source) {
        if (gone === undefined) return await otherwise.find(step, identity)
        throw new ZenmlError(
          'ZEN_SNAPSHOT_GONE',
          `Step "${step.name}" reads the files of a datasource that are gone (${gone}); the store has only their snapshot.`,
          { facts: { step: step.name }, next: 'Restore the data, or read the snapshot.', exitCode: 1 },
        )
      }
      const priors = (await records.findByKeys([snapshot.key])).get(snapshot.key) ?? []
      const prior = priors.find(({ outputs }) => outputs[snapshot.output]?.digest === snapshot.digest)
      if (prior !== undefined && (await artifacts.check(snapshot.digest)).kind === 'whole')
        return { prior, refused: [] }
      throw new ZenmlError(
        'ZEN_SNAPSHOT_GONE',
        `The store does not hold the snapshot ${snapshot.digest} that step "${step.name}" is to use.`,
        {
          facts: { step: step.name, digest: snapshot.digest },
          next: 'Restore the artifact store, or commit again.',
          exitCode: 1,
        },
      )
    },
  }
}

function namedBy(step: PlannedStep, sources: ReadonlyMap<string, PlannedSource>): PlannedSource | undefined {
  const names = Object.values(step.spec.inputs).flatMap((from) => {
    const reference = parseInputReference(from)
    return reference?.kind === 'datasource' ? [reference.name] : []
  })
  return names.map((name) => sources.get(name)).find((source) => source?.snapshot !== undefined)
}
