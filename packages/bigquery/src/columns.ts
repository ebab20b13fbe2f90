import type { BigQueryDatasource, FeatureKind, RowCell, RowValue, SourceTools } from 'zenml/sources'
import type { Field } from './client.ts'

/** A value as the API sends it: all single ones as texts. */
export type RawValue = string | null | readonly { readonly v: string | null }[]

/** A column as it is read. */
export interface BigQueryColumn {
  readonly name: string
  /** Its type as BigQuery calls it, with the mode of a list. */
  readonly type: string
  readonly kind: FeatureKind
  /** What rows are ordered by where the column is of the key; undefined for a type without an order. */
  readonly order: string | undefined
  /** Undefined for a value that no feature holds. */
  readonly convert: (raw: RawValue) => RowCell | undefined
}

interface Known {
  readonly kind: FeatureKind
  readonly convert: (text: string) => RowValue | undefined
  readonly order?: (name: string) => string | undefined
}

/** A name as GoogleSQL quotes it: with the escapes of a text. */
export function quotedName(name: string): string {
  return `\`${name.replace(/[\\`]/g, '\\$&')}\``
}

/** The columns of a result. Throws `ZEN_SOURCE_COLUMNS` for a type that no feature holds. */
export function columnsOf(
  fields: readonly Field[],
  spec: BigQueryDatasource,
  tools: SourceTools,
): readonly BigQueryColumn[] {
  const known = knownTypes(tools)
  return fields.map(({ name, type, mode }) => {
    if (type === 'RECORD' || type === 'STRUCT')
      throw new tools.ZenmlError(
        'ZEN_SOURCE_COLUMNS',
        `${tools.placeOf(spec)}: the column "${name}" is a ${mode === 'REPEATED' ? 'list of ' : ''}STRUCT, which a feature cannot hold.`,
        {
          facts: { column: name, type },
          next: `Select its fields in a query (${name}.FIELD AS ${name}_FIELD), or the whole as text (TO_JSON_STRING(${name}) AS ${name}).`,
          exitCode: 1,
        },
      )
    const found = known.get(type)
    if (found === undefined) throw tools.unsupportedType(spec, name, type)
    const { kind, convert, order = (quoted: string) => quoted } = found
    if (mode === 'REPEATED')
      return { name, type: `${type} REPEATED`, kind, order: undefined, convert: (raw) => listOf(raw, convert) }
    return {
      name,
      type,
      kind,
      order: order(quotedName(name)),
      convert: (raw) => (typeof raw === 'string' ? convert(raw) : raw === null ? null : undefined),
    }
  })
}

/** By the names of https://cloud.google.com/bigquery/docs/reference/rest/v2/tables#TableFieldSchema, old and new. */
function knownTypes({ microsecondsOf, wholeNumber }: SourceTools): ReadonlyMap<string, Known> {
  const whole = (text: string): RowValue | undefined => (/^-?\d{1,19}$/.test(text) ? wholeNumber(text) : undefined)
  const int: Known = { kind: 'int', convert: whole }
  const float: Known = { kind: 'float', convert: floatOf }
  const time: Known = { kind: 'int', convert: microsecondsOf }
  const bool: Known = {
    kind: 'int',
    convert: (text) => (text === 'true' ? 1 : text === 'false' ? 0 : undefined),
  }
  const text = (order: Known['order']): Known => ({ kind: 'bytes', convert: (value) => value, order: order! })
  // A column may have a collation: of texts the bytes are compared.
  const string = text((name) => `CAST(${name} AS BYTES)`)
  const unordered = text(() => undefined)
  return new Map<string, Known>([
    ['INTEGER', int],
    ['INT64', int],
    ['FLOAT', float],
    ['FLOAT64', float],
    ['NUMERIC', float],
    ['BIGNUMERIC', float],
    ['BOOLEAN', bool],
    ['BOOL', bool],
    ['STRING', string],
    ['BYTES', { kind: 'bytes', convert: bytesOf }],
    ['DATE', time],
    ['DATETIME', time],
    ['TIME', time],
    // Asked for as microseconds since the epoch.
    ['TIMESTAMP', int],
    ['JSON', unordered],
    ['GEOGRAPHY', unordered],
  ])
}

function listOf(raw: RawValue, convert: Known['convert']): RowCell | undefined {
  if (!Array.isArray(raw)) return undefined
  const values: RowValue[] = []
  for (const item of raw as readonly { readonly v: string | null }[]) {
    const value = typeof item.v === 'string' ? convert(item.v) : undefined
    if (value === undefined) return undefined
    values.push(value)
  }
  return values
}

function floatOf(text: string): number | undefined {
  const special = /^([+-]?)(nan|inf(?:inity)?)$/i.exec(text)
  if (special !== null)
    return special[2]!.toLowerCase() === 'nan'
      ? Number.NaN
      : special[1] === '-'
        ? Number.NEGATIVE_INFINITY
        : Number.POSITIVE_INFINITY
  return /^[+-]?(\d+\.?\d*|\.\d+)(e[+-]?\d+)?$/i.test(text) ? Number(text) : undefined
}

function bytesOf(text: string): Uint8Array | undefined {
  return /^[A-Za-z0-9+/]*={0,2}$/.test(text) && text.length % 4 === 0 ? Buffer.from(text, 'base64') : undefined
}
