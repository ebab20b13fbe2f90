import { ZenmlError } from '../base/errors.ts'
import type { CodePin, RunRecord, RunStatus } from '../model/run.ts'
import { findContext } from './contexts.ts'
import { type Facts, getProperties } from './properties.ts'
import { type RunListOptions, type RunName, runPage } from './run-pages.ts'
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

/** Which runs are listed. */
export interface RunQuery {
  readonly pipeline?: string
  readonly status?: RunStatus
  /** Default 50. */
  readonly limit?: number
  /** Default newest first, by start. */
  readonly sort?: 'newest' | 'oldest'
  /** The id of the run to go on behind. */
  readonly before?: string
}

/** Runs, newest first where nothing else is asked for. */
export function* listRuns({ pipeline, before, ...query }: RunQuery): Work<readonly RunSummary[]> {
  const parent = pipeline === undefined ? undefined : yield* findContext('pipeline', pipeline)
  if (pipeline !== undefined && parent === undefined) return []
  const behind = before === undefined ? undefined : yield* findContext('pipeline_run', before)
  if (before !== undefined && behind === undefined)
    throw new ZenmlError('ZEN_RUN_UNKNOWN', `There is no run ${before}.`, { next: 'See "zenml pipeline runs".' })
  const options: RunListOptions = {
    limit: 50,
    ...query,
    ...(parent === undefined ? {} : { parent }),
    ...(behind === undefined ? {} : { behind }),
  }
  const runs = yield* withFacts(yield* runPage(options), [
    'pipeline',
    'status',
    'seed',
    'started_at',
    'ended_at',
    'code',
  ])
  return runs
    .filter(({ facts }) => query.status === undefined || facts['status'] === query.status)
    .map(({ name, facts }) => {
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
    })
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
    WHERE s.name = 'status' AND s.is_custom_property = TRUE AND s.string_value = 'running' AND t.name = 'pipeline_run' AND t.type_kind = 2
    ORDER BY c.id DESC LIMIT 1000`
  const runs = yield* withFacts(yield* select<RunName>(text), ['pipeline', 'process'])
  return runs.map(({ name, facts }) => ({
    id: name,
    pipeline: String(facts['pipeline']),
    process: parse(facts['process']) as ProcessMark,
  }))
}

/** The id of a run by a unique prefix or `@latest`. */
export function* resolveRun(prefix: string): Work<string> {
  if (prefix === '@latest') {
    const [newest] = yield* runPage({ limit: 1 })
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
