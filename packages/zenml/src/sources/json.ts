import { messageOf, ZenmlError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import type { CellValue } from '../formats/examples.ts'
import type { SourceFile } from '../model/source-files.ts'
import { readText, type TextEncodingName } from './read-text.ts'
import type { Row } from './row.ts'

/** A record larger than this is refused, so that memory stays bounded. */
const largestRecord = 64 << 20

/** Rows of a file with one JSON object a line; blank lines are passed over. Throws `ZEN_JSON_RECORD` with the line. */
export async function* readJsonLines(
  file: SourceFile,
  encoding: TextEncodingName | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Row> {
  let rest = ''
  let line = 0
  const parse = (text: string): Row | undefined => {
    line++
    return text.trim() === '' ? undefined : rowOf(text, file, `line ${line}`)
  }
  for await (const piece of readText(file, encoding, signal)) {
    const lines = (rest + piece).split('\n')
    rest = lines.pop()!
    if (rest.length > largestRecord) throw problem(file, `line ${line + 1}`, 'is longer than 64 MiB')
    for (const text of lines) {
      const row = parse(text)
      if (row !== undefined) yield row
    }
  }
  const row = parse(rest)
  if (row !== undefined) yield row
}

/** Rows of a file that is an array of JSON objects, one at a time: the file is never in memory as a whole. */
export async function* readJson(
  file: SourceFile,
  encoding: TextEncodingName | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<Row> {
  let state = 'before' as 'before' | 'between' | 'inside' | 'after'
  let comma = false
  let depth = 0
  let text = false
  let escaped = false
  let parts = ''
  let record = 0
  for await (const piece of readText(file, encoding, signal)) {
    let from = 0
    for (let index = 0; index < piece.length; index++) {
      const char = piece[index]!
      if (state === 'inside') {
        if (text) {
          if (escaped) escaped = false
          else if (char === '\\') escaped = true
          else if (char === '"') text = false
        } else if (char === '"') text = true
        else if (char === '{' || char === '[') depth++
        else if (char === '}' || char === ']') {
          depth--
          if (depth === 0) {
            yield rowOf(parts + piece.slice(from, index + 1), file, `record ${record}`)
            parts = ''
            state = 'between'
            comma = false
          }
        }
        continue
      }
      if (char === ' ' || char === '\n' || char === '\r' || char === '\t') continue
      if (state === 'before' && char === '[') state = 'between'
      else if (state === 'between' && char === ']' && !(comma && record > 0)) state = 'after'
      else if (state === 'between' && char === ',' && record > 0 && !comma) comma = true
      else if (state === 'between' && char === '{' && (record === 0 || comma)) {
        state = 'inside'
        record++
        depth = 1
        from = index
      } else {
        throw problem(
          file,
          `after record ${record}`,
          `has ${JSON.stringify(char)} where ${state === 'before' ? 'an array of objects' : state === 'after' ? 'nothing more' : 'an object'} was expected`,
        )
      }
    }
    if (state === 'inside') parts += piece.slice(from)
    if (parts.length > largestRecord) throw problem(file, `record ${record}`, 'is longer than 64 MiB')
  }
  if (state !== 'after')
    throw problem(file, `record ${record}`, state === 'inside' ? 'is cut off' : 'is followed by no "]"')
}

function rowOf(text: string, file: SourceFile, place: string): Row {
  let value: ExactJson
  try {
    value = parseExact(text)
  } catch (error) {
    throw problem(file, place, `is no JSON: ${messageOf(error)}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) throw problem(file, place, 'is no object')
  // Without a prototype: a feature may be called "__proto__".
  const row: { [feature: string]: CellValue | CellValue[] | null } = Object.create(null)
  flatten(value as { readonly [key: string]: ExactJson }, '', row, file, place)
  return row
}

/** JSON whose whole numbers beyond 15 digits may be bigints. */
type ExactJson = Json | bigint | readonly ExactJson[] | { readonly [key: string]: ExactJson }

const textOrNumber = /"[^"\\]*(?:\\.[^"\\]*)*"|-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?/gs

/** `JSON.parse`, but a whole number that a double may not hold and 64 bits do is a bigint: identifiers keep their last digits. */
function parseExact(text: string): ExactJson {
  if (!/(?:^|[^.\d])\d{16}/.test(text)) return JSON.parse(text) as Json
  let marker = 'whole number:'
  while (text.includes(marker)) marker += ':'
  const marked = text.replace(textOrNumber, (token) => (/^-?\d{16,19}$/.test(token) ? `"${marker}${token}"` : token))
  return JSON.parse(marked, (_key, value: unknown) => {
    if (typeof value !== 'string' || !value.startsWith(marker)) return value
    const whole = BigInt(value.slice(marker.length))
    return BigInt.asIntN(64, whole) === whole ? whole : Number(whole)
  }) as ExactJson
}

function flatten(
  object: { readonly [key: string]: ExactJson },
  prefix: string,
  row: { [feature: string]: CellValue | CellValue[] | null },
  file: SourceFile,
  place: string,
): void {
  for (const [key, value] of Object.entries(object)) {
    const name = prefix + key
    if (name in row) throw problem(file, place, `has "${name}" twice, once as a name with dots`)
    if (value === null) row[name] = null
    else if (Array.isArray(value)) {
      row[name] = value.map((item) => {
        if (typeof item === 'object')
          throw problem(file, place, `has a nested list or null in "${name}", which a feature cannot hold`)
        return scalar(item)
      })
    } else if (typeof value === 'object')
      flatten(value as { readonly [key: string]: ExactJson }, `${name}.`, row, file, place)
    else row[name] = scalar(value)
  }
}

/** Booleans are 0 and 1. */
function scalar(value: ExactJson): CellValue {
  return typeof value === 'boolean' ? (value ? 1 : 0) : (value as string | number | bigint)
}

function problem(file: SourceFile, place: string, what: string): ZenmlError {
  return new ZenmlError('ZEN_JSON_RECORD', `${file.name}: ${place} ${what}.`, {
    facts: { file: file.name, place },
    exitCode: 1,
  })
}
