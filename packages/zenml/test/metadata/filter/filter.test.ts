import type { Database } from 'better-sqlite3'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { StatusError } from '../../../src/metadata/api/status.ts'
import type { NodeKind } from '../../../src/metadata/filter/attributes.ts'
import { compileFilter } from '../../../src/metadata/filter/compile.ts'
import { longestQuery } from '../../../src/metadata/filter/tokens.ts'
import { sqliteDatabase } from '../../../src/metadata/sql/sqlite.ts'
import { select } from '../../../src/metadata/sql/work.ts'
import { answers } from './answers.ts'
import { world } from './world.ts'

let database: Database
beforeAll(() => {
  database = world()
})
afterAll(() => {
  database.close()
})

async function ids(node: NodeKind, query: string): Promise<readonly number[]> {
  const { joins, where, values } = compileFilter(node, query, 'sqlite')
  const text = `SELECT DISTINCT n.id FROM ${node} n ${joins} WHERE ${where} ORDER BY n.id`
  const rows = await sqliteDatabase(database).read(() => select<{ id: number }>(text, values))
  return rows.map(({ id }) => id)
}

it.each(answers)('%s: %s gives the nodes that are meant', async (node, query, expected) => {
  expect(await ids(node, query)).toEqual(expected)
})

const context = [...Array(9).keys()].map((index) => `contexts_${index}.id = 1`).join(' OR ')
const refusals: readonly (readonly [NodeKind, string, number, RegExp])[] = [
  ['Artifact', '', 1, /an attribute or a value/],
  ['Artifact', 'a', 1, /an attribute \(id, name, type/],
  ['Artifact', "id == 'a'", 5, /an attribute or a value/],
  ['Artifact', "'a'", 1, /a condition, true or false/],
  ['Artifact', 'type_id', 1, /a condition, true or false/],
  ['Artifact', "id = 'a'", 6, /a number to compare with a number, not a string/],
  ['Artifact', 'type = 1', 8, /a string to compare/],
  ['Artifact', 'properties.x.bool_value = 1', 27, /TRUE or FALSE to compare/],
  ['Execution', 'uri = "x"', 1, /an attribute/],
  ['Context', 'state = LIVE', 1, /an attribute/],
  ['Artifact', "state = 'LIVE'", 9, /one of the values UNKNOWN, PENDING, LIVE/],
  ['Artifact', 'state = 1', 9, /one of the values/],
  ['Artifact', 'state = ABANDONED', 9, /one of the values/],
  ['Artifact', 'state = live', 9, /one of the values/],
  ['Artifact', 'events_0.type = PENDING_OUTPUT', 17, /one of the values/],
  ['Artifact', 'events_0.artifact_id = 1', 10, /one of the attributes type, milliseconds_since_epoch, execution_id/],
  ['Context', 'events_0.artifact_id = 1', 1, /an attribute/],
  ['Context', 'contexts_0.id = 1', 1, /an attribute/],
  ['Artifact', 'contexts_.id = 1', 1, /an attribute/],
  ['Artifact', 'contexts_0', 11, /"\."/],
  ['Artifact', 'contexts_0.foo = 1', 12, /one of the attributes/],
  ['Artifact', 'contexts_0.id.bar = 1', 14, /an attribute has no parts/],
  ['Artifact', 'contexts_0.constructor = 1', 12, /one of the attributes/],
  ['Artifact', '__proto__ = 1', 1, /an attribute/],
  ['Artifact', 'properties.baz.int = 1', 16, /int_value/],
  ['Artifact', 'properties.0:b.int_value = 1', 13, /a name, a value/],
  ['Artifact', 'id = 1 AND', 11, /an attribute or a value/],
  ['Artifact', 'id = 1 id', 8, /AND, OR or the end/],
  ['Artifact', 'id = 1 = 1', 8, /AND, OR or the end/],
  ['Artifact', '(id = 1', 8, /"\)"/],
  ['Artifact', 'id IN ()', 8, /a value/],
  ['Artifact', 'id IN (1', 9, /"\)"/],
  ['Artifact', 'id BETWEEN 1', 13, /AND and the upper bound/],
  ['Artifact', 'id LIKE 1', 9, /a string/],
  ['Artifact', 'id IS 1', 7, /NULL, TRUE or FALSE/],
  ['Artifact', '1 = 1', 1, /an attribute on one side/],
  ['Artifact', 'id = 9223372036854775808', 6, /64 bits/],
  ['Artifact', 'id = 1e999', 6, /a double can hold/],
  ['Artifact', 'id = 1a', 7, /a space or an operator/],
  ['Artifact', 'name = "a', 8, /the closing "/],
  ['Artifact', 'name = "a\nb"', 8, /the closing "/],
  ['Artifact', 'name = "\\q"', 9, /one of the escapes/],
  ['Artifact', 'name = "\\ud800"', 9, /the code point of a character/],
  ['Artifact', 'name = "\\x00"', 8, /without a NUL/],
  ['Artifact', 'name = "\ud800"', 1, /well-formed Unicode/],
  ['Artifact', 'name LIKE "a\\\\"', 11, /does not end with a lone backslash/],
  ['Artifact', 'properties.``.int_value = 1', 12, /a name between the backquotes/],
  ['Artifact', 'name = "x" -- all', 12, /AND, OR or the end/],
  ['Artifact', 'id = 1; DROP TABLE Artifact', 7, /a name, a value, an operator/],
  ['Artifact', context, context.lastIndexOf('contexts_') + 1, /at most 8 different/],
  ['Artifact', `${'('.repeat(51)}id = 1${')'.repeat(51)}`, 51, /at most 50/],
  ['Artifact', `${'NOT '.repeat(51)}id = 1`, 201, /at most 50/],
  ['Artifact', `id IN (1${',1'.repeat(10_000)})`, 1, /at most 10000 values/],
  ['Artifact', ' '.repeat(longestQuery + 1), longestQuery + 1, /the end/],
]
it.each(
  // Names of tests are to be read: long queries are cut, and line breaks shown.
  refusals.map(([node, query, place, what]) => [node, JSON.stringify(query.slice(0, 60)), query, place, what] as const),
)('%s: what is wrong with %s is said with its place', (node, _name, query, place, what) => {
  const refused = () => compileFilter(node, query, 'sqlite')
  expect(refused).toThrow(StatusError)
  expect(refused).toThrow(expect.objectContaining({ status: 'INVALID_ARGUMENT' }))
  expect(refused).toThrow(`character ${place}:`)
  expect(refused).toThrow(what)
})

it('the largest queries that are taken run, however deep and long', async () => {
  const long = `id = 1${' OR id = 1'.repeat(6_000)}`
  expect(await ids('Artifact', long)).toEqual([1])
  const deep = `id = 1${' OR NOT id = 1 AND id < 0'.repeat(50)}`
  expect(await ids('Artifact', `${`(${deep} OR `.repeat(45)}${deep}${')'.repeat(45)}`)).toEqual([1])
  const properties = [...Array(24).keys()].map((index) => `properties.p${index}.int_value = 1`).join(' OR ')
  const neighbours = [...Array(8).keys()].map((index) => `contexts_${index}.type = "run"`).join(' OR ')
  expect(await ids('Artifact', `type = "Model" AND (${properties} OR ${neighbours})`)).toEqual([])
  expect(await ids('Artifact', `name LIKE "${'*'.repeat(12_000)}"`)).toEqual([])
})
