import type { Digest } from '../base/digest.ts'
import { ZenmlError } from '../base/errors.ts'
import { placeOf } from '../model/datasource-spec.ts'
import { type RemoteDatasource, stagedSource } from './fetch-source.ts'
import { type PinnedRun, sourceIdentities } from './pinned-run.ts'
import { type PlannedSource, presentSource, type SourceFinder } from './plan.ts'
import type { Workspace } from './workspace.ts'

/**
 * Finds the datasources of a past run where they still are what they were: in the code of that run, else in the project as it is now. One that is
 * neither is `gone`: steps that read it cannot be executed, and what they gave is taken from the store.
 */
export function pinnedSources(workspace: Workspace, presentRoot: string, pinned: PinnedRun): SourceFinder {
  const identities = sourceIdentities(pinned)
  return async (name, source): Promise<PlannedSource> => {
    const use = pinned.sources[name]
    const recorded = identities.get(name)
    const pins = { version: use?.version ?? null, commit: use?.commit ?? null }
    if (source.type !== 'file' && use !== undefined && use.staged !== null) {
      const staged = await fromStore(workspace, source, use.staged, use.version)
      if (staged !== undefined && (recorded ?? use.identity) === staged.identity) return { ...staged, ...pins }
    }
    const changed = 'it has changed since'
    let why = changed
    let isThere = false
    // Servers and stores are the same wherever they are asked from.
    for (const root of source.type === 'http' || source.type === 'artifact'
      ? [presentRoot]
      : [workspace.root, presentRoot]) {
      try {
        const found = await presentSource(workspace, root, source)
        if (recorded === undefined || found.identity === recorded) return { ...found, ...pins }
        isThere = true
      } catch (error) {
        if (!(error instanceof ZenmlError)) throw error
        why = error.message
      }
    }
    if (recorded === undefined)
      throw new ZenmlError('ZEN_SOURCE_MISSING', `Datasource "${name}" (${placeOf(source)}) cannot be read: ${why}`, {
        facts: { datasource: name },
      })
    return {
      files: [],
      format: '',
      options: {},
      digest: recorded,
      identity: recorded,
      gone: isThere ? changed : why,
      ...pins,
    }
  }
}

/** What a source gave then, where the store still has it whole. */
async function fromStore(
  workspace: Workspace,
  source: RemoteDatasource,
  staged: Digest,
  version: string | null,
): Promise<PlannedSource | undefined> {
  try {
    return await stagedSource(workspace, source, staged, version)
  } catch (error) {
    if (!(error instanceof ZenmlError)) throw error
    return undefined
  }
}

/** The names of a step's datasources that are gone, with the reason. */
export function goneSources(
  step: { readonly inputs: { readonly [input: string]: { readonly kind: string; readonly name?: string } } },
  sources: ReadonlyMap<string, PlannedSource>,
): { readonly name: string; readonly why: string }[] {
  return Object.values(step.inputs).flatMap(({ kind, name }) => {
    const why = kind === 'datasource' ? sources.get(name!)?.gone : undefined
    return why === undefined ? [] : [{ name: name!, why }]
  })
}
