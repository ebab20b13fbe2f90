import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { NodeKind } from '../../../src/metadata/filter/attributes.ts'
import { compileFilter } from '../../../src/metadata/filter/compile.ts'
import { openDatabase } from '../../../src/metadata/open.ts'
import type { SqlDatabase } from '../../../src/metadata/sql/database.ts'
import { change, insert, select } from '../../../src/metadata/sql/work.ts'
import { administer, freshDatabase, isRunning } from '../../support/databases.ts'
import { answers } from './answers.ts'
import { meantBy, patterns, texts } from './like-meaning.ts'
import { worldStatements } from './world.ts'

/** Databases as they are made here, and as they are found: Google's library leaves the collation to the server. */
const places = [
  ['mysql', 'as it is made here', undefined],
  ['mysql', 'of a collation that takes a for A', 'CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci'],
  ['mysql', 'of characters of three bytes', 'CHARACTER SET utf8mb3 COLLATE utf8mb3_general_ci'],
  ['postgres', 'as it is made here', undefined],
] as const

async function ids(database: SqlDatabase, node: NodeKind, query: string): Promise<readonly number[]> {
  const { joins, where, values } = compileFilter(node, query, database.type)
  const text = `SELECT DISTINCT n.id FROM ${node} n ${joins} WHERE ${where} ORDER BY n.id`
  return (await database.read(() => select<{ id: number }>(text, values))).map(({ id }) => id)
}

describe.each(places)('on %s, %s (skipped without a server)', (type, _how, made) => {
  it.skipIf(!isRunning(type))('filters give the nodes that are meant', async () => {
    await using fresh = freshDatabase(type)
    if (made !== undefined)
      await administer(fresh.location, undefined, `CREATE DATABASE ${fresh.location.database} ${made}`)
    await using database = await openDatabase(fresh.location)
    for (const statement of worldStatements)
      await database.write(() => change(type === 'mysql' ? statement.replaceAll('\\', '\\\\') : statement))
    const wrong: unknown[] = []
    for (const [node, query, expected] of answers) {
      const found = await ids(database, node, query)
      if (JSON.stringify(found) !== JSON.stringify(expected)) wrong.push([node, query, found, expected])
    }
    expect(wrong).toEqual([])
  })

  it.skipIf(!isRunning(type))('LIKE agrees with its definition on many texts and patterns', async () => {
    await using fresh = freshDatabase(type)
    if (made !== undefined)
      await administer(fresh.location, undefined, `CREATE DATABASE ${fresh.location.database} ${made}`)
    await using database = await openDatabase(fresh.location)
    // Characters of four bytes do not fit into every database.
    const fits = (text: string): boolean => !made?.includes('utf8mb3') || !text.includes('😀')
    const stored = [...new Set(fc.sample(texts, { numRuns: 300, seed: 5 }))].filter(fits)
    await database.write(() =>
      insert({ table: 'Artifact', columns: ['type_id', 'uri'], rows: stored.map((uri) => [1, uri]) }),
    )
    const wrong: unknown[] = []
    for (const pattern of fc.sample(patterns, { numRuns: 300, seed: 6 })) {
      const found = await ids(database, 'Artifact', `uri LIKE r"""${pattern}"""`)
      const meant = stored.flatMap((uri, index) => (meantBy(pattern).test(uri) ? index + 1 : []))
      if (JSON.stringify(found) !== JSON.stringify(meant)) wrong.push([pattern, found, meant])
    }
    expect(wrong).toEqual([])
  })
})
