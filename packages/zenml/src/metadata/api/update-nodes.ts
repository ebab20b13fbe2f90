import { change, type SqlValue, type Work } from '../sql/work.ts'
import type { KindFacts } from './kinds.ts'
import { type Mask, masked } from './masks.ts'
import type { Value, Values } from './messages.ts'
import { insertValues, ownColumns, ownValues, rowsOf, unique } from './node-rows.ts'
import type { StoredNode } from './read-nodes.ts'
import { StatusError } from './status.ts'
import { encoded } from './stored-values.ts'
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
  yield* insertValues(facts, [
    ...rowsOf(stored.id, false, properties.set),
    ...rowsOf(stored.id, true, customProperties.set),
  ])
  // Only contexts can be renamed; another name of an artifact or execution is ignored, as the real core does.
  const columns = ['external_id', ...ownColumns(facts), ...(facts.kind === 'Context' ? ['name'] : [])]
  const valuesOf = (one: GivenNode): readonly SqlValue[] => [
    one.externalId ?? null,
    ...ownValues(facts, one),
    ...(facts.kind === 'Context' ? [one.name ?? null] : []),
  ]
  const values = valuesOf(node)
  const same =
    properties.removed.length + customProperties.removed.length + properties.set.size + customProperties.set.size ===
      0 && JSON.stringify(values) === JSON.stringify(valuesOf(stored))
  if (same && options.forceUpdateTime !== true) return
  yield* unique(
    facts,
    change(
      `UPDATE ${facts.table} SET ${columns.map((column) => `${column} = ?`).join(', ')}, last_update_time_since_epoch = ? WHERE id = ?`,
      [...values, Math.max(options.now, before + 1), stored.id],
    ),
  )
}

function changesOf(
  before: Values | undefined,
  after: Values | undefined,
): { readonly removed: readonly string[]; readonly set: ReadonlyMap<string, Value> } {
  const removed = [...(before?.keys() ?? [])].filter((name) => after?.has(name) !== true)
  const set = new Map<string, Value>()
  for (const [name, value] of after ?? []) {
    const known = before?.get(name)
    if (known === undefined || !sameColumns(known, value)) set.set(name, value)
  }
  return { removed, set }
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
