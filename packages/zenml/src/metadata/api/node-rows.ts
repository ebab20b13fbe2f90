import { SqlError } from '../sql/database.ts'
import { insert, type SqlValue, type Work } from '../sql/work.ts'
import { artifactStates, executionStates, type KindFacts } from './kinds.ts'
import type { Values } from './messages.ts'
import { alreadyExists } from './status.ts'
import { checkedName, columnsOf, valueColumns } from './stored-values.ts'
import type { GivenNode } from './write-nodes.ts'

/** The columns that only this kind has. */
export function ownColumns(facts: KindFacts): readonly string[] {
  return facts.kind === 'Artifact' ? ['uri', 'state'] : facts.kind === 'Execution' ? ['last_known_state'] : []
}

/** The values of those columns. */
export function ownValues(facts: KindFacts, node: GivenNode): readonly SqlValue[] {
  if (facts.kind === 'Artifact') {
    const state = node.state === undefined ? null : artifactStates.indexOf(node.state)
    return [node.uri ?? '', state]
  }
  if (facts.kind === 'Context') return []
  return [node.lastKnownState === undefined ? null : executionStates.indexOf(node.lastKnownState)]
}

/** What a row of a property table holds. */
export type PropertyRow = readonly [id: number, name: string, custom: boolean, ...values: SqlValue[]]

/** A node's properties of both kinds as rows. */
export function valueRows(id: number, node: GivenNode): PropertyRow[] {
  return [...rowsOf(id, false, node.properties), ...rowsOf(id, true, node.customProperties)]
}

/** Properties of one kind as rows. Throws `INVALID_ARGUMENT` for what cannot be kept. */
export function rowsOf(id: number, custom: boolean, values: Values | undefined): PropertyRow[] {
  return [...(values ?? [])].map(([name, value]) => [
    id,
    checkedName('The name of the property', name),
    custom,
    ...columnsOf(`Property "${name}"`, value),
  ])
}

/**
 * Stores properties that are not there, or overwrites those that are. Throws `ALREADY_EXISTS` for new ones of names that the database
 * does not tell apart, as MySQL does not tell a from A in many: one would overwrite the other.
 */
export function* insertValues(
  facts: KindFacts,
  rows: readonly PropertyRow[],
  onConflict: 'fail' | 'overwrite',
): Work<void> {
  const keys = [facts.key, 'name', 'is_custom_property']
  try {
    yield* insert({
      table: facts.propertyTable,
      columns: [...keys, ...valueColumns],
      rows,
      onConflict: onConflict === 'fail' ? 'fail' : { keys, update: [...valueColumns] },
    })
  } catch (error) {
    if (error instanceof SqlError && error.kind === 'unique')
      throw alreadyExists(`Two properties of a ${facts.word} have names that this database does not tell apart.`, error)
    throw error
  }
}

/** Says in ML Metadata's words that a name or an external id is taken. */
export function* unique<T>(facts: KindFacts, work: Work<T>): Work<T> {
  try {
    return yield* work
  } catch (error) {
    if (error instanceof SqlError && error.kind === 'unique')
      throw alreadyExists(`There is a ${facts.word} with this name or external id.`, error)
    throw error
  }
}
