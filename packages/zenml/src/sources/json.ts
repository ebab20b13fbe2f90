import { messageOf, ZenmlError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import type { SourceFile } from '../model/source-files.ts'
import { readText, type TextEncodingName } from './read-text.ts'

/** A record larger than this is refused, so that memory stays bounded. */
const largestRecord = 64 << 20

/** A JSON object as it stands in a file, and where. */
export interface JsonRecord {
  readonly object: ExactObject
  /** Its line, or its number among the records of an array, from 1. */
  readonly at: number
}

/** JSON whose whole numbers beyond 15 digits may be bigints. */
export type ExactJson = Json | bigint | readonly ExactJson[] | ExactObject
export interface ExactObject {
  readonly [key: string]: ExactJson
}

/** The records of a file with one JSON object a line, in groups; blank lines are passed over. Throws `ZEN_JSON_RECORD` with the line. */
export async function* readJsonLines(
  file: SourceFile,
  encoding: TextEncodingName | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly JsonRecord[]> {
  let rest = ''
  let line = 0
  const parsed = (lines: readonly string[]): JsonRecord[] => {
    const records: JsonRecord[] = []
    for (const text of lines) {
      line++
      if (text.trim() !== '') records.push({ object: objectOf(text, file, `line ${line}`), at: line })
    }
    return records
  }
  for await (const piece of readText(file, encoding, signal)) {
    const lines = (rest + piece).split('\n')
    rest = lines.pop()!
    if (rest.length > largestRecord) throw jsonProblem(file, `line ${line + 1}`, 'is longer than 64 MiB')
    yield parsed(lines)
  }
  yield parsed([rest])
}

/** The records of a file that is an array of JSON objects, in groups: the file is never in memory as a whole. */
export async function* readJson(
  file: SourceFile,
  encoding: TextEncodingName | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<readonly JsonRecord[]> {
  let state = 'before' as 'before' | 'between' | 'inside' | 'after'
  let comma = false
  let depth = 0
  let text = false
  let escaped = false
  let parts = ''
  let record = 0
  for await (const piece of readText(file, encoding, signal)) {
    const records: JsonRecord[] = []
    let from = 0
    for (let index = 0; index < piece.length; index++) {
      const char = piece.charCodeAt(index)
      if (state === 'inside') {
        if (text) {
          if (escaped) escaped = false
          else if (char === backslash) escaped = true
          else if (char === quote) text = false
        } else if (char === quote) text = true
        else if (char === openBrace || char === openBracket) depth++
        else if (char === closeBrace || char === closeBracket) {
          depth--
          if (depth === 0) {
            const object = objectOf(parts + piece.slice(from, index + 1), file, `record ${record}`)
            records.push({ object, at: record })
            parts = ''
            state = 'between'
            comma = false
          }
        }
        continue
      }
      if (char === 0x20 || char === 0x0a || char === 0x0d || char === 0x09) continue
      if (state === 'before' && char === openBracket) state = 'between'
      else if (state === 'between' && char === closeBracket && !(comma && record > 0)) state = 'after'
      else if (state === 'between' && char === 0x2c && record > 0 && !comma) comma = true
      else if (state === 'between' && char === openBrace && (record === 0 || comma)) {
        state = 'inside'
        record++
        depth = 1
        from = index
      } else {
        throw jsonProblem(
          file,
          `after record ${record}`,
          `has ${JSON.stringify(piece[index])} where ${state === 'before' ? 'an array of objects' : state === 'after' ? 'nothing more' : 'an object'} was expected`,
        )
      }
    }
    if (state === 'inside') parts += piece.slice(from)
    if (parts.length > largestRecord) throw jsonProblem(file, `record ${record}`, 'is longer than 64 MiB')
    yield records
  }
  if (state !== 'after')
    throw jsonProblem(file, `record ${record}`, state === 'inside' ? 'is cut off' : 'is followed by no "]"')
}

const quote = 0x22
const backslash = 0x5c
const openBrace = 0x7b
const closeBrace = 0x7d
const openBracket = 0x5b
const closeBracket = 0x5d

function objectOf(text: string, file: SourceFile, place: string): ExactObject {
  let value: ExactJson
  try {
    value = parseExact(text)
  } catch (error) {
    throw jsonProblem(file, place, `is no JSON: ${messageOf(error)}`)
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    throw jsonProblem(file, place, 'is no object')
  return value as ExactObject
}

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

/** The error for a record that is not as it should be. */
export function jsonProblem(file: SourceFile, place: string, what: string): ZenmlError {
  return new ZenmlError('ZEN_JSON_RECORD', `${file.name}: ${place} ${what}.`, {
    facts: { file: file.name, place },
    exitCode: 1,
  })
}
