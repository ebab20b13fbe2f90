import { change, type SqlValue, type Work } from '../sql/work.ts'
import type { KindFacts } from './kinds.ts'
import { type Mask, masked } from './masks.ts'
import type { Value, Values } from './messages.ts'
import { insertValues, ownColumns, ownValues, type PropertyRow, rowsOf, unique } from './node-rows.ts'
import type { StoredNode } from './read-nodes.ts'
import { StatusError } from './status.ts'
import { checkedName, encoded } from './stored-values.ts'
import type { GivenNode, PutOptions } from './write-nodes.ts'

/**
 * Changes a stored node to one that was checked, as far as the mask goes. The time of its last update moves where something changes,
 * and always forward, so that whoever expects the time that was read notices every change since.
 *
 * Throws `FAILED_PRECONDITION` where `abortIfChanged` finds another time, `ALREADY_EXISTS` for a taken name or external id.
 */
export function* update(
  facts: KindFacts,
  stored: StoredNode,
  given: GivenNode,
  mask: Mask,
  options: PutOptions,
): Work<void> {
  const before = Number(stored.lastUpdateTimeSinceEpoch)
  if (options.abortIfChanged === true && Number(given.lastUpdateTimeSinceEpoch ?? -1) !== before)
    throw new StatusError(
      'FAILED_PRECONDITION',
      `The ${facts.word} ${stored.id} was last updated at ${before}, not at ${given.lastUpdateTimeSinceEpoch ?? 'a time that was given'}.`,
    )
  const node = masked(mask, stored, given)
  const properties = changesOf(stored.properties, node.properties)
  const customProperties = changesOf(stored.customProperties, node.customProperties)
  for (const [custom, { removed }] of [[false, properties] as const, [true, customProperties] as const]) {
    for (const name of removed)
      yield* change(
        `DELETE FROM ${facts.propertyTable} WHERE ${facts.key} = ? AND name = ? AND is_custom_property = ?`,
        [stored.id, name, custom],
      )
  }
  const rowsWith = (which: 'changed' | 'added'): PropertyRow[] => [
    ...rowsOf(stored.id, false, properties[which]),
    ...rowsOf(stored.id, true, customProperties[which]),
  ]
  yield* insertValues(facts, rowsWith('changed'), 'overwrite')
  yield* insertValues(facts, rowsWith('added'), 'fail')
  // Only contexts can be renamed; another name of an artifact or execution is ignored, as the real core does.
  const columns = ['external_id', ...ownColumns(facts), ...(facts.kind === 'Context' ? ['name'] : [])]
  const valuesOf = (one: GivenNode): readonly SqlValue[] => [
    one.externalId ?? null,
    ...ownValues(facts, one),
    ...(facts.kind === 'Context' ? [one.name ?? null] : []),
  ]
  // What others stored in SQLite may be longer than new names: it stays as it is.
  if (facts.kind === 'Context' && node.name !== stored.name) checkedName('The name', node.name ?? '')
  if (node.externalId !== stored.externalId) checkedName('The external id', node.externalId ?? '')
  const values = valuesOf(node)
  const same = properties.same && customProperties.same && JSON.stringify(values) === JSON.stringify(valuesOf(stored))
  if (same && options.forceUpdateTime !== true) return
  yield* unique(
    facts,
    change(
      `UPDATE ${facts.table} SET ${columns.map((column) => `${column} = ?`).join(', ')}, last_update_time_since_epoch = ? WHERE id = ?`,
      [...values, Math.max(options.now, before + 1), stored.id],
    ),
  )
}

interface Changes {
  readonly removed: readonly string[]
  readonly changed: ReadonlyMap<string, Value>
  readonly added: ReadonlyMap<string, Value>
  /** Whether there are none. */
  readonly same: boolean
}

function changesOf(before: Values | undefined, after: Values | undefined): Changes {
  const removed = [...(before?.keys() ?? [])].filter((name) => after?.has(name) !== true)
  const [changed, added] = [new Map<string, Value>(), new Map<string, Value>()]
  for (const [name, value] of after ?? []) {
    const known = before?.get(name)
    if (known === undefined) added.set(name, value)
    else if (!sameColumns(known, value)) changed.set(name, value)
  }
  return { removed, changed, added, same: removed.length + changed.size + added.size === 0 }
}

/** Whether two values are stored alike. What other writers stored may be a value that is refused here. */
function sameColumns(left: Value, right: Value): boolean {
  const [a, b] = [encoded(left), encoded(right)]
  return a.every((value, index) => {
    const other = b[index]!
    return typeof value === 'bigint' || typeof other === 'bigint'
      ? String(value) === String(other)
      : Object.is(value, other)
  })
}
