import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { metadataService } from '../../src/metadata/api/service.ts'
import { StatusError } from '../../src/metadata/api/status.ts'
import { openDatabase } from '../../src/metadata/open.ts'
import { simpleTypes } from '../../src/metadata/schema-10.ts'
import { schemaTables } from '../../src/metadata/schema-check.ts'
import type { DatabaseType } from '../../src/metadata/sql/database.ts'
import type { DatabaseLocation } from '../../src/metadata/sql/location.ts'
import { select } from '../../src/metadata/sql/work.ts'
import { messageFromJson } from '../../src/metadata/wire/from-json.ts'
import { rpcs } from '../../src/metadata/wire/rpcs.ts'
import { messageToJson } from '../../src/metadata/wire/to-json.ts'
import { freshDatabase, isRunning } from '../support/databases.ts'
import {
  comparable,
  comparableRows,
  GivenIds,
  type GoldenRow,
  type GoldenScenario,
  goldenScenarios,
  hasFacts,
  withoutEventIds,
} from '../support/golden.ts'

/**
 * Where the real core stores something that it then cannot read, ours differs on purpose: an empty pair of PutExecution belongs to
 * no artifact, so nothing is attributed to artifact -1, and the context can be read.
 */
const mended: {
  readonly [scenario: string]: { readonly rpcs: readonly string[]; readonly tables: readonly string[] }
} = {
  'put_execution/full': { rpcs: ['GetArtifactsByContext'], tables: ['Attribution'] },
}

describe.skipIf(!hasFacts).each(['sqlite', 'mysql', 'postgres'] as const)('on %s', (type) => {
  const running = type === 'sqlite' || isRunning(type)
  it.skipIf(!running).for(goldenScenarios().map((scenario) => [scenario.name, scenario] as const))(
    'answers and stores as the real core does: %s',
    async ([_name, scenario]) => {
      await using place = freshPlace(type)
      await play(place.location, type === 'sqlite' ? scenario : within32Bits(scenario))
    },
  )
})

function freshPlace(type: DatabaseType): AsyncDisposable & { readonly location: DatabaseLocation } {
  if (type !== 'sqlite') return freshDatabase(type)
  const folder = mkdtempSync(join(tmpdir(), 'zenml-golden-'))
  return {
    location: { type, path: join(folder, 'metadata.db') },
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }),
  }
}

/** Servers keep whole numbers of 32 bits; the one in the scenarios that has more becomes one that fits. */
function within32Bits(scenario: GoldenScenario): GoldenScenario {
  return JSON.parse(JSON.stringify(scenario).replaceAll(/461168601842738[0-9]{4}/g, '1073741825'))
}

async function play(location: DatabaseLocation, scenario: GoldenScenario): Promise<void> {
  const { name, steps, tables_after } = scenario
  await using database = await openDatabase(location)
  const service = metadataService(database)
  const ids = new GivenIds()
  for (const [index, { rpc, request, status, response }] of steps.entries()) {
    if (mended[name]?.rpcs.includes(rpc)) continue
    const place = `step ${index}: ${rpc} ${JSON.stringify(request)}`
    const types = rpcs.get(rpc)!
    let answer: object | undefined
    let ended = 'OK'
    try {
      answer = await service.call(rpc, messageFromJson(types.request, ids.translate(request)))
    } catch (error) {
      if (!(error instanceof StatusError)) throw error
      ended = error.status
    }
    expect(ended, place).toBe(status)
    if (answer === undefined) continue
    const json = messageToJson(types.response, answer as never)
    if (rpc.startsWith('Put')) ids.learn(response, json)
    expect(comparable(json), place).toEqual(comparable(ids.translate(response)))
  }
  const stored: { [table: string]: readonly GoldenRow[] } = {}
  for (const table of schemaTables) {
    const rows = await database.read(() => select<GoldenRow>(`SELECT * FROM ${table}`, [], { wide: true }))
    stored[table] = rows.filter((row) => table !== 'Type' || Number(row['id']) > simpleTypes.length)
  }
  const recorded = Object.fromEntries(
    Object.entries(tables_after).map(([table, rows]) => [table, ids.translate(rows, table) as readonly GoldenRow[]]),
  )
  for (const table of schemaTables) {
    if (table === 'MLMDEnv' || mended[name]?.tables.includes(table)) continue
    const [ours, theirs] = [withoutEventIds(stored), withoutEventIds(recorded)]
    expect(rowsOf(table, ours[table]), table).toEqual(rowsOf(table, theirs[table]))
  }
}

/** Rows without what is null, and without the ids of edges, which nothing refers to and which the real core gives in no order. */
function rowsOf(table: string, rows: readonly GoldenRow[] = []): readonly unknown[] {
  const edge = table === 'Attribution' || table === 'Association'
  return comparableRows(
    rows.map((row) =>
      Object.fromEntries(
        Object.entries(row)
          .filter(([column, value]) => value !== null && !(edge && column === 'id'))
          .map(([column, value]) => [
            column,
            typeof value === 'bigint'
              ? Number(value)
              : value instanceof Uint8Array
                ? Buffer.from(value).toString()
                : value,
          ]),
      ),
    ),
  )
}
