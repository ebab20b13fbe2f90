import fc from 'fast-check'
import { expect, it } from 'vitest'
import { instantOf } from '../../src/cli/instant.ts'
import { listOf, pageToken, positionOf, runQueryOf } from '../../src/cli/run-query.ts'

const now = Date.parse('2026-11-24T12:00:00Z')

it('a time is a day, a time of day in UTC or with its zone, or how long ago', () => {
  const times = [
    ['2026-11-24', '2026-11-24T00:00:00Z'],
    ['2026-11-24 02:13', '2026-11-24T02:13:00Z'],
    ['2026-11-24T02:13:05.250', '2026-11-24T02:13:05.250Z'],
    ['2026-11-24T02:13:05+01:00', '2026-11-24T01:13:05Z'],
    ['2024-02-29', '2024-02-29T00:00:00Z'],
    ['30m', '2026-11-24T11:30:00Z'],
    ['12h', '2026-11-24T00:00:00Z'],
    ['7d', '2026-11-17T12:00:00Z'],
    ['2w', '2026-11-10T12:00:00Z'],
  ] as const
  for (const [text, instant] of times) expect(instantOf('--since', text, now), text).toBe(Date.parse(instant))
})

it('what is no time, or a day that a month does not have, is refused with what would be one', () => {
  for (const text of [
    '',
    'yesterday',
    '2026-13-01',
    '2026-02-30',
    '2025-02-29',
    '24.11.2026',
    '2026-11-24 25:00',
    '7',
    '-7d',
    '1769385600000',
  ])
    expect(() => instantOf('--since', text, now), text).toThrow(/--since takes a time as 2026-11-24/)
})

it('every time that ISO 8601 writes in UTC is read as itself', () => {
  fc.assert(
    fc.property(fc.date({ min: new Date(0), max: new Date('2999-12-31'), noInvalidDate: true }), (date) => {
      expect(instantOf('--until', date.toISOString(), now)).toBe(date.getTime())
    }),
  )
})

it('options that are none of the known ones are refused by name', () => {
  expect(() => runQueryOf(undefined, { sort: 'name' }, now)).toThrow(
    '--sort takes started, finished, duration, pipeline, status, not "name".',
  )
  expect(() => runQueryOf(undefined, { order: 'up' }, now)).toThrow('--order takes asc, desc, not "up".')
  expect(() => runQueryOf(undefined, { status: 'done' }, now)).toThrow(/--status takes running/)
  expect(runQueryOf('p', { sort: 'duration', order: 'asc', status: 'failed', since: '1d' }, now)).toEqual({
    ...{ pipeline: 'p', sort: 'duration', ascending: true, status: 'failed', since: now - 86_400_000 },
  })
})

it('a page token is read as the position that it was made of', () => {
  const list = listOf('p', { sort: 'duration' })
  const key = fc.oneof(fc.constant(undefined), fc.string(), fc.double({ noNaN: true, noDefaultInfinity: true }))
  fc.assert(
    fc.property(fc.stringMatching(/^[0-9a-f]{1,64}$/), key, (run, value) => {
      const position = { run, ...(value === undefined ? {} : { key: Object.is(value, -0) ? 0 : value }) }
      expect(positionOf(list, pageToken(list, position))).toEqual(position)
    }),
  )
})

it('a token of another list, or no token at all, is refused', () => {
  const list = listOf('p', { sort: 'duration' })
  const token = pageToken(list, { run: 'ab', key: 1 })
  for (const other of [
    listOf('q', { sort: 'duration' }),
    listOf('p', {}),
    listOf('p', { sort: 'duration', since: '7d' }),
  ])
    expect(() => positionOf(other, token)).toThrow(expect.objectContaining({ code: 'ZEN_PAGE_TOKEN' }))
  fc.assert(
    fc.property(fc.string(), (text) => {
      expect(() => positionOf(list, text)).toThrow(expect.objectContaining({ code: 'ZEN_PAGE_TOKEN' }))
    }),
  )
})
