import type { DatasourceSpec } from '../model/datasource-spec.ts'
import type { RunRecord } from '../model/run.ts'
import type { Project } from '../project/open-project.ts'
import { commitOf, commitPipeline } from '../run/commits.ts'

/** A snapshot of a datasource: what the step that read it made. */
export interface SnapshotUse {
  readonly digest: string
  readonly rows: number | null
  /** The newest commit of it, else null. */
  readonly commit: string | null
  /** Newest run that used it. */
  readonly run: string
  readonly at: number
}

/** A datasource as runs have used it. */
export interface DatasourceUse {
  readonly name: string
  readonly spec: DatasourceSpec
  readonly pipelines: readonly string[]
  /** Newest first. */
  readonly snapshots: readonly SnapshotUse[]
}

/** How many of the newest runs are looked at. */
const horizon = 200

/** The datasources of the newest runs, by name. */
export async function datasourcesOf(project: Project): Promise<readonly DatasourceUse[]> {
  const found = new Map<string, { spec: DatasourceSpec; pipelines: Set<string>; snapshots: Map<string, SnapshotUse> }>()
  for (const { id } of await project.records.listRuns({ limit: horizon })) {
    const run = (await project.records.getRun(id))!
    for (const [name, spec] of Object.entries(run.spec.datasources)) {
      const entry = found.get(name) ?? { spec, pipelines: new Set(), snapshots: new Map() }
      found.set(name, entry)
      const commit = commitOf(run)?.id ?? null
      if (run.pipeline !== commitPipeline(name)) entry.pipelines.add(run.pipeline)
      for (const snapshot of snapshotsOf(run, name)) {
        const known = entry.snapshots.get(snapshot.digest) ?? snapshot
        entry.snapshots.set(snapshot.digest, { ...known, commit: known.commit ?? commit })
      }
    }
  }
  return [...found]
    .map(([name, { spec, pipelines, snapshots }]) => ({
      name,
      spec,
      pipelines: [...pipelines].sort(),
      snapshots: [...snapshots.values()],
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1))
}

function snapshotsOf(run: RunRecord, datasource: string): SnapshotUse[] {
  return run.steps
    .filter(({ name }) => Object.values(run.spec.steps[name]?.inputs ?? {}).includes(`datasources.${datasource}`))
    .flatMap(({ outputs }) => Object.values(outputs))
    .filter(({ type }) => type === 'Examples')
    .map(({ digest, properties }) => ({
      digest,
      rows: typeof properties['rows'] === 'number' ? properties['rows'] : null,
      commit: null,
      run: run.id,
      at: run.startedAt,
    }))
}
