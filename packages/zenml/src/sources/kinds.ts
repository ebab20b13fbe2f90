import { compareText } from '../base/canonical.ts'
import { ZenmlError } from '../base/errors.ts'
import type { FeatureKind } from '../formats/batch.ts'

/** Kind of every feature, in the order of the names' UTF-8 bytes; undefined as long as no value was seen. */
export type KindsSoFar = Map<string, FeatureKind | undefined>

/** The narrowest kind that holds the values of both; numbers and texts together are bytes. */
export function widened(known: FeatureKind | undefined, kind: FeatureKind): FeatureKind {
  if (known === undefined || known === kind) return kind
  return known === 'bytes' || kind === 'bytes' ? 'bytes' : 'float'
}

/** A value does not fit the kind that was guessed of its feature: the source has to be read through to learn the kinds. */
export class KindMismatch extends Error {}

/** The error for a value that does not fit the kind that the user's schema says. */
export function notOfKind(value: string, kind: FeatureKind, feature: string, file: string, row: number): ZenmlError {
  return new ZenmlError(
    'ZEN_SOURCE_VALUE',
    `${file}: row ${row}: ${JSON.stringify(value.slice(0, 50))} is no ${kind}, as the schema says of "${feature}".`,
    { facts: { file, row, feature }, next: 'Mend the value, or widen the schema.', exitCode: 1 },
  )
}

/** Puts the schema's kinds over the found ones and sorts; throws `ZEN_SOURCE_SCHEMA` for a feature that the data has not. */
export function withSchema(
  kinds: KindsSoFar,
  schema: { readonly [feature: string]: FeatureKind },
): Map<string, FeatureKind | undefined> {
  for (const [name, kind] of Object.entries(schema)) {
    if (!kinds.has(name))
      throw new ZenmlError(
        'ZEN_SOURCE_SCHEMA',
        `The schema names "${name}", but the data has ${[...kinds.keys()].join(', ')}.`,
        { exitCode: 1 },
      )
    kinds.set(name, kind)
  }
  return new Map([...kinds].sort(([a], [b]) => compareText(a, b)))
}
