import { ZenmlError } from '../../base/errors.ts'
import { isJsonObject } from '../../base/json.ts'
import { didYouMean } from '../../base/nearest.ts'
import type { ExampleBatch } from '../../formats/batch.ts'
import { batchOf, type CellValue } from '../../formats/batch-of.ts'
import type { ServingFeature, ServingManifest } from '../../formats/serving.ts'

/**
 * Examples from rows as a caller gives them: each an object of values by feature, of the kinds that the schema says. Bytes are a text (UTF-8), a
 * `Uint8Array`, or `{ "b64": … }` as the REST interface of TensorFlow Serving has them; null and nothing are a missing value.
 *
 * Throws `ZEN_SERVING_ROWS`, `ZEN_SERVING_FEATURE` and `ZEN_SERVING_VALUE`, each with the row, of which `first` have gone before.
 */
export function rowsOf(
  manifest: Pick<ServingManifest, 'features' | 'unused'>,
  rows: readonly unknown[],
  first = 0,
): ExampleBatch {
  const known = new Map(manifest.features.map((feature) => [feature.name, feature]))
  const unused = new Set(manifest.unused)
  const kinds = Object.fromEntries(manifest.features.map(({ name, kind }) => [name, kind]))
  return batchOf(
    rows.map((row, at) => {
      const index = first + at
      if (!isRow(row))
        throw refused('ROWS', index, `Row ${index} is ${described(row)}, not an object of values by feature.`)
      const cells: [string, CellValue[]][] = []
      for (const [name, cell] of Object.entries(row)) {
        const feature = known.get(name)
        if (feature !== undefined) cells.push([name, valuesOf(feature, cell, index)])
        else if (!unused.has(name)) {
          const names = [...known.keys()]
          throw refused(
            'FEATURE',
            index,
            `Row ${index} has a feature ${JSON.stringify(name)}, which the model was not trained on; it takes ${names.join(', ')}.${didYouMean(name, names)}`,
          )
        }
      }
      return Object.fromEntries(cells)
    }),
    kinds,
  )
}

function isRow(row: unknown): row is { readonly [name: string]: unknown } {
  return isJsonObject(row) && !(row instanceof Uint8Array)
}

function valuesOf(feature: ServingFeature, cell: unknown, row: number): CellValue[] {
  if (cell === null || cell === undefined) return []
  return (Array.isArray(cell) ? cell : [cell]).map((value) => checkedValue(feature, value, row))
}

const expected = {
  int: 'a whole number up to 2^53 - 1',
  float: 'a number',
  bytes: 'a text, or bytes as { "b64": "…" }',
}

function checkedValue({ name, kind }: ServingFeature, value: unknown, row: number): CellValue {
  if (kind === 'float' && typeof value === 'number') return value
  if (kind === 'int' && (Number.isSafeInteger(value) || typeof value === 'bigint' || typeof value === 'boolean'))
    return value as CellValue
  if (kind === 'bytes') {
    if (value instanceof Uint8Array) return value
    if (typeof value === 'string' && value.isWellFormed()) return value
    const bytes = isRow(value) ? fromBase64(value) : undefined
    if (bytes !== undefined) return bytes
  }
  throw refused('VALUE', row, `Row ${row} has ${described(value)} for ${JSON.stringify(name)}, not ${expected[kind]}.`)
}

/** Bytes of `{ "b64": … }`; undefined where it is anything else, for the decoder would pass over what it does not know. */
function fromBase64(value: { readonly [name: string]: unknown }): Uint8Array | undefined {
  const { b64, ...others } = value
  if (typeof b64 !== 'string' || Object.keys(others).length > 0) return undefined
  const bytes = Buffer.from(b64, 'base64')
  return bytes.toString('base64') === b64 ? bytes : undefined
}

function described(value: unknown): string {
  if (value === null) return 'null'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'string') return `the text ${JSON.stringify(value.slice(0, 50))}`
  if (typeof value === 'number') return `the number ${value}`
  return typeof value === 'object' ? 'an object' : `the ${typeof value} ${String(value)}`
}

function refused(what: 'ROWS' | 'FEATURE' | 'VALUE', row: number, message: string): ZenmlError {
  return new ZenmlError(`ZEN_SERVING_${what}`, message, { facts: { row }, exitCode: 1 })
}
