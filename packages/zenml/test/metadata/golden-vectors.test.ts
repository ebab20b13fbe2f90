import Sqlite from 'better-sqlite3'
import { expect, it } from 'vitest'
import { metadataService } from '../../src/metadata/api/service.ts'
import { StatusError } from '../../src/metadata/api/status.ts'
import { schemaStatements, schemaVersion, simpleTypes } from '../../src/metadata/schema-10.ts'
import { sqliteDatabase } from '../../src/metadata/sql/sqlite.ts'
import { messageFromJson } from '../../src/metadata/wire/from-json.ts'
import { rpcs } from '../../src/metadata/wire/rpcs.ts'
import { messageToJson } from '../../src/metadata/wire/to-json.ts'
import { comparable, comparableRows, type GoldenRow, goldenScenarios, hasFacts } from '../support/golden.ts'

/**
 * Where the real core stores something that it then cannot read, ours differs on purpose: an empty pair of PutExecution belongs to
 * no artifact, so nothing is attributed to artifact -1, and the context can be read.
 */
const mended: {
  readonly [scenario: string]: { readonly rpcs: readonly string[]; readonly tables: readonly string[] }
} = {
  'put_execution/full': { rpcs: ['GetArtifactsByContext'], tables: ['Attribution'] },
}

it.skipIf(!hasFacts).for(goldenScenarios().map((scenario) => [scenario.name, scenario] as const))(
  'answers and stores as the real core does: %s',
  async ([name, { steps, tables_after }]) => {
    const sqlite = new Sqlite(':memory:')
    for (const statement of schemaStatements) sqlite.exec(statement)
    sqlite.prepare('INSERT INTO MLMDEnv VALUES (?)').run(schemaVersion)
    for (const type of simpleTypes)
      sqlite.prepare('INSERT INTO Type (name, type_kind) VALUES (?, ?)').run(type.name, type.kind)
    await using database = sqliteDatabase(sqlite)
    const service = metadataService(database)
    for (const [index, { rpc, request, status, response }] of steps.entries()) {
      if (mended[name]?.rpcs.includes(rpc)) continue
      const place = `step ${index}: ${rpc} ${JSON.stringify(request)}`
      const types = rpcs.get(rpc)!
      let answer: object | undefined
      let ended = 'OK'
      try {
        answer = await service.call(rpc, messageFromJson(types.request, request))
      } catch (error) {
        if (!(error instanceof StatusError)) throw error
        ended = error.status
      }
      expect(ended, place).toBe(status)
      if (answer !== undefined)
        expect(comparable(messageToJson(types.response, answer as never)), place).toEqual(comparable(response))
    }
    const tables = sqlite.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).pluck().all() as string[]
    for (const table of tables.filter(
      (one) => !/^(sqlite_|MLMDEnv)/.test(one) && !mended[name]?.tables.includes(one),
    )) {
      const rows = (sqlite.prepare(`SELECT * FROM ${table}`).safeIntegers(true).all() as GoldenRow[]).filter(
        (row) => table !== 'Type' || Number(row['id']) > simpleTypes.length,
      )
      expect(stored(table, rows), table).toEqual(stored(table, tables_after[table] ?? []))
    }
  },
)

/** Rows without what is null, and without the ids of edges, which nothing refers to and which the real core gives in no order. */
function stored(table: string, rows: readonly GoldenRow[]): readonly unknown[] {
  const edge = table === 'Attribution' || table === 'Association'
  return comparableRows(
    rows.map((row) =>
      Object.fromEntries(
        Object.entries(row)
          .filter(([column, value]) => value !== null && !(edge && column === 'id'))
          .map(([column, value]) => [column, typeof value === 'bigint' ? Number(value) : value]),
      ),
    ),
  )
}
