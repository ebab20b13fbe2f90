import { ZenmlError } from '../base/errors.ts'
import type { CodePin, RunRecord, RunStatus } from '../model/run.ts'
import { type Facts, getProperties } from './properties.ts'
import { type RunPosition, type RunQuery, runsInOrder } from './run-orders.ts'
import type { RunName } from './run-pages.ts'
import type { ProcessMark } from './runs.ts'
import { select, selectIn, type Work } from './sql/work.ts'
import { numberOrNull, parse } from './stored-json.ts'
import { findTypes } from './types.ts'

/** A run in a list. */
export interface RunSummary
  extends Pick<RunRecord, 'id' | 'pipeline' | 'status' | 'seed' | 'startedAt' | 'endedAt'>,
    Pick<CodePin, 'commit' | 'tree' | 'dirty'> {}

/** A pipeline as its runs tell of it. */
export interface PipelineSummary {
  readonly name: string
  readonly runs: number
  readonly lastRun: string
  readonly lastStatus: RunStatus
  readonly lastStartedAt: number
}

/** A page of runs. */
export interface RunPage {
  readonly runs: readonly RunSummary[]
  /** What the next page goes on behind; null where this is the last one. */
  readonly next: RunPosition | null
}

/** Runs, newest first where nothing else is asked for. */
export function* pageOfRuns(query: RunQuery): Work<RunPage> {
  const limit = query.limit ?? 50
  // One more tells whether there is another page.
  const found = yield* runsInOrder({ ...query, limit: limit + 1 })
  const listed = found.slice(0, limit)
  const last = found.length > limit ? listed.at(-1) : undefined
  const runs = yield* withFacts(listed, ['pipeline', 'status', 'seed', 'started_at', 'ended_at', 'code'])
  return {
    // A database that takes one text for another that differs in case is not believed.
    runs: runs.filter(({ facts }) => query.status === undefined || facts['status'] === query.status).map(summaryOf),
    next: last === undefined ? null : { run: last.name, ...(last.key === undefined ? {} : { key: last.key }) },
  }
}

function summaryOf({ name, facts }: RunName & { readonly facts: Facts }): RunSummary {
  const { commit, tree, dirty } = parse(facts['code']) as CodePin
  return {
    id: name,
    pipeline: String(facts['pipeline']),
    status: facts['status'] as RunStatus,
    seed: Number(facts['seed']),
    startedAt: Number(facts['started_at']),
    endedAt: numberOrNull(facts['ended_at']),
    commit,
    tree,
    dirty,
  }
}

/** Pipelines in the order of their newest runs. */
export function* listPipelines(): Work<readonly PipelineSummary[]> {
  const text = `SELECT c.name AS pipeline, COUNT(*) AS runs, MAX(p.context_id) AS newest
    FROM Type t JOIN Context c ON c.type_id = t.id JOIN ParentContext p ON p.parent_context_id = c.id
    WHERE t.name = 'pipeline' AND t.type_kind = 2 GROUP BY c.id, c.name`
  const rows = yield* select<{ pipeline: string; runs: number; newest: number }>(text)
  const sorted = [...rows].sort((a, b) => b.newest - a.newest)
  const names = yield* selectIn<RunName>(
    'SELECT id, name FROM Context WHERE id IN (??)',
    sorted.map(({ newest }) => newest),
  )
  const newest = new Map((yield* withFacts(names, ['status', 'started_at'])).map((run) => [run.id, run]))
  return sorted.flatMap(({ pipeline, runs, newest: id }) => {
    const run = newest.get(id)
    if (run === undefined) return []
    const { status, started_at } = run.facts
    return [
      { name: pipeline, runs, lastRun: run.name, lastStatus: status as RunStatus, lastStartedAt: Number(started_at) },
    ]
  })
}

/** Runs that are running as far as is recorded. */
export function* unfinishedRuns(): Work<
  readonly { readonly id: string; readonly pipeline: string; readonly process: ProcessMark }[]
> {
  const text = `SELECT c.id, c.name FROM ContextProperty s JOIN Context c ON c.id = s.context_id JOIN Type t ON t.id = c.type_id
    WHERE s.name = 'status' AND s.is_custom_property = TRUE AND s.string_value = ? AND t.name = 'pipeline_run' AND t.type_kind = 2
    ORDER BY c.id DESC LIMIT 1000`
  const runs = yield* withFacts(yield* select<RunName>(text, ['running']), ['pipeline', 'process'])
  return runs.map(({ name, facts }) => ({
    id: name,
    pipeline: String(facts['pipeline']),
    process: parse(facts['process']) as ProcessMark,
  }))
}

/** The id of a run by a unique prefix or `@latest`. */
export function* resolveRun(prefix: string): Work<string> {
  if (prefix === '@latest') {
    const [newest] = yield* runsInOrder({ limit: 1 })
    if (newest === undefined)
      throw new ZenmlError('ZEN_RUN_UNKNOWN', 'Nothing has run yet.', { next: 'Start with "zenml pipeline run FILE".' })
    return newest.name
  }
  const found = /^[0-9a-f]+$/.test(prefix) ? yield* runsFrom(prefix) : []
  if (found.length === 0)
    throw new ZenmlError('ZEN_RUN_UNKNOWN', `No run's id starts with "${prefix}".`, {
      next: 'See "zenml pipeline runs".',
    })
  if (found.length > 1 && !found.includes(prefix))
    throw new ZenmlError('ZEN_RUN_AMBIGUOUS', `Several runs' ids start with "${prefix}": ${found.join(', ')} …`, {
      next: 'Give more digits.',
    })
  return found.includes(prefix) ? prefix : found[0]!
}

/** Three ids at most that start with a prefix; the prefix itself comes first. */
function* runsFrom(prefix: string): Work<readonly string[]> {
  const type = (yield* findTypes(['pipeline_run'])).find('context', 'pipeline_run')
  if (type === undefined) return []
  const text = 'SELECT name FROM Context WHERE type_id = ? AND name >= ? AND name < ? ORDER BY name LIMIT 3'
  const rows = yield* select<{ name: string }>(text, [type, prefix, `${prefix}g`])
  return rows.map(({ name }) => name).filter((name) => name.startsWith(prefix))
}

/** Runs with some of their properties; contexts that other tools made as `pipeline_run` have none of ours and are left out. */
function* withFacts(
  runs: readonly RunName[],
  names: readonly string[],
): Work<readonly (RunName & { readonly facts: Facts })[]> {
  const facts = yield* getProperties(
    'Context',
    runs.map(({ id }) => id),
    names,
  )
  return runs
    .map((run) => ({ ...run, facts: facts.get(run.id)! }))
    .filter(({ facts: own }) => own[names[0]!] !== undefined)
}
