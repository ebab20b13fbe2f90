import { readdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { compareText } from '../base/canonical.ts'
import { type ArtifactType, artifactType } from '../model/artifact-type.ts'
import { checkedPath, noArtifact } from './file-tree.ts'

/** Which items a step worked on, and how many rows each gave. */
export interface ItemIndexData {
  readonly splits: { readonly [split: string]: ItemList }
}

/** Items of a split in order, column by column. */
export interface ItemList {
  /** SHA-256 of each item, 32 bytes each, side by side. */
  readonly digests: Uint8Array
  /** Rows that each item gave. */
  readonly rows: Uint32Array
}

const digestBytes = 32
const entryBytes = digestBytes + 4
const suffix = '.items'

/**
 * Which items a step worked on: `Split-<name>.items`, for each item 36 bytes in order: the SHA-256 of the item, then the number of rows that it gave
 * as an unsigned 32-bit integer, little end first.
 *
 * @example
 * const directory = await mkdtemp(join(tmpdir(), 'items-'))
 * const items = { digests: new Uint8Array(32), rows: Uint32Array.of(2) }
 * await ItemIndex.materializer.save({ splits: { all: items } }, directory) // Split-all.items, 36 bytes
 * const { splits } = await ItemIndex.materializer.load(directory)
 * splits['all']?.rows.length // 1
 * await rm(directory, { recursive: true })
 */
export const ItemIndex: ArtifactType<'ItemIndex', ItemIndexData, ItemIndexData> = /* @__PURE__ */ artifactType(
  'ItemIndex',
  { save, load },
)

async function save({ splits }: ItemIndexData, directory: string): Promise<void> {
  for (const [split, { digests, rows }] of Object.entries(splits)) {
    if (digests.length !== rows.length * digestBytes)
      throw new TypeError(`split ${split} has ${rows.length} items, but ${digests.length} bytes of digests`)
    const bytes = Buffer.alloc(rows.length * entryBytes)
    for (let item = 0; item < rows.length; item++) {
      bytes.set(digests.subarray(item * digestBytes, (item + 1) * digestBytes), item * entryBytes)
      bytes.writeUInt32LE(rows[item]!, item * entryBytes + digestBytes)
    }
    await writeFile(join(directory, checkedPath(`Split-${split}${suffix}`, 'part')), bytes)
  }
}

async function load(directory: string): Promise<ItemIndexData> {
  const names = (await readdir(directory)).filter((name) => name.startsWith('Split-') && name.endsWith(suffix))
  if (names.length === 0) throw noArtifact(directory, 'ItemIndex', `there is no Split-<name>${suffix}`)
  const splits: { [split: string]: ItemList } = {}
  for (const name of names.sort(compareText)) {
    const bytes = await readFile(join(directory, name))
    if (bytes.length % entryBytes !== 0)
      throw noArtifact(directory, 'ItemIndex', `${name} has ${bytes.length} bytes, no multiple of ${entryBytes}`)
    const count = bytes.length / entryBytes
    const digests = new Uint8Array(count * digestBytes)
    const rows = new Uint32Array(count)
    for (let item = 0; item < count; item++) {
      const at = item * entryBytes
      digests.set(bytes.subarray(at, at + digestBytes), item * digestBytes)
      rows[item] = bytes.readUInt32LE(at + digestBytes)
    }
    splits[name.slice('Split-'.length, -suffix.length)] = { digests, rows }
  }
  return { splits }
}
