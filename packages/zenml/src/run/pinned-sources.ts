import type { Digest } from '../base/digest.ts'
import { ZenmlError } from '../base/errors.ts'
import { placeOf } from '../model/datasource-spec.ts'
import { type PlannedSource, presentSource, type SourceFinder } from './plan.ts'
import type { Workspace } from './workspace.ts'

/**
 * Finds the datasources of a past run where they still are what they were: in the code of that run, else in the project as it is now. One that is
 * neither is `gone`: steps that read it cannot be executed, and what they gave is taken from the store.
 */
export function pinnedSources(
  workspace: Workspace,
  presentRoot: string,
  identities: ReadonlyMap<string, Digest>,
): SourceFinder {
  return async (name, source): Promise<PlannedSource> => {
    const recorded = identities.get(name)
    let why = 'it has changed since'
    for (const root of [workspace.root, presentRoot]) {
      try {
        const found = await presentSource(workspace, root, source)
        if (recorded === undefined || found.identity === recorded) return found
      } catch (error) {
        if (!(error instanceof ZenmlError)) throw error
        why = error.message
      }
    }
    if (recorded === undefined)
      throw new ZenmlError('ZEN_SOURCE_MISSING', `Datasource "${name}" (${placeOf(source)}) cannot be read: ${why}`, {
        facts: { datasource: name },
      })
    return { files: [], format: '', options: {}, digest: recorded, identity: recorded, gone: why }
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
