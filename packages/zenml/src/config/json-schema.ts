import type { JsonObject } from '../base/json.ts'
import { configKeys, type KeyRule, type KeyTable } from './config-keys.ts'

/** The JSON Schema (draft 2020-12) of a pipeline's configuration, for editors. */
export function configJsonSchema(): JsonObject {
  return {
    $schema: 'https://json-schema.org/draft/2020-12/schema',
    title: 'ZenML pipeline',
    ...objectSchema(configKeys),
  }
}

function objectSchema(keys: KeyTable): JsonObject {
  const required = Object.keys(keys).filter((key) => keys[key]!.required === true)
  return {
    type: 'object',
    additionalProperties: false,
    properties: Object.fromEntries(Object.entries(keys).map(([key, rule]) => [key, ruleSchema(rule)])),
    ...(required.length === 0 ? {} : { required }),
  }
}

function entrySchema({ keys, types }: KeyRule): JsonObject {
  if (types === undefined) return objectSchema(keys!)
  const [usual] = Object.keys(types)
  return {
    type: 'object',
    oneOf: Object.entries(types).map(([type, table]) => {
      const {
        properties,
        required = [],
        ...rest
      } = objectSchema(table) as {
        readonly properties: JsonObject
        readonly required?: readonly string[]
      }
      const { description } = table['type']!
      return {
        ...rest,
        properties: { ...properties, type: { description, const: type } },
        required: type === usual ? required : ['type', ...required],
      }
    }),
  }
}

function ruleSchema(rule: KeyRule): JsonObject {
  const { type, description, values, minimum, maximum, pattern, keys } = rule
  switch (type) {
    case 'object':
      return { description, ...objectSchema(keys!) }
    case 'map':
      return {
        description,
        type: 'object',
        propertyNames: { pattern: pattern! },
        additionalProperties: entrySchema(rule),
      }
    case 'free':
      return { description, type: 'object' }
    case 'references':
      return {
        description,
        type: 'object',
        additionalProperties: { type: 'string', pattern: '^[A-Za-z0-9_-]+\\.[A-Za-z0-9_-]+$' },
      }
    case 'texts':
      return { description, type: 'object', additionalProperties: { type: 'string' } }
    case 'strings':
      return { description, type: 'array', items: { type: 'string', ...(pattern === undefined ? {} : { pattern }) } }
    default:
      return {
        description,
        type,
        ...(values === undefined ? {} : { enum: values }),
        ...(minimum === undefined ? {} : { minimum }),
        ...(maximum === undefined ? {} : { maximum }),
        ...(pattern === undefined ? {} : { pattern }),
      }
  }
}
