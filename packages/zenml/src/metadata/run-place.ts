import { ZenmlError } from '../base/errors.ts'
import { select, type Work } from './sql/work.ts'

/** Where a run is kept. */
export interface RunPlace {
  readonly run: string
  readonly pipeline: string
  /** The id of its context. */
  readonly context: number
}

/** Finds a run. Throws `ZEN_RUN_UNKNOWN`. */
export function* runPlace(run: string): Work<RunPlace> {
  const text = `SELECT c.id, c.name, p.string_value AS pipeline FROM Type t JOIN Context c ON c.type_id = t.id
    JOIN ContextProperty p ON p.context_id = c.id AND p.name = 'pipeline' AND p.is_custom_property = TRUE
    WHERE t.name = 'pipeline_run' AND t.type_kind = 2 AND c.name = ?`
  const rows = yield* select<{ id: number; name: string; pipeline: string }>(text, [run])
  const found = rows.find(({ name }) => name === run)
  if (found === undefined)
    throw new ZenmlError('ZEN_RUN_UNKNOWN', `There is no run ${run}.`, { next: 'See "zenml pipeline runs".' })
  return { run, pipeline: found.pipeline, context: found.id }
}
