import { existsSync } from 'node:fs'
import { lstat, symlink } from 'node:fs/promises'
import { join, posix } from 'node:path'
import { systemCode } from '../base/errors.ts'

const lockNames: readonly string[] = ['npm-shrinkwrap.json', 'package-lock.json']

/**
 * Gives folders of laid-out code that no lockfile of npm covers the packages that are installed now in the same folders: without them nothing could
 * run. `files` are those of the run, relative to both. Gives the folders that were linked; the root is `.`.
 */
export async function linkPresentPackages(
  code: string,
  present: string,
  files: readonly string[],
): Promise<readonly string[]> {
  const linked: string[] = []
  for (const folder of foldersOf(files)) {
    const above = foldersOf([posix.join(folder, 'package.json')])
    if (above.some((path) => lockNames.some((name) => existsSync(join(code, path, name))))) continue
    const [there, here] = [present, code].map((root) => join(root, folder, 'node_modules')) as [string, string]
    // A folder that the code does not have, or that is a link, gets nothing.
    if (!existsSync(there) || existsSync(here) || !(await isFolder(join(code, folder)))) continue
    await symlink(there, here, 'junction')
    linked.push(folder)
  }
  return linked
}

/** The root and every folder on the way to the files, the upper ones first. */
function foldersOf(files: readonly string[]): string[] {
  const folders = new Set(['.'])
  for (const file of files) {
    const parts = posix.dirname(file).split('/')
    if (parts[0] !== '.') for (const index of parts.keys()) folders.add(parts.slice(0, index + 1).join('/'))
  }
  return [...folders]
}

async function isFolder(path: string): Promise<boolean> {
  try {
    return (await lstat(path)).isDirectory()
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return false
    throw error
  }
}
