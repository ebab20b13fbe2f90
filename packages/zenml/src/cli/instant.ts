import { ZenmlError } from '../base/errors.ts'

const date = /^\d{4}-\d\d-\d\d$/
const dateTime = /^\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d{1,3})?)?(Z|[+-]\d\d:\d\d)?$/
const units: { readonly [unit: string]: number } = { m: 60_000, h: 3_600_000, d: 86_400_000, w: 604_800_000 }

/**
 * Milliseconds since the epoch of a time as people write it: `2026-11-24`, `2026-11-24 02:13`, `2026-11-24T02:13:05+01:00`, in UTC
 * where no zone is given, or how long ago: `30m`, `12h`, `7d`, `2w`. Throws `ZEN_USAGE` for all else.
 *
 * @example
 * instantOf('--since', '1d', Date.parse('2026-11-24')) // Date.parse('2026-11-23')
 */
export function instantOf(option: string, text: string, now: number): number {
  const [, count, unit] = /^(\d{1,6})([mhdw])$/.exec(text) ?? []
  if (count !== undefined) return now - Number(count) * units[unit!]!
  const zoned = date.test(text) || /(Z|[+-]\d\d:\d\d)$/.test(text)
  const isTime = date.test(text) || dateTime.test(text)
  const instant = isTime ? Date.parse(`${text.replace(' ', 'T')}${zoned ? '' : 'Z'}`) : Number.NaN
  // A day that a month does not have would be taken for one of the next month.
  if (Number.isNaN(instant) || !isDay(text.slice(0, 10)))
    throw new ZenmlError(
      'ZEN_USAGE',
      `${option} takes a time as 2026-11-24, "2026-11-24 02:13" (UTC) or 7d, not "${text}".`,
    )
  return instant
}

function isDay(day: string): boolean {
  const parsed = Date.parse(day)
  return !Number.isNaN(parsed) && new Date(parsed).toISOString().startsWith(day)
}
