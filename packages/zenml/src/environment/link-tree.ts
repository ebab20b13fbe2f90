import { constants, lstatSync, readdirSync } from 'node:fs'
import { copyFile, link, mkdir, readdir, readlink, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { compareText, digestOf } from '../base/canonical.ts'
import type { Digest } from '../base/digest.ts'
import { systemCode } from '../base/errors.ts'

/** Why a hard link cannot be made where a copy can: another disk, a file system without them, another user's file, too many. */
const unlinkable: readonly string[] = ['EXDEV', 'EPERM', 'EACCES', 'EMLINK', 'ENOTSUP', 'ENOSYS']

/** Lays a folder out elsewhere as hard links, or copies where there can be none; symbolic links keep their text. */
export async function linkTree(from: string, to: string): Promise<void> {
  await mkdir(to, { recursive: true })
  const folders: (readonly [string, string])[] = []
  const entries = await readdir(from, { withFileTypes: true })
  await Promise.all(
    entries.map(async (entry) => {
      const [source, target] = [join(from, entry.name), join(to, entry.name)]
      if (entry.isDirectory()) folders.push([source, target])
      else if (entry.isSymbolicLink()) await symlink(await readlink(source), target)
      else await linkFile(source, target)
    }),
  )
  for (const [source, target] of folders) await linkTree(source, target)
}

async function linkFile(source: string, target: string): Promise<void> {
  try {
    await link(source, target)
  } catch (error) {
    if (!unlinkable.includes(systemCode(error) ?? '')) throw error
    await copyFile(source, target, constants.COPYFILE_FICLONE)
  }
}

/** Digest of the names, sizes and times of all files below some folders: changes when one is written, added or removed. Of this machine only. */
export function stateOfTree(root: string, folders: readonly string[]): Digest {
  const found: (readonly [string, number, number])[] = []
  const visit = (path: string): void => {
    for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
      const name = `${path}/${entry.name}`
      if (entry.isDirectory()) visit(name)
      else {
        const { size, mtimeMs } = lstatSync(join(root, name))
        found.push([name, size, Math.floor(mtimeMs)])
      }
    }
  }
  for (const folder of folders) visit(folder)
  return digestOf(found.sort(([a], [b]) => compareText(a, b)))
}
