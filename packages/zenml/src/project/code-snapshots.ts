import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { type Clock, systemClock } from '../base/clock.ts'
import { ZenmlError } from '../base/errors.ts'
import { findGitDirectory, type GitDirectory, isRefusal } from '../code/git-directory.ts'
import { deleteRefs, type KeptRef, listKeptRefs, otherWorktrees, type PushedRefs, pushRefs } from '../code/kept-refs.ts'
import type { RunSummary } from '../metadata/run-queries.ts'
import { openProject, type Project } from './open-project.ts'

const day = 24 * 3600 * 1000

/** A snapshot of uncommitted changes and the runs that were made from it. */
export interface CodeSnapshot {
  readonly ref: string
  readonly tree: string
  /** The commit that the changes are based on, else null. */
  readonly base: string | null
  /** False where only the metadata store knows of it. */
  readonly here: boolean
  /** Newest first. */
  readonly runs: readonly { readonly id: string; readonly pipeline: string; readonly startedAt: number }[]
}

/** What `pruneCode` let go, and what it kept though no run names it. */
export interface PrunedCode {
  readonly removed: readonly string[]
  /** Written less than a day ago, or packed by git less than a day ago: a run may be about to name it. */
  readonly young: readonly string[]
}

const prefix = 'refs/zenml/snapshots/'

/**
 * The snapshots that are here or that runs of the metadata store name. Throws `ZEN_CODE_NO_REPOSITORY` outside of git.
 *
 * @example
 * await using project = await openProject(directory)
 * console.log((await listSnapshots(project)).map(({ ref, runs }) => [ref, runs.length]))
 */
export async function listSnapshots(project: Project): Promise<CodeSnapshot[]> {
  const refs = await listKeptRefs(await gitOf(project))
  const snapshots = new Map<string, CodeSnapshot & { readonly runs: CodeSnapshot['runs'][number][] }>()
  for (const { ref, tree, parent } of refs)
    if (ref.startsWith(prefix)) snapshots.set(tree, { ref, tree, base: parent, here: true, runs: [] })
  for (const { id, pipeline, startedAt, tree, dirty, commit } of await runsOf(project)) {
    if (!dirty || tree === null) continue
    const known = snapshots.get(tree) ?? { ref: prefix + tree, tree, base: commit, here: false, runs: [] }
    known.runs.push({ id, pipeline, startedAt })
    snapshots.set(tree, known)
  }
  return [...snapshots.values()]
}

/** Pushes the snapshots that are here and that runs name to a remote. Throws as `pushRefs`, and `ZEN_CODE_NO_REPOSITORY`. */
export async function pushSnapshots(project: Project, remote: string, signal?: AbortSignal): Promise<PushedRefs> {
  const used = (await listSnapshots(project)).filter(({ here, runs }) => here && runs.length > 0)
  return await pushRefs(
    await gitOf(project),
    remote,
    used.map(({ ref }) => ref),
    signal,
  )
}

/**
 * Deletes refs below `refs/zenml/` that no run names, neither in this project's metadata store nor in those of the repository's other worktrees, and
 * that were written more than a day ago. `git gc` then collects what nothing else keeps.
 */
export async function pruneCode(
  project: Project,
  { dryRun = false, clock = systemClock }: { readonly dryRun?: boolean; readonly clock?: Clock } = {},
): Promise<PrunedCode> {
  const home = await gitOf(project)
  // The refs first: one that is written meanwhile is not among them.
  const refs = await listKeptRefs(home)
  const used = new Set<string>()
  for (const root of await otherWorktrees(home)) {
    if (!existsSync(join(root, '.zenml', 'config.json'))) continue
    await using other = await openProject(root)
    await addNames(used, other)
  }
  await addNames(used, project)
  const unused = refs.filter(
    ({ ref, tree, commit }) => ![ref.slice(ref.lastIndexOf('/') + 1), tree, commit].some((name) => used.has(name)),
  )
  const isOld = ({ writtenBy }: KeptRef): boolean => clock.now() - writtenBy > day
  const removed = unused.filter(isOld)
  if (!dryRun) await deleteRefs(home, removed)
  const names = (some: readonly KeptRef[]): string[] => some.map(({ ref }) => ref)
  return { removed: names(removed), young: names(unused.filter((ref) => !isOld(ref))) }
}

async function addNames(names: Set<string>, project: Project): Promise<void> {
  for (const { commit, tree } of await runsOf(project))
    for (const name of [commit, tree]) if (name !== null) names.add(name)
}

function runsOf(project: Project): Promise<readonly RunSummary[]> {
  return project.records.listRuns({ limit: 10_000_000 })
}

async function gitOf(project: Project): Promise<GitDirectory> {
  try {
    return await findGitDirectory(project.root)
  } catch (error) {
    if (!isRefusal(error)) throw error
    throw new ZenmlError('ZEN_CODE_NO_REPOSITORY', 'This project is in no git repository, so it has no snapshots.', {
      next: 'Run "git init": later runs then pin their code.',
      cause: error,
    })
  }
}
