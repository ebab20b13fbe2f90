import type { DatasourceSpec } from '../model/datasource-spec.ts'
import type { RunListener } from '../model/events.ts'
import type { CodePin, RunRecord } from '../model/run.ts'
import { type Commit, commitOf, commitSpec, commitsOf } from './commits.ts'
import { runPipeline } from './run-pipeline.ts'
import type { Workspace } from './workspace.ts'

/** What became of taking a commit. */
export type CommitEnd =
  | {
      readonly kind: 'committed'
      readonly commit: Commit
      /** The commit before it where that has the same snapshot, else null. */
      readonly sameAs: string | null
      /** Whether an earlier execution gave the snapshot, so that nothing had to be read again. */
      readonly reused: boolean
    }
  | { readonly kind: 'failed'; readonly run: RunRecord }

/**
 * Takes a snapshot of a datasource as it is now, and records it as a commit. Content that an earlier snapshot was taken of is not read
 * again into another: the commit names that one.
 *
 * Throws a `PlanError` where the source cannot be read; a snapshot that cannot be made of what was read is a failed run.
 */
export async function commitDatasource(
  workspace: Workspace,
  name: string,
  source: DatasourceSpec,
  pinned: Promise<CodePin>,
  { signal, onEvent }: { readonly signal?: AbortSignal; readonly onEvent?: RunListener } = {},
): Promise<CommitEnd> {
  let before: Commit | undefined
  for await (const { commit } of commitsOf(workspace.records, name)) {
    before = commit
    break
  }
  const { run: id } = await runPipeline(workspace, commitSpec(name, source), pinned, {
    ...(signal === undefined ? {} : { signal }),
    ...(onEvent === undefined ? {} : { onEvent }),
  })
  const run = (await workspace.records.getRun(id))!
  const commit = commitOf(run)
  if (commit === undefined) return { kind: 'failed', run }
  const sameAs = before?.digest === commit.digest ? before.id : null
  return { kind: 'committed', commit, sameAs, reused: run.steps[0]!.outcome === 'reused' }
}
