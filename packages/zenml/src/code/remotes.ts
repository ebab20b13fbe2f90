import { messageOf } from '../base/errors.ts'
import { gitIn, isRefusal } from './git-directory.ts'

/** A remote of this clone as the user configured it: git's own settings, credentials included, go with its name. */
export interface ConfiguredRemote {
  readonly name: string
  readonly url: string
}

/** The configured remotes, `origin` first. */
export async function configuredRemotes(gitDirectory: string): Promise<ConfiguredRemote[]> {
  const listed = await gitIn(gitDirectory, ['config', '-z', '--get-regexp', '^remote\\..*\\.url$']).catch(
    noneConfigured,
  )
  const remotes = new Map<string, string>()
  for (const entry of listed.split('\0').filter(Boolean)) {
    const end = entry.indexOf('\n')
    const name = entry.slice('remote.'.length, end - '.url'.length)
    if (!remotes.has(name)) remotes.set(name, entry.slice(end + 1))
  }
  return [...remotes]
    .map(([name, url]) => ({ name, url }))
    .sort((a, b) => Number(b.name === 'origin') - Number(a.name === 'origin'))
}

/**
 * Whether git may be pointed at a URL that comes from a store or a commit, which anyone may have written: `https`, `ssh`, `git` and
 * `user@host:path` only. Never a path or `file:` of this machine, a helper (`ext::` runs commands), or what reads as an option.
 *
 * @example
 * isFetchable('https://example.com/team/code.git') // true
 * isFetchable('ext::sh -c id') // false
 */
export function isFetchable(url: string): boolean {
  if (!/^[!-~]+$/.test(url) || url.startsWith('-') || /^[^:/]*::/.test(url)) return false
  const named =
    /^(?:https|ssh|git|git\+ssh|ssh\+git):\/\/(?:[^/@]*@)?(\[[0-9A-Fa-f:.]+\]|[^/:@]+)(?::\d+)?(?:\/.*)?$/i.exec(url)
  if (named !== null) return !named[1]!.startsWith('-')
  if (url.includes('://')) return false
  const short = /^(?:([A-Za-z0-9_.][A-Za-z0-9_.-]*)@)?([A-Za-z0-9_.][A-Za-z0-9_.-]*):(?!\/\/)(.+)$/.exec(url)
  // One letter before the colon is a drive of Windows.
  return short !== null && (short[1] !== undefined || short[2]!.length > 1) && !short[3]!.startsWith('-')
}

/** A URL, or git's words with URLs in them, without users and passwords. */
export function hideCredentials(text: string): string {
  return text.replace(/([a-z][a-z0-9+.-]*:\/\/)[^/@\s'"]*@/gi, '$1')
}

/** What git said when it failed, on one line and without credentials. */
export function gitWords(error: unknown): string {
  return hideCredentials(messageOf(error)).split('\n').filter(Boolean).slice(0, 3).join(' ')
}

function noneConfigured(error: unknown): string {
  if (isRefusal(error)) return ''
  throw error
}
