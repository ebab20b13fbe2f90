import { SqlError } from '../sql/database.ts'
import { insert, selectIn, type Work } from '../sql/work.ts'
import { lockTypes } from '../type-lock.ts'
import { mustExist } from './events.ts'
import type { Association, Attribution, ParentContext } from './messages.ts'
import { alreadyExists, invalid } from './status.ts'
import { idOf } from './write-nodes.ts'

/** Puts artifacts and executions into contexts; those that are in it stay. Throws `INVALID_ARGUMENT` for a missing node. */
export function* putAttributionsAndAssociations(
  attributions: readonly Attribution[],
  associations: readonly Association[],
): Work<void> {
  const artifacts = attributions.map(({ artifactId, contextId }) => ({
    node: idOf('artifact_id', artifactId),
    context: idOf('context_id', contextId),
  }))
  const executions = associations.map(({ executionId, contextId }) => ({
    node: idOf('execution_id', executionId),
    context: idOf('context_id', contextId),
  }))
  yield* mustExist(
    'Artifact',
    artifacts.map(({ node }) => node),
  )
  yield* mustExist(
    'Execution',
    executions.map(({ node }) => node),
  )
  yield* mustExist(
    'Context',
    [...artifacts, ...executions].map(({ context }) => context),
  )
  yield* insertMembers('Attribution', artifacts)
  yield* insertMembers('Association', executions)
}

/** Puts nodes that are there into contexts that are there. */
export function* insertMembers(
  table: 'Attribution' | 'Association',
  members: readonly { readonly node: number; readonly context: number }[],
): Work<void> {
  // Sorted, so that writers of the same contexts wait for one another instead of blocking one another.
  const rows = [...members].sort((left, right) => left.context - right.context || left.node - right.node)
  yield* insert({
    table,
    columns: ['context_id', table === 'Attribution' ? 'artifact_id' : 'execution_id'],
    rows: rows.map(({ node, context }) => [context, node]),
    onConflict: 'ignore',
  })
}

/**
 * Puts contexts below others.
 *
 * Throws `INVALID_ARGUMENT` for a missing context and for one that would be above itself, `ALREADY_EXISTS` for one that is there.
 */
export function* putParentContexts(links: readonly ParentContext[]): Work<void> {
  // Two that link at once could close a circle of which each sees only its own part.
  yield* lockTypes()
  for (const link of links) {
    const parent = idOf('parent_id', link.parentId)
    const child = idOf('child_id', link.childId)
    yield* mustExist('Context', [parent, child])
    let above: readonly number[] = [parent]
    const seen = new Set<number>()
    while (above.length > 0) {
      if (above.includes(child)) throw invalid(`Context ${child} would be above itself.`)
      for (const id of above) seen.add(id)
      const rows = yield* selectIn<{ id: number }>(
        'SELECT DISTINCT parent_context_id AS id FROM ParentContext WHERE context_id IN (??)',
        above,
      )
      above = rows.map(({ id }) => id).filter((id) => !seen.has(id))
    }
    try {
      yield* insert({
        table: 'ParentContext',
        columns: ['context_id', 'parent_context_id'],
        rows: [[child, parent]],
      })
    } catch (error) {
      if (error instanceof SqlError && error.kind === 'unique')
        throw alreadyExists(`Context ${child} is below context ${parent} already.`, error)
      throw error
    }
  }
}
