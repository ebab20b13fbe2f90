import type { FieldPacket } from 'mysql2/promise'
import type { FeatureKind } from '../formats/batch.ts'
import type { ServerDatasource } from '../model/datasource-spec.ts'
import { microsecondsOf } from './iso-time.ts'
import type { RowValue } from './row-batches.ts'
import { type ServerColumn, wholeNumber } from './sql-server.ts'
import { unsupportedType } from './sql-text.ts'

/** How many bytes of a text the server is told to order by; an index of InnoDB has no longer keys. */
export const longestKey = 4096

interface Known {
  readonly name: string
  readonly kind: FeatureKind
  readonly convert: (raw: Uint8Array) => RowValue | undefined
}

const int = (name: string): Known => ({ name, kind: 'int', convert: (raw) => wholeNumber(ascii(raw)) })
const float = (name: string): Known => ({ name, kind: 'float', convert: (raw) => Number(ascii(raw)) })
const moment = (name: string): Known => ({ name, kind: 'int', convert: (raw) => microsecondsOf(ascii(raw)) })
const time: Known = { name: 'time', kind: 'int', convert: timeOf }
const bytes = (name: string): Known => ({ name, kind: 'bytes', convert: (raw) => raw })

/** By the numbers of the protocol (https://dev.mysql.com/doc/dev/mysql-server/latest/field__types_8h.html). */
const known: { readonly [number: number]: Known } = {
  ...{ 0: float('decimal'), 246: float('decimal'), 4: float('float'), 5: float('double') },
  ...{ 1: int('tinyint'), 2: int('smallint'), 3: int('int'), 8: int('bigint'), 9: int('mediumint'), 13: int('year') },
  ...{ 7: moment('timestamp'), 10: moment('date'), 12: moment('datetime'), 14: moment('date'), 11: time },
  16: { name: 'bit', kind: 'int', convert: bitsOf },
  ...{ 6: bytes('null'), 15: bytes('varchar'), 253: bytes('varchar'), 254: bytes('char'), 245: bytes('json') },
  ...{ 247: bytes('enum'), 248: bytes('set') },
  ...{ 249: bytes('blob'), 250: bytes('blob'), 251: bytes('blob'), 252: bytes('blob') },
}

/** The number of the character set of what is no text. */
const binary = 63

/** A column by its type. Throws `ZEN_SOURCE_COLUMNS` for a type that no feature holds. */
export function mysqlColumn(spec: ServerDatasource, field: FieldPacket): ServerColumn {
  const { name, columnType = -1 } = field
  const { characterSet } = field as { readonly characterSet?: number }
  const found = known[columnType]
  if (found === undefined) throw unsupportedType(spec, name, `of type ${columnType}`)
  const sql = quotedName(name)
  const isText = found.kind === 'bytes' && characterSet !== binary
  return {
    name,
    type: `${found.name} ${characterSet}`,
    kind: found.kind,
    // By itself a float comes with six digits; as a double it has all it holds.
    sql: columnType === 4 ? `${sql} * 1e0` : sql,
    order: isText ? `CAST(CONVERT(${sql} USING utf8mb4) AS BINARY)` : sql,
    convert: (raw) => found.convert(raw as Uint8Array),
  }
}

/** A name as MySQL quotes it. */
export function quotedName(name: string): string {
  return `\`${name.replaceAll('`', '``')}\``
}

function ascii(raw: Uint8Array): string {
  return (raw as Buffer).toString('latin1')
}

/** Microseconds of a time of MySQL, which may be negative and of many days: -838:59:59 to 838:59:59. */
function timeOf(raw: Uint8Array): RowValue | undefined {
  const match = /^(-?)(\d+):(\d\d):(\d\d)(?:\.(\d+))?$/.exec(ascii(raw))
  if (match === null) return undefined
  const [, sign, hours, minutes, seconds, fraction = ''] = match
  const whole = (Number(hours) * 60 + Number(minutes)) * 60 + Number(seconds)
  const micros = whole * 1_000_000 + Number(fraction.padEnd(6, '0'))
  return sign === '-' && micros > 0 ? -micros : micros
}

function bitsOf(raw: Uint8Array): RowValue {
  let value = 0n
  for (const byte of raw) value = (value << 8n) | BigInt(byte)
  return value
}
