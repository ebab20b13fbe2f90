import { readdir } from 'node:fs/promises'
import { join } from 'node:path'
import { compareText } from '../base/canonical.ts'
import { checkedPath, noArtifact, readPart, writeTree } from './file-tree.ts'

// Artifacts with one message a split, laid out as in TensorFlow Extended: Split-<name>/<file>.

/** Writes the message of each split. */
export async function saveBySplit<T>(
  messages: { readonly [split: string]: T },
  file: string,
  encode: (message: T) => Uint8Array,
  directory: string,
): Promise<void> {
  const files: { [path: string]: Uint8Array } = {}
  for (const [split, message] of Object.entries(messages))
    files[`${checkedPath(`Split-${split}`, 'part')}/${file}`] = encode(message)
  await writeTree(directory, files)
}

/** Reads the message of each split, in the order of their names; throws `ZEN_ARTIFACT_FORMAT` where there is none. */
export async function loadBySplit<T>(
  directory: string,
  file: string,
  decode: (bytes: Uint8Array) => T,
  type: string,
): Promise<{ readonly [split: string]: T }> {
  const entries = (await readdir(directory)).filter((name) => name.startsWith('Split-')).sort(compareText)
  if (entries.length === 0) throw noArtifact(directory, type, `there is no Split-<name>/${file}`)
  const splits = await Promise.all(
    entries.map(async (entry) => {
      const bytes = await readPart(join(directory, entry, file), type)
      return [entry.slice('Split-'.length), decode(bytes)] as const
    }),
  )
  return Object.fromEntries(splits)
}
