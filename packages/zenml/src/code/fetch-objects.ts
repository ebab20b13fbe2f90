import { gitIn, isRefusal } from './git-directory.ts'
import { withoutCredentials } from './git-remote.ts'
import { configuredRemotes, gitWords, hideCredentials, isFetchable } from './remotes.ts'

/** Objects that a repository lacks, and where they may come from. */
export interface MissingObjects {
  /** The git folder that takes them. */
  readonly gitDirectory: string
  /** What must be there afterwards: `SHA^{tree}` or `SHA^{commit}`. */
  readonly wanted: string
  /** What to ask a remote for, in this order: commits by SHA and full names of refs. */
  readonly sources: readonly string[]
  /** Keeps what came from being collected. */
  readonly keep: string
  /** URL that the run or the commit recorded; null where it recorded none. */
  readonly remote: string | null
  readonly signal?: AbortSignal
}

/** How a search for objects ended. */
export type Fetched =
  | { readonly kind: 'here' }
  | { readonly kind: 'fetched'; readonly from: string }
  | { readonly kind: 'gone'; readonly tried: readonly string[] }

/**
 * Looks for objects here, then in the configured remote that has the recorded URL (with the user's own credentials), in that URL itself
 * where it is of a kind that may come from outside, and in the other configured remotes. Nothing but `keep` is written beside the objects, and
 * that only where they have come: else it stays what it was.
 */
export async function fetchObjects(missing: MissingObjects): Promise<Fetched> {
  const { gitDirectory, wanted, sources, keep, remote, signal } = missing
  if (await hasObject(gitDirectory, wanted)) return { kind: 'here' }
  const tried: string[] = []
  const configured = await configuredRemotes(gitDirectory)
  const isRecorded = ({ url }: { readonly url: string }): boolean =>
    remote !== null && (url === remote || withoutCredentials(url) === withoutCredentials(remote))
  const places = [
    ...configured.filter(isRecorded).map(({ name, url }) => ({ target: name, url, trusted: true })),
    ...(remote === null || configured.some(isRecorded) ? [] : [{ target: remote, url: remote, trusted: false }]),
    ...configured.filter((one) => !isRecorded(one)).map(({ name, url }) => ({ target: name, url, trusted: true })),
  ]
  const before = await namedBy(gitDirectory, keep)
  let found = false
  try {
    for (const { target, url, trusted } of places) {
      const name = hideCredentials(trusted ? `${target} (${url})` : url)
      if (!trusted && !isFetchable(url)) {
        tried.push(`${name}: only https, ssh and git addresses are fetched from when they are not configured here`)
        continue
      }
      for (const source of sources) {
        signal?.throwIfAborted()
        try {
          await fetch({ gitDirectory, target, source, keep, trusted, ...(signal === undefined ? {} : { signal }) })
        } catch (error) {
          if (!isRefusal(error)) throw error
          tried.push(`${name}, ${source}: ${gitWords(error)}`)
          continue
        }
        found = await hasObject(gitDirectory, wanted)
        if (found) return { kind: 'fetched', from: name }
        tried.push(`${name}, ${source}: it does not hold ${wanted}`)
      }
    }
    return { kind: 'gone', tried }
  } finally {
    // What was fetched in vain, also where the search was stopped, is not kept; what the ref kept before is.
    if (!found) await restore(gitDirectory, keep, before)
  }
}

/** Whether a repository has an object of the given kind (`SHA^{tree}`). */
export async function hasObject(gitDirectory: string, wanted: string): Promise<boolean> {
  try {
    await gitIn(gitDirectory, ['rev-parse', '--verify', '--quiet', '--end-of-options', wanted])
    return true
  } catch (error) {
    if (isRefusal(error)) return false
    throw error
  }
}

/** What a ref names; undefined where there is none. */
async function namedBy(gitDirectory: string, ref: string): Promise<string | undefined> {
  const listed = await gitIn(gitDirectory, ['for-each-ref', '--format=%(objectname)', ref])
  return listed.split('\n')[0] || undefined
}

async function restore(gitDirectory: string, ref: string, before: string | undefined): Promise<void> {
  const now = await namedBy(gitDirectory, ref)
  if (now === before) return
  await gitIn(gitDirectory, before === undefined ? ['update-ref', '-d', ref] : ['update-ref', ref, before])
}

interface Fetch {
  readonly gitDirectory: string
  readonly target: string
  readonly source: string
  readonly keep: string
  readonly trusted: boolean
  readonly signal?: AbortSignal
}

async function fetch({ gitDirectory, target, source, keep, trusted, signal }: Fetch): Promise<void> {
  await gitIn(
    gitDirectory,
    [
      'fetch',
      // Without these, the user's settings would let a fetch move remote-tracking refs, prune, tag, recurse or repack.
      ...[
        '--quiet',
        '--no-tags',
        '--no-prune',
        '--no-write-fetch-head',
        '--no-auto-maintenance',
        '--no-recurse-submodules',
      ],
      ...['--refmap=', '--', target, `+${source}:${keep}`],
    ],
    {
      env: trusted ? {} : { GIT_ALLOW_PROTOCOL: 'https:ssh:git' },
      ...(signal === undefined ? {} : { signal }),
    },
  )
}
