import type { Database } from 'better-sqlite3'
import fc from 'fast-check'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { StatusError } from '../../../src/metadata/api/status.ts'
import type { NodeKind } from '../../../src/metadata/filter/attributes.ts'
import { compileFilter } from '../../../src/metadata/filter/compile.ts'
import { answers } from './answers.ts'
import { meantBy, patterns, texts } from './like-meaning.ts'
import { world } from './world.ts'

let database: Database
beforeAll(() => {
  database = world()
})
afterAll(() => {
  database.close()
})

/** All that may stand in a compiled statement; nothing of it is the caller's. */
const fixed = new Set(
  `AND OR NOT IN LIKE GLOB BETWEEN IS NULL TRUE FALSE JOIN ON ESCAPE CAST CONVERT AS USING BINARY COLLATE BIGINT DOUBLE PRECISION utf8mb4
  utf8mb4_bin C n e id type_id name uri state last_known_state external_id create_time_since_epoch last_update_time_since_epoch type type_kind
  milliseconds_since_epoch artifact_id execution_id context_id parent_context_id int_value double_value string_value bool_value
  is_custom_property Type Artifact Execution Context ArtifactProperty ExecutionProperty ContextProperty Event Attribution Association
  ParentContext 0 1`.split(/\s+/),
)

function strangers(sql: string): readonly string[] {
  const words = sql.match(/\w+/g) ?? []
  const signs = sql.replace(/'!'|"C"/g, '').match(/[^\w\s().,?=<>]/g) ?? []
  return [...words.filter((word) => !fixed.has(word) && !/^e?t\d+$/.test(word)), ...signs]
}

const nodes = ['Artifact', 'Execution', 'Context'] as const

/** Compiles for each database and runs on SQLite; gives whether the query was taken. */
function survives(node: NodeKind, query: string): boolean {
  try {
    for (const dialect of ['mysql', 'postgres', 'sqlite'] as const) {
      const { joins, where, values } = compileFilter(node, query, dialect)
      expect(strangers(`${joins} ${where}`)).toEqual([])
      expect((`${joins} ${where}`.match(/\?/g) ?? []).length).toBe(values.length)
      if (dialect !== 'sqlite') continue
      const bound = values.map((value) => (typeof value === 'boolean' ? Number(value) : value))
      database.prepare(`SELECT DISTINCT n.id FROM ${node} n ${joins} WHERE ${where}`).all(...bound)
    }
    return true
  } catch (error) {
    if (error instanceof StatusError && error.status === 'INVALID_ARGUMENT') return false
    throw error
  }
}

it('ten thousand random texts are refused or run, and nothing of them gets into the statement', () => {
  const words =
    'id name type state uri LIVE AND OR NOT IN LIKE BETWEEN IS NULL TRUE ( ) , . = != < > - + 1 2.5 0x1f \'a\' "b" `c` \' " ` \\ % ; -- /* properties custom_properties x int_value string_value bool_value contexts_a events_b artifacts_c parent_contexts_d zq'.split(
      ' ',
    )
  const text = fc.oneof(
    fc.string({ unit: 'binary', maxLength: 60 }),
    fc.string({ maxLength: 60 }),
    fc.array(fc.constantFrom(...words), { maxLength: 14 }).map((some) => some.join(' ')),
    fc.array(fc.constantFrom(...words), { maxLength: 14 }).map((some) => some.join('')),
  )
  fc.assert(
    fc.property(fc.constantFrom(...nodes), text, (node, query) => {
      survives(node, query)
    }),
    { numRuns: 10_000 },
  )
})

it('ten thousand changed queries are refused or run, and nothing of them gets into the statement', () => {
  const change = fc.record({
    at: fc.nat(),
    cut: fc.nat({ max: 6 }),
    put: fc.string({ unit: 'grapheme', maxLength: 4 }),
  })
  let taken = 0
  fc.assert(
    fc.property(
      fc.constantFrom(...answers),
      fc.constantFrom(...answers),
      fc.constantFrom(' AND ', ' OR ', ' AND NOT ', ''),
      fc.array(change, { maxLength: 3 }),
      ([node, first], [, second], between, changes) => {
        let query = between === '' ? first : `${first}${between}(${second})`
        for (const { at, cut, put } of changes) {
          const start = at % (query.length + 1)
          query = query.slice(0, start) + put + query.slice(start + cut)
        }
        if (survives(node, query)) taken++
      },
    ),
    { numRuns: 10_000 },
  )
  // The changes leave enough whole that both outcomes are tried.
  expect(taken).toBeGreaterThan(1_000)
  expect(taken).toBeLessThan(9_500)
})

it('a string and a name of a property come back as they were written, whatever they are', () => {
  const quoted = (text: string, quote: string) =>
    quote + text.replace(/[\\'"`\r\n]/g, (one) => ({ '\r': '\\r', '\n': '\\n' })[one] ?? `\\${one}`) + quote
  const text = fc.string({ unit: 'binary', minLength: 1 }).filter((one) => !one.includes('\0'))
  fc.assert(
    fc.property(text, text, fc.constantFrom("'", '"'), (value, name, quote) => {
      const query = `custom_properties.${quoted(name, '`')}.string_value = ${quoted(value, quote)}`
      expect(compileFilter('Execution', query, 'sqlite').values).toEqual([name, value])
    }),
  )
})

it('LIKE agrees with its definition on every text and pattern', () => {
  const ask = (text: string, wanted: string) => {
    const { where, values } = compileFilter('Artifact', `uri LIKE r"""${wanted}"""`, 'sqlite')
    return database
      .prepare(`SELECT count(*) FROM (SELECT ? AS uri) n WHERE ${where}`)
      .pluck()
      .get(text, ...values)
  }
  fc.assert(
    fc.property(texts, patterns, (text, wanted) => {
      expect(ask(text, wanted)).toBe(meantBy(wanted).test(text) ? 1 : 0)
    }),
    { numRuns: 2_000 },
  )
})
