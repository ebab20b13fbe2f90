import fc from 'fast-check'
import { type Field, fieldsOf, type MessageSpec, type MessageValue } from '../../../src/base/proto/proto-message.ts'
import { anySpec } from '../../../src/base/proto/well-known.ts'

/** How messages are made up. */
export interface Making {
  readonly whole: fc.Arbitrary<number | bigint>
  readonly key: fc.Arbitrary<string>
  readonly text: fc.Arbitrary<string>
  readonly double: fc.Arbitrary<number>
}

/** Anything that messages can hold. */
export const anything: Making = {
  whole: fc
    .oneof(fc.bigInt({ min: -(2n ** 63n), max: 2n ** 63n - 1n }), fc.bigInt({ min: -3n, max: 300n }))
    .map((whole) => (Number.isSafeInteger(Number(whole)) ? Number(whole) : whole)),
  key: fc.oneof(
    fc.string({ unit: 'binary', maxLength: 5 }),
    fc.constantFrom('__proto__', 'constructor', '10', '9', ''),
  ),
  text: fc.oneof(fc.string({ unit: 'binary', maxLength: 8 }), fc.constantFrom('\0', '__proto__', 'é中😀')),
  double: fc.double(),
}

/** Messages of a type, `depth` levels deep at most. */
export function messagesOf(spec: MessageSpec, how: Making, depth: number): fc.Arbitrary<MessageValue> {
  const fields = fieldsOf(spec).filter((field) => depth > 0 || isFlat(field))
  const oneofs = [...new Set(fields.flatMap(({ oneof }) => oneof ?? []))]
  return fc
    .tuple(
      fc.record(
        Object.fromEntries(
          fields.filter(({ oneof }) => oneof === undefined).map((field) => [field.key, valuesOf(field, how, depth)]),
        ),
        { requiredKeys: [] },
      ),
      ...oneofs.map((oneof) =>
        fc.oneof(
          fc.constant({}),
          ...fields
            .filter((field) => field.oneof === oneof)
            .map((field) => valuesOf(field, how, depth).map((value) => ({ [field.key]: value }))),
        ),
      ),
    )
    .map((parts) => Object.assign({}, ...parts) as MessageValue)
}

function isFlat(field: Field): boolean {
  return field.message === undefined && field.entry === undefined
}

function valuesOf(field: Field, how: Making, depth: number): fc.Arbitrary<unknown> {
  if (field.entry !== undefined) {
    const [keyField, valueField] = fieldsOf(field.entry) as readonly [Field, Field]
    const keys = keyField.scalar === 'string' ? how.key : fc.nat(1000).map(String)
    return fc
      .uniqueArray(fc.tuple(keys, oneOf(valueField, how, depth)), {
        minLength: 1,
        maxLength: 3,
        selector: ([key]) => key,
      })
      .map((entries) => new Map(entries))
  }
  return field.repeated ? fc.array(oneOf(field, how, depth), { minLength: 1, maxLength: 3 }) : oneOf(field, how, depth)
}

function oneOf(field: Field, how: Making, depth: number): fc.Arbitrary<unknown> {
  if (field.message !== undefined) {
    const spec = field.message()
    if (spec.plain !== undefined) return structs(how)
    if (spec === anySpec)
      return fc.record(
        {
          typeUrl: fc.constantFrom('x.y/a.B', 'type.googleapis.com/ml_metadata.Artifact'),
          value: fc.uint8Array({ minLength: 1, maxLength: 9 }),
        },
        { requiredKeys: [] },
      )
    return messagesOf(spec, how, depth - 1)
  }
  if (field.values !== undefined) return fc.constantFrom(...Object.keys(field.values))
  switch (field.scalar) {
    case 'int64':
      return how.whole
    case 'int32':
      return fc.integer()
    case 'double':
      return how.double
    case 'bool':
      return fc.boolean()
    case 'string':
      return how.text
    default:
      throw new Error(`no arbitrary for ${field.scalar}`)
  }
}

function structs(how: Making): fc.Arbitrary<unknown> {
  const { value } = fc.letrec((tie) => ({
    value: fc.oneof(
      { maxDepth: 3 },
      fc.constant(null),
      fc.boolean(),
      how.double,
      how.text,
      fc.array(tie('value'), { maxLength: 3 }),
      objects(how, tie('value')),
    ),
  }))
  return objects(how, value)
}

/** Own keys of any name; a dictionary of fast-check would set them, which loses `__proto__`. */
function objects(how: Making, value: fc.Arbitrary<unknown>): fc.Arbitrary<object> {
  return fc
    .uniqueArray(fc.tuple(how.key, value), { maxLength: 3, selector: ([key]) => key })
    .map((entries) => Object.fromEntries(entries))
}
