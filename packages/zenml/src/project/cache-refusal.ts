import { sep } from 'node:path'
import { messageOf, systemCode, ZenmlError } from '../base/errors.ts'

const full = /ENOSPC|EDQUOT|EROFS|No space left on device|Disk quota exceeded|Read-only file system/

/**
 * What is told where the user's cache cannot take the code and packages of a past run: that it is the cache, what the system, git or npm said,
 * and how to name another. Any other error is given back as it is.
 */
export function cacheRefusal(cache: string, error: unknown): unknown {
  const code = systemCode(error) ?? ''
  const path = typeof error === 'object' && error !== null && 'path' in error ? String(error.path) : undefined
  // Where there was no room to write, the system does not name the file.
  const inCache = path === undefined ? full.test(code) : path === cache || path.startsWith(cache + sep)
  const refused =
    error instanceof ZenmlError
      ? error.code === 'ZEN_CODE_TARGET' || full.test(error.message)
      : inCache && (full.test(code) || /^(?:EACCES|EPERM|ENOTDIR|EEXIST)$/.test(code))
  if (!refused) return error
  return new ZenmlError(
    'ZEN_CACHE_DIR',
    `The cache ${cache} cannot take the code and packages of the run: ${messageOf(error)}`,
    {
      facts: { path: cache },
      next: 'Make room there and see that it can be written, or name another folder in ZENML_CACHE_DIR.',
      exitCode: 1,
      cause: error,
    },
  )
}
