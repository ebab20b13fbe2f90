import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'
import { ZenmlError } from '../base/errors.ts'

/**
 * The folder for what can be had again and that all projects of a user share (environments of packages, Node versions): `$ZENML_CACHE_DIR`, else
 * `$XDG_CACHE_HOME/zenml`, else `~/.cache/zenml`. Throws `ZEN_CACHE_DIR` for a relative one.
 *
 * @example
 * userCacheDirectory({ ZENML_CACHE_DIR: '/var/cache/zenml' }) // '/var/cache/zenml'
 */
export function userCacheDirectory(environment: { readonly [name: string]: string | undefined }): string {
  for (const [name, below] of [
    ['ZENML_CACHE_DIR', []],
    ['XDG_CACHE_HOME', ['zenml']],
  ] as const) {
    const path = environment[name]
    if (path === undefined || path === '') continue
    if (!isAbsolute(path)) {
      throw new ZenmlError('ZEN_CACHE_DIR', `${name} is "${path}", but a cache needs an absolute path.`, {
        facts: { variable: name, path },
        next: `Set ${name} to an absolute path, or unset it.`,
      })
    }
    return join(path, ...below)
  }
  return join(environment['HOME'] || homedir(), '.cache', 'zenml')
}
