import * as fc from 'fast-check'
import { expect, test } from 'vitest'
import { microsecondsOf } from '../../src/sources/iso-time.ts'

test('every time stamp that JavaScript writes is read back to the millisecond', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date('0000-01-01'), max: new Date('9999-12-31'), noInvalidDate: true }), (date) => {
      const text = date.toISOString()
      expect(microsecondsOf(text)).toBe(BigInt(date.getTime()) * 1000n)
      expect(microsecondsOf(text.replace('T', ' ').replace('Z', ''))).toBe(BigInt(date.getTime()) * 1000n)
    }),
  )
})

test('dates, times of day, zones and fractions are read exactly', () => {
  expect(microsecondsOf('1970-01-02')).toBe(86_400_000_000n)
  expect(microsecondsOf('00:00:01.5')).toBe(1_500_000n)
  expect(microsecondsOf('23:59')).toBe(86_340_000_000n)
  expect(microsecondsOf('1969-12-31T23:59:59.999999Z')).toBe(-1n)
  expect(microsecondsOf('1970-01-01 05:30:00.000001+05:30')).toBe(1n)
  expect(microsecondsOf('1969-12-31T19:00:00-05')).toBe(0n)
  expect(microsecondsOf('1970-01-01T00:00:00.1234569')).toBe(123_456n)
})

test('what is no date or time of the calendar is none', () => {
  for (const text of [
    '',
    '2024',
    '2024-02-30',
    '2024-13-01',
    '24:00',
    '12:60',
    '10:00Z',
    '2024-01-01Z',
    '2024-01-01T',
    '2024-01-01T10:00+24:00',
    'now',
  ])
    expect(microsecondsOf(text), text).toBeUndefined()
})
