import { decodeMessage } from '../../base/proto/decode.ts'
import { encodeMessage } from '../../base/proto/encode.ts'
import { anySpec, structSpec } from '../../base/proto/well-known.ts'
import { lengthOf, mostOfName } from '../schema-10.ts'
import type { SqlValue } from '../sql/work.ts'
import type { PropertyType, Struct, Value } from './messages.ts'
import { invalid, StatusError } from './status.ts'

/** The columns of a value, in the order in which `columnsOf` gives them. */
export const valueColumns = ['int_value', 'double_value', 'string_value', 'proto_value', 'bool_value'] as const

/** A row of a property table. */
export interface ValueRow {
  readonly name: string
  readonly is_custom_property: number
  readonly int_value: number | bigint | null
  readonly double_value: number | null
  readonly string_value: string | null
  readonly proto_value: string | Uint8Array | null
  readonly bool_value: number | null
}

const structMark = 'mlmd-struct::'

/**
 * A value as columns, exactly one of which is not null: structs are texts behind a mark, protos are base64 texts, as the real core
 * stores them. Throws `INVALID_ARGUMENT` for what that core would cut, misread or crash on.
 */
export function columnsOf(place: string, value: Value): readonly SqlValue[] {
  const set = Object.entries(value).filter(([field, content]) => content !== undefined && field !== 'unknownFields')
  if (set.length !== 1) throw invalid(`${place} has ${set.length === 0 ? 'no value' : 'several values'}.`)
  const { doubleValue, stringValue, protoValue } = value
  if (doubleValue !== undefined && !Number.isFinite(doubleValue))
    throw invalid(`${place} is ${doubleValue}; finite numbers are kept only.`)
  if (stringValue !== undefined) checkedText(place, stringValue)
  if (protoValue !== undefined && !protoValue.typeUrl) throw invalid(`${place} is a message without a type_url.`)
  return encoded(value)
}

/** A value as columns, whatever it is. */
export function encoded(value: Value): readonly SqlValue[] {
  const { intValue, doubleValue, stringValue, structValue, protoValue, boolValue } = value
  const text =
    structValue === undefined
      ? stringValue
      : structMark + Buffer.from(encodeMessage(structSpec, structValue)).toString('base64')
  const proto =
    protoValue === undefined ? null : Buffer.from(encodeMessage(anySpec, { ...protoValue })).toString('base64')
  return [intValue ?? null, doubleValue ?? null, text ?? null, proto, boolValue ?? null]
}

/** The value of a row; undefined for a row without one, which the real core refuses to read. */
export function storedValue(row: ValueRow): Value | undefined {
  if (row.int_value !== null) return { intValue: row.int_value }
  if (row.double_value !== null) return { doubleValue: row.double_value }
  if (row.string_value !== null) {
    if (!row.string_value.startsWith(structMark)) return { stringValue: row.string_value }
    try {
      return {
        structValue: decodeMessage(
          structSpec,
          Buffer.from(row.string_value.slice(structMark.length), 'base64'),
        ) as Struct,
      }
    } catch {
      // A text that only looks like a struct, which other writers may have stored, is a text.
      return { stringValue: row.string_value }
    }
  }
  if (row.proto_value !== null) {
    const text = typeof row.proto_value === 'string' ? row.proto_value : Buffer.from(row.proto_value).toString('latin1')
    try {
      return { protoValue: decodeMessage(anySpec, Buffer.from(text, 'base64')) }
    } catch (error) {
      throw new StatusError('INTERNAL', `The stored message of property "${row.name}" cannot be read.`, error)
    }
  }
  return row.bool_value === null ? undefined : { boolValue: Boolean(row.bool_value) }
}

/** The type of property that a value has. */
export function typeOfValue(value: Value): PropertyType {
  if (value.intValue !== undefined) return 'INT'
  if (value.doubleValue !== undefined) return 'DOUBLE'
  if (value.stringValue !== undefined) return 'STRING'
  if (value.structValue !== undefined) return 'STRUCT'
  if (value.protoValue !== undefined) return 'PROTO'
  return value.boolValue === undefined ? 'UNKNOWN' : 'BOOLEAN'
}

/** A name as all databases can keep it: what SQLite alone would take, MySQL and PostgreSQL refuse. Throws `INVALID_ARGUMENT`. */
export function checkedName(place: string, name: string): string {
  const length = lengthOf(name)
  if (length > mostOfName)
    throw invalid(`${place} has ${length} characters; ML Metadata keeps ${mostOfName} at the most.`)
  return checkedText(place, name)
}

/** A text that the real core reads back as it was: without NUL, and none of its own marks. */
export function checkedText(place: string, text: string): string {
  if (text.includes('\0')) throw invalid(`${place} holds a NUL character, which cannot be kept.`)
  if (text === '__MLMD_NULL__' || text.startsWith(structMark))
    throw invalid(`${place} is "${text.slice(0, 40)}", which ML Metadata keeps for itself.`)
  return text
}
