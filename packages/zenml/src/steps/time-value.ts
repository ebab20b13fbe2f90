import { ZenmlError } from '../base/errors.ts'
import { type Column, type ExampleBatch, rowEnd, rowStart } from '../formats/batch.ts'
import { numberAt, wordAt } from './values.ts'

const pattern =
  /^(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(\.\d{1,9})?)?(?: ?(?:(Z)|([+-])(\d\d):?(\d\d)))?)?$/

/**
 * A date or time of ISO 8601 (`2024-02-29`, `2024-02-29T12:00:00.5+01:00`; a blank may stand for T, and without a zone it is UTC) as
 * milliseconds since 1970; undefined for any other text.
 */
export function parseTime(text: string): number | undefined {
  const match = pattern.exec(text)
  if (match === null) return undefined
  const [year, month, day, hour, minute, second] = [1, 2, 3, 4, 5, 6].map((part) => Number(match[part] ?? 0))
  if (hour! > 23 || minute! > 59 || second! > 59) return undefined
  const date = new Date(0)
  date.setUTCFullYear(year!, month! - 1, day!)
  date.setUTCHours(hour!, minute!, second!, 0)
  // A day that the month does not have would be taken for one of the next.
  if (date.getUTCMonth() !== month! - 1 || date.getUTCDate() !== day) return undefined
  const fraction = match[7] === undefined ? 0 : Number(match[7]) * 1000
  const [hours, minutes] = [Number(match[10] ?? 0), Number(match[11] ?? 0)]
  if (hours > 23 || minutes > 59) return undefined
  const zone = (hours * 60 + minutes) * 60_000 * (match[9] === '-' ? -1 : 1)
  return date.getTime() - zone + fraction
}

/** Milliseconds since 1970 as a text that `parseTime` reads, in UTC: to the microsecond, which is as far as a double tells. */
export function timeText(time: number): string {
  const microseconds = Math.round((time - Math.floor(time)) * 1000)
  const text = new Date(Math.floor(time) + Math.floor(microseconds / 1000)).toISOString()
  const rest = microseconds % 1000
  return rest === 0 ? text : `${text.slice(0, -1)}${String(rest).padStart(3, '0')}Z`
}

/**
 * Time of each row of a batch: numbers as they are (the nearest double), texts as milliseconds; NaN where there is none. Of several values the
 * first counts. Throws `ZEN_TIME_VALUE` for what is no time.
 */
export function timesOf(batch: ExampleBatch, feature: string): Float64Array {
  const column = batch.columns.get(feature)
  return Float64Array.from({ length: batch.length }, (_, row) => timeAt(column, row, feature))
}

function timeAt(column: Column | undefined, row: number, feature: string): number {
  if (column === undefined || rowStart(column, row) === rowEnd(column, row)) return Number.NaN
  const time = column.kind === 'bytes' ? parseTime(wordAt(column, row)!) : (numberAt(column, row) ?? Number.NaN)
  if (time !== undefined && time !== Number.POSITIVE_INFINITY && time !== Number.NEGATIVE_INFINITY) return time
  throw new ZenmlError(
    'ZEN_TIME_VALUE',
    `The feature "${feature}" has the value ${JSON.stringify(wordAt(column, row))}, which is no time.`,
    {
      facts: { feature, value: wordAt(column, row) ?? null },
      next: 'Give finite numbers, or texts of ISO 8601 such as 2024-02-29 or 2024-02-29T12:00:00Z.',
      exitCode: 1,
    },
  )
}
