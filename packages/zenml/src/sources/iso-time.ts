const pattern =
  /^(?:(\d{4})-(\d\d)-(\d\d))?(?:(?:^|[T ])(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?)?(?: ?(Z|[+-]\d\d(?::?\d\d)?))?$/

/**
 * Microseconds of an ISO 8601 text: of a date or time stamp since the epoch (UTC where it names no zone), of a time of day since midnight;
 * undefined for what is none. Digits beyond microseconds are cut off.
 *
 * @example
 * microsecondsOf('1970-01-02') // 86400000000n
 * microsecondsOf('00:00:01.5') // 1500000n
 */
export function microsecondsOf(text: string): bigint | undefined {
  const match = pattern.exec(text)
  if (match === null) return undefined
  const [, year, month, day, hour, minute, second = '0', fraction = '', zone] = match
  if (year === undefined && (hour === undefined || zone !== undefined)) return undefined
  if (hour === undefined && zone !== undefined) return undefined
  if (Number(hour ?? 0) > 23 || Number(minute ?? 0) > 59 || Number(second) > 59) return undefined
  const ofDay = (Number(hour ?? 0) * 60 + Number(minute ?? 0)) * 60 + Number(second)
  const micros = BigInt(ofDay) * 1_000_000n + BigInt(fraction.slice(0, 6).padEnd(6, '0'))
  if (year === undefined) return micros
  const days = daysSinceEpoch(Number(year), Number(month), Number(day))
  const shift = zoneSeconds(zone)
  if (days === undefined || shift === undefined) return undefined
  return (BigInt(days) * 86_400n - BigInt(shift)) * 1_000_000n + micros
}

/** Undefined for a day that the calendar has not. */
function daysSinceEpoch(year: number, month: number, day: number): number | undefined {
  const date = new Date(0)
  date.setUTCFullYear(year, month - 1, day)
  return date.getUTCMonth() === month - 1 && date.getUTCDate() === day ? date.getTime() / 86_400_000 : undefined
}

function zoneSeconds(zone: string | undefined): number | undefined {
  if (zone === undefined || zone === 'Z') return 0
  const [hours, minutes] = [Number(zone.slice(1, 3)), Number(zone.slice(3).replace(':', '') || 0)]
  if (hours > 23 || minutes > 59) return undefined
  return (zone[0] === '-' ? -1 : 1) * (hours * 3600 + minutes * 60)
}
