import { describe, expect, it } from 'vitest'
import { compareText } from '../../src/base/canonical.ts'
import { findContext } from '../../src/metadata/contexts.ts'
import { openDatabase } from '../../src/metadata/open.ts'
import { type RunQuery, runSorts } from '../../src/metadata/run-orders.ts'
import { pageFrom, type RunPageOptions } from '../../src/metadata/run-pages.ts'
import { type RunRecords, runRecords } from '../../src/metadata/run-records.ts'
import type { RunStart } from '../../src/metadata/runs.ts'
import type { SqlDatabase } from '../../src/metadata/sql/database.ts'
import { findTypes } from '../../src/metadata/types.ts'
import type { PipelineSpec } from '../../src/model/pipeline-spec.ts'
import type { RunStatus } from '../../src/model/run.ts'
import { isRunning, place } from '../support/databases.ts'

const start = 1_791_234_500_000
/** Runs with equal durations, ends and starts among them, which only ids tell apart. */
const runs = Array.from({ length: 40 }, (_, index) => {
  const startedAt = start + Math.floor(index / 2) * 60_000
  const status: RunStatus = index % 9 === 4 ? 'running' : index % 7 === 0 ? 'failed' : 'complete'
  return {
    id: (index + 16).toString(16),
    index,
    startedAt,
    status,
    endedAt: status === 'running' ? null : startedAt + 1_000 + ((index * 37) % 11) * 45_000,
    pipeline: ['penguins', 'Flights', 'b'][index % 3]!,
  }
})
type Run = (typeof runs)[number]

async function filled(database: SqlDatabase): Promise<RunRecords> {
  const records = runRecords(database)
  for (const { id, pipeline, startedAt, endedAt, status } of runs) {
    const begun: RunStart = {
      ...{ id, pipeline, startedAt, seed: 0, environment: {}, spec: {} as PipelineSpec, steps: [] },
      code: { commit: 'c', tree: 't', dirty: false, ref: null, remote: null, branch: 'main' },
      process: { host: 'h', pid: 1, started: 's' },
    }
    await records.startRun(begun)
    if (endedAt !== null) await records.endRun(id, { status, endedAt, error: null })
  }
  return records
}

/** What a query must give, by sorting all runs. */
function expected({ pipeline, status, since = 0, until = Infinity, sort = 'started', ascending }: RunQuery): string[] {
  const up = ascending ?? (sort === 'pipeline' || sort === 'status')
  const direction = up ? 1 : -1
  const orders: { readonly [sort: string]: (a: Run, b: Run) => number } = {
    started: (a, b) => direction * (a.index - b.index),
    finished: (a, b) => direction * (a.endedAt! - b.endedAt! || a.index - b.index),
    duration: (a, b) => direction * (a.endedAt! - a.startedAt - (b.endedAt! - b.startedAt) || a.index - b.index),
    pipeline: (a, b) => direction * compareText(a.pipeline, b.pipeline) || b.index - a.index,
    status: (a, b) => direction * compareText(a.status, b.status) || b.index - a.index,
  }
  return runs
    .filter((run) => pipeline === undefined || run.pipeline === pipeline)
    .filter((run) => status === undefined || run.status === status)
    .filter(({ startedAt }) => startedAt >= since && startedAt < until)
    .filter(({ endedAt }) => endedAt !== null || (sort !== 'finished' && sort !== 'duration'))
    .sort(orders[sort])
    .map(({ id }) => id)
}

const filters: readonly RunQuery[] = [
  {},
  { pipeline: 'Flights' },
  { pipeline: 'none' },
  { status: 'failed' },
  { status: 'canceled' },
  { since: start + 5 * 60_000 },
  { until: start + 5 * 60_000 + 1 },
  { pipeline: 'b', status: 'complete', since: start + 60_000, until: start + 15 * 60_000 },
]

describe.each(['sqlite', 'mysql', 'postgres'] as const)('lists of runs on %s', (type) => {
  const test = it.skipIf(type !== 'sqlite' && !isRunning(type))

  test('each order and filter gives each run once, page by page and in one piece', async () => {
    await using database = await place(type)
    await using store = await openDatabase(database.location)
    const records = await filled(store)
    for (const sort of runSorts)
      for (const ascending of [undefined, true, false])
        for (const filter of filters) {
          const query = { ...filter, sort, ...(ascending === undefined ? {} : { ascending }) }
          const wanted = expected(query)
          const pages: string[] = []
          let behind: RunQuery['behind']
          for (;;) {
            const page = await records.pageOfRuns({ ...query, limit: 4, ...(behind === undefined ? {} : { behind }) })
            pages.push(...page.runs.map(({ id }) => id))
            if (page.next === null) break
            expect(page.runs).toHaveLength(4)
            behind = page.next
          }
          expect(pages, JSON.stringify(query)).toEqual(wanted)
          expect((await records.listRuns(query)).map(({ id }) => id)).toEqual(wanted)
          // A run's id alone says where to go on, too.
          if (wanted.length > 3) {
            const rest = await records.listRuns({ ...query, behind: { run: wanted[2]! } })
            expect(rest.map(({ id }) => id)).toEqual(wanted.slice(3))
          }
        }
  })

  test('whatever is gone through first, filter or order, a page is the same', async () => {
    await using database = await place(type)
    await using store = await openDatabase(database.location)
    await filled(store)
    const parent = await store.read(() => findContext('pipeline', 'b'))
    const runType = (await store.read(() => findTypes(['pipeline_run']))).get('context', 'pipeline_run')
    for (const order of ['id', 'created', 'ended_at', 'duration'] as const)
      for (const ascending of [true, false]) {
        const between = [start + 60_000, start + 17 * 60_000] as const
        const options: RunPageOptions = {
          type: runType,
          limit: 5,
          order,
          ascending,
          parent,
          status: 'complete',
          between,
        }
        const all = await store.read(() => pageFrom({ ...options, limit: 100 }, 'order'))
        expect(all.length).toBeGreaterThan(6)
        for (const lead of ['order', 'parent', 'status', 'between'] as const) {
          expect(await store.read(() => pageFrom({ ...options, limit: 100 }, lead))).toEqual(all)
          expect(await store.read(() => pageFrom({ ...options, behind: all[1]! }, lead))).toEqual(all.slice(2, 7))
        }
      }
  })

  test('a run whose status changed while its list was paged through is neither lost nor repeated', async () => {
    await using database = await place(type)
    await using store = await openDatabase(database.location)
    const records = await filled(store)
    const query = { sort: 'status', ascending: false, limit: 2 } as const
    const first = await records.pageOfRuns(query)
    const last = first.runs.at(-1)!
    expect(last.status).toBe('running')
    await records.endRun(last.id, { status: 'canceled', endedAt: start + 9_000_000, error: null })
    const second = await records.pageOfRuns({ ...query, behind: first.next! })
    expect(second.runs.map(({ id }) => id)).toEqual(expected({ sort: 'status', ascending: false }).slice(2, 4))
  })
})
