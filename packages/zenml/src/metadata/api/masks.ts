import type { Kind, KindFacts } from './kinds.ts'
import type { FieldMask, Value, Values } from './messages.ts'
import type { StoredNode } from './read-nodes.ts'
import { invalid } from './status.ts'
import type { GivenNode } from './write-nodes.ts'

/** Which parts of a stored node an update changes. */
export interface Mask {
  /** Whether a field with a column of its own is among them. */
  field(name: MaskedField): boolean
  /** Whether a property is. */
  property(name: string, custom: boolean): boolean
}

export type MaskedField = 'uri' | 'state' | 'lastKnownState' | 'name' | 'externalId'

/** Fields that an update changes, by kind and by the name that a mask has for them. */
const changed: { readonly [kind in Kind]: { readonly [path: string]: MaskedField } } = {
  Artifact: { uri: 'uri', state: 'state', external_id: 'externalId' },
  Execution: { last_known_state: 'lastKnownState', external_id: 'externalId' },
  Context: { name: 'name', external_id: 'externalId' },
}

/** Fields that a mask may name although an update leaves them as they are, as it does without a mask. */
const left: ReadonlySet<string> = new Set([
  'id',
  'name',
  'type',
  'type_id',
  'create_time_since_epoch',
  'last_update_time_since_epoch',
  'system_metadata',
])

/** An update without a mask replaces everything. */
export const noMask: Mask = { field: () => true, property: () => true }

/**
 * Reads the paths of a mask: `uri`, `properties` for all of them, `properties.day` for one, whose name may hold dots. No mask and
 * one without paths are the same. Throws `INVALID_ARGUMENT` for a path that is no field of the kind: a mistyped one would change
 * nothing and say nothing.
 */
export function readMask(facts: KindFacts, mask: FieldMask | undefined): Mask {
  const paths = mask?.paths ?? []
  if (paths.length === 0) return noMask
  const fields = new Set<MaskedField>()
  const all = { properties: false, custom_properties: false }
  const single = { properties: new Set<string>(), custom_properties: new Set<string>() }
  for (const path of paths) {
    const [, kind, name] = /^(properties|custom_properties)(?:\.(.*))?$/s.exec(path) ?? []
    const field = Object.hasOwn(changed[facts.kind], path) ? changed[facts.kind][path] : undefined
    if (kind === 'properties' || kind === 'custom_properties') {
      if (name === undefined) all[kind] = true
      else single[kind].add(name)
    } else if (field !== undefined) fields.add(field)
    else if (!left.has(path)) throw invalid(`The mask names "${path}", which is no field of a ${facts.word}.`)
  }
  return {
    field: (name) => fields.has(name),
    property(name, custom) {
      const kind = custom ? 'custom_properties' : 'properties'
      return all[kind] || single[kind].has(name)
    },
  }
}

/** The stored node with what the mask names as given; what the mask names and is not given is cleared. */
export function masked(mask: Mask, stored: StoredNode, given: GivenNode): GivenNode {
  if (mask === noMask) return given
  const take = (name: MaskedField): object => {
    const value = (mask.field(name) ? given : stored)[name]
    return value === undefined ? {} : { [name]: value }
  }
  return {
    ...take('uri'),
    ...take('state'),
    ...take('lastKnownState'),
    ...take('name'),
    ...take('externalId'),
    properties: maskedValues(stored.properties, given.properties, (name) => mask.property(name, false)),
    customProperties: maskedValues(stored.customProperties, given.customProperties, (name) =>
      mask.property(name, true),
    ),
  }
}

function maskedValues(
  stored: Values | undefined,
  given: Values | undefined,
  named: (name: string) => boolean,
): ReadonlyMap<string, Value> {
  return new Map([
    ...[...(stored ?? [])].filter(([name]) => !named(name)),
    ...[...(given ?? [])].filter(([name]) => named(name)),
  ])
}
