import { getProperties } from './properties.ts'
import { select, type Work } from './sql/work.ts'
import type { StepUse } from './step-facts.ts'

/** Steps as the runs have used them, in the order in which they were first used. */
export function* listSteps(): Work<readonly StepUse[]> {
  // Counted where the rows are: there is one context a pipeline and step, and few types of executions in each.
  const text = `SELECT c.name AS node, x.name AS source, COUNT(*) AS executions, MIN(e.id) AS first_id, MAX(e.id) AS last_id
    FROM Type t JOIN Context c ON c.type_id = t.id JOIN Association a ON a.context_id = c.id
    JOIN Execution e ON e.id = a.execution_id JOIN Type x ON x.id = e.type_id
    WHERE t.name = 'node' AND t.type_kind = 2 GROUP BY c.id, c.name, x.id, x.name`
  const rows = yield* select<UseRow>(text)
  const facts = yield* getProperties(
    'Execution',
    rows.map(({ last_id }) => last_id),
    ['run', 'step'],
  )
  const uses = new Map<string, Use>()
  for (const { node, source, executions, last_id } of [...rows].sort((a, b) => a.first_id - b.first_id)) {
    const { run, step } = facts.get(last_id)!
    if (run === undefined) continue
    const name = String(step)
    const key = `${name}\n${source}`
    const use = uses.get(key) ?? { name, source, pipelines: new Set<string>(), executions: 0, last: 0, lastRun: '' }
    use.pipelines.add(node.slice(0, -name.length - 1))
    use.executions += executions
    if (last_id > use.last) Object.assign(use, { last: last_id, lastRun: String(run) })
    uses.set(key, use)
  }
  return [...uses.values()].map(({ pipelines, last: _last, ...use }) => ({ ...use, pipelines: [...pipelines].sort() }))
}

interface UseRow {
  readonly node: string
  readonly source: string
  readonly executions: number
  readonly first_id: number
  readonly last_id: number
}

interface Use {
  readonly name: string
  readonly source: string
  readonly pipelines: Set<string>
  executions: number
  last: number
  lastRun: string
}
