import { canonicalJson } from '../base/canonical.ts'
import type { JsonObject } from '../base/json.ts'
import type { PropertyValue } from './properties.ts'

/** A fact as it is stored in a property: equal facts are equal texts. */
export function json(value: object): string {
  return canonicalJson(value as JsonObject)
}

/** A stored fact; null where there is none. */
export function parse(text: PropertyValue | undefined): unknown {
  return JSON.parse(String(text ?? 'null'))
}

/** A stored number; null where there is none. */
export function numberOrNull(value: PropertyValue | undefined): number | null {
  return value === undefined ? null : Number(value)
}
