import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { isArtifactPath } from '../model/artifact.ts'
import { fetchObjects, hasObject } from './fetch-objects.ts'
import { git } from './git.ts'
import { findGitDirectory, type GitDirectory, gitIn, isRefusal } from './git-directory.ts'
import type { TreeEntry } from './tree-entries.ts'

/** Where the commit of a submodule is. */
export type SubmoduleHome =
  | { readonly kind: 'found'; readonly gitDirectory: GitDirectory; readonly remote: string | null }
  | { readonly kind: 'gone'; readonly tried: readonly string[] }

/** A submodule as a tree pins it. */
export interface SubmoduleQuestion {
  /** Of the repository that holds it. */
  readonly parent: GitDirectory
  /** Of that repository. */
  readonly tree: string
  readonly entry: TreeEntry
  /** URL of that repository, which a relative one starts from; null where it has none. */
  readonly remote: string | null
  /** A folder for a repository that only this needs. */
  readonly scratch: string
  readonly signal?: AbortSignal
}

/**
 * Finds the repository that holds a submodule's commit: the one that the user has for it (below `.git/modules`, or in the working tree),
 * else one that is fetched from the URL in the user's settings or, where that is of a kind that may come from outside, in `.gitmodules`.
 */
export async function findSubmodule(question: SubmoduleQuestion): Promise<SubmoduleHome> {
  const { parent, entry, scratch, signal } = question
  const { name, url } = await declared(question)
  const places = [
    ...(name === undefined ? [] : [parent.path, parent.common].map((folder) => join(folder, 'modules', name))),
    ...(parent.workTree === null ? [] : [join(parent.workTree, entry.path, '.git')]),
  ]
  const configured = name === undefined ? undefined : await setting(parent.path, `submodule.${name}.url`)
  const remote = configured ?? (url === undefined ? null : absoluteUrl(url, question.remote))
  const homes: GitDirectory[] = []
  for (const place of new Set(places)) {
    if (!existsSync(place)) continue
    const found = place.endsWith('.git') ? await findGitDirectory(join(place, '..')) : await moduleAt(place)
    if (found === undefined) continue
    homes.push(found)
    if (await hasObject(found.path, `${entry.object}^{commit}`)) return { kind: 'found', gitDirectory: found, remote }
  }
  let home = homes[0]
  if (home === undefined) {
    if (remote === null)
      return { kind: 'gone', tried: ['it is not checked out here, and .gitmodules has no address for it'] }
    await git(scratch, ['init', '--quiet', '--bare', entry.object])
    home = { path: join(scratch, entry.object), common: join(scratch, entry.object), workTree: null }
    // What the user configured may be a path; what a commit says may not.
    if (configured !== undefined) await gitIn(home.path, ['config', 'remote.origin.url', configured])
  }
  const end = await fetchObjects({
    gitDirectory: home.path,
    wanted: `${entry.object}^{commit}`,
    sources: [entry.object, 'HEAD'],
    keep: `refs/zenml/fetched/${entry.object}`,
    remote,
    ...(signal === undefined ? {} : { signal }),
  })
  return end.kind === 'gone' ? end : { kind: 'found', gitDirectory: home, remote }
}

/** Name and URL of a submodule in the `.gitmodules` of its tree. */
async function declared({
  parent,
  tree,
  entry,
}: SubmoduleQuestion): Promise<{ readonly name?: string; readonly url?: string }> {
  let listed: string
  try {
    listed = await gitIn(parent.path, [
      'config',
      '-z',
      '--blob',
      `${tree}:.gitmodules`,
      '--get-regexp',
      '^submodule\\..*\\.(path|url)$',
    ])
  } catch (error) {
    if (isRefusal(error)) return {}
    throw error
  }
  const values = new Map(
    listed
      .split('\0')
      .filter(Boolean)
      .map((text) => [text.slice(0, text.indexOf('\n')), text.slice(text.indexOf('\n') + 1)]),
  )
  for (const [key, path] of values) {
    if (!key.endsWith('.path') || path !== entry.path) continue
    const name = key.slice('submodule.'.length, -'.path'.length)
    if (!isArtifactPath(name)) return {}
    const url = values.get(`submodule.${name}.url`)
    return { name, ...(url === undefined ? {} : { url }) }
  }
  return {}
}

/** `./` and `../` start from the parent's own URL, as git has it. */
function absoluteUrl(url: string, parent: string | null): string | null {
  if (!url.startsWith('./') && !url.startsWith('../')) return url
  let base = parent?.replace(/\/+$/, '')
  let rest = url
  let separator = '/'
  while (base !== undefined && (rest.startsWith('./') || rest.startsWith('../'))) {
    if (rest.startsWith('../')) {
      const parts: RegExpExecArray | null = /^(.*[^/:])([/:])[^/]*$/.exec(base)
      base = parts?.[1]
      separator = parts?.[2] ?? separator
    }
    rest = rest.slice(rest.indexOf('/') + 1)
  }
  return base === undefined ? null : `${base}${separator}${rest}`
}

async function moduleAt(path: string): Promise<GitDirectory | undefined> {
  try {
    await gitIn(path, ['rev-parse', '--git-dir'])
    return { path, common: path, workTree: null }
  } catch (error) {
    if (isRefusal(error)) return undefined
    throw error
  }
}

async function setting(gitDirectory: string, name: string): Promise<string | undefined> {
  try {
    return (await gitIn(gitDirectory, ['config', '--get', name])).trim()
  } catch (error) {
    if (isRefusal(error)) return undefined
    throw error
  }
}
