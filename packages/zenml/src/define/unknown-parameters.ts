import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import { didYouMean } from '../base/nearest.ts'

/** A parameter that does not fit, by its path with dots. */
export interface ParameterProblem {
  readonly path: string
  readonly message: string
}

/**
 * The JSON Schema of a step's parameters by the Standard JSON Schema interface, which Zod 4 implements; `{ type: 'object' }` where
 * a schema does not.
 */
export function jsonSchemaOf(schema: unknown): JsonObject {
  const standard = (
    schema as { '~standard'?: { jsonSchema?: { input(options: { target: string }): JsonObject } } } | undefined
  )?.['~standard']
  if (standard?.jsonSchema === undefined) return { type: 'object' }
  return standard.jsonSchema.input({ target: 'draft-2020-12' })
}

/**
 * Keys that a schema neither names nor lets through. Validators drop them without a word, and a mistyped parameter would leave its
 * default standing.
 */
export function unknownParameters(schema: unknown, given: unknown, taken: unknown): readonly ParameterProblem[] {
  let described: JsonObject
  try {
    described = jsonSchemaOf(schema)
  } catch {
    // What cannot be described as JSON Schema (a transformation of unknown shape) is the schema's own business.
    return []
  }
  return unknownIn(described, given as Json, taken as Json, '')
}

function unknownIn(
  schema: Json | undefined,
  given: Json | undefined,
  taken: Json | undefined,
  path: string,
): ParameterProblem[] {
  if (!isJsonObject(schema)) return []
  const below = (key: string | number): string => (path === '' ? String(key) : `${path}.${key}`)
  if (Array.isArray(given) && Array.isArray(taken))
    return given.flatMap((item, index) => unknownIn(schema['items'], item, taken[index], below(index)))
  const properties = schema['properties']
  if (!isJsonObject(given) || !isJsonObject(taken) || !isJsonObject(properties)) return []
  const known = Object.keys(properties)
  return Object.keys(given).flatMap((key) => {
    if (Object.hasOwn(properties, key)) return unknownIn(properties[key], given[key], taken[key], below(key))
    if (Object.hasOwn(taken, key)) return []
    return [{ path: below(key), message: `Unknown.${didYouMean(key, known) || ` Known here: ${known.join(', ')}.`}` }]
  })
}
