import { createHash, randomBytes } from 'node:crypto'
import { type BigIntStats, constants } from 'node:fs'
import {
  chmod,
  copyFile,
  type FileHandle,
  mkdir,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  unlink,
} from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { type Digest, hexOf, sha256 } from '../base/digest.ts'
import { systemCode, ZenmlError } from '../base/errors.ts'
import { mapSlots } from '../base/slots.ts'
import type { BlobFact, BlobState, BlobStorage } from './blob-storage.ts'
import { verifiedFiles } from './verified-files.ts'

const chunk = 4 << 20
/** How many files are stored at once: a disk syncs several in little more time than one. */
const atOnce = 4
/** Blobs up to this size are hashed at every check: that costs less than the bookkeeping would be worth. */
const small = 64 << 10
/** Temporary files of writers that died are removed after a day: no writer takes that long. */
const staleAfter = 24 * 3600 * 1000

/**
 * Blobs in a folder: `blobs/ab/cdef…` by the hex digits of the digest, read-only; `tmp/` for what is being written.
 * A blob is written under a temporary name, synced, renamed, and its folder synced: after a crash it is whole or not there.
 */
export function localBlobStorage(directory: string): BlobStorage {
  const temporary = join(directory, 'tmp')
  const verified = verifiedFiles(join(directory, 'verified'))
  const pathOf = (digest: Digest): string => join(directory, 'blobs', hexOf(digest).slice(0, 2), hexOf(digest).slice(2))

  /** Has temporary files filled and put in their places; nothing of them is left when that fails. */
  async function throughParts<T>(count: number, work: (parts: readonly string[]) => Promise<T>): Promise<T> {
    await mkdir(temporary, { recursive: true })
    const parts = Array.from({ length: count }, () =>
      join(temporary, `${process.pid}-${randomBytes(8).toString('hex')}`),
    )
    try {
      return await work(parts)
    } catch (error) {
      for (const part of parts) await rm(part, { force: true })
      throw error
    }
  }

  async function check(
    digest: Digest,
    size: number,
    { full = false }: { readonly full?: boolean } = {},
  ): Promise<BlobState> {
    const path = pathOf(digest)
    let found: BigIntStats
    try {
      found = await stat(path, { bigint: true })
    } catch (error) {
      if (systemCode(error) === 'ENOENT') return 'missing'
      throw error
    }
    if (!found.isFile() || found.size !== BigInt(size)) return 'damaged'
    if (!full && size > small && (await verified.believes(digest, found))) return 'whole'
    if ((await hashFile(path)).digest !== digest) return 'damaged'
    if (size > small) await verified.believe(digest, found)
    return 'whole'
  }

  /** Puts finished temporary files under their digests, but for those that are there whole already. */
  async function settle(parts: readonly string[], facts: readonly BlobFact[]): Promise<void> {
    const missing = new Map<string, { part: string; fact: BlobFact }>()
    await mapSlots(facts, atOnce, async (fact, index) => {
      const part = parts[index]!
      const path = pathOf(fact.digest)
      if (missing.has(path) || (await check(fact.digest, fact.size)) === 'whole' || missing.has(path))
        await unlink(part)
      else {
        missing.set(path, { part, fact })
        await sync(part)
      }
    })
    const folders = new Set<string>()
    for (const [path, { part }] of missing) for (const folder of await moveTo(part, path)) folders.add(folder)
    await mapSlots([...folders], atOnce, sync)
    for (const [path, { fact }] of missing)
      if (fact.size > small) await verified.believe(fact.digest, await stat(path, { bigint: true }))
  }

  return {
    uri: pathToFileURL(directory).href,
    uriOf: (digest) => pathToFileURL(pathOf(digest)).href,
    async putFiles(paths, { move = false, signal } = {}) {
      return await throughParts(paths.length, async (parts) => {
        // All are named anew before the first is synced: the journal that has it on the disk has the names of all.
        const copied = await mapSlots(paths, atOnce, async (path, index) =>
          move ? await takeAway(path, parts[index]!, signal) : await copyHashed(path, parts[index]!, signal),
        )
        const facts = await mapSlots(
          parts,
          atOnce,
          async (part, index) => copied[index] ?? (await hashFile(part, signal)),
        )
        await settle(parts, facts)
        return facts
      })
    },
    check,
    async putBytes(bytes) {
      const digest = sha256(bytes)
      const size = bytes.length
      if ((await check(digest, size)) === 'whole') return digest
      return await throughParts(1, async (parts) => {
        await writeNew(parts[0]!, bytes)
        await settle(parts, [{ digest, size }])
        return digest
      })
    },
    async get(digest) {
      const bytes = await readIfThere(pathOf(digest))
      if (bytes === undefined) return undefined
      if (sha256(bytes) !== digest) {
        throw new ZenmlError(
          'ZEN_ARTIFACT_DAMAGED',
          `The blob ${digest} is not what was stored: its content has another digest.`,
          {
            next: 'Run the pipeline that made it again; it is replaced then.',
            exitCode: 1,
          },
        )
      }
      return bytes
    },
    link: (digest, path) => symlink(pathOf(digest), path),
    copy: (digest, path) => copyFile(pathOf(digest), path, constants.COPYFILE_FICLONE),
    index: {
      async get(name) {
        const bytes = await readIfThere(join(directory, 'artifacts', name.slice(0, 2), name.slice(2)))
        return bytes === undefined ? undefined : Buffer.from(bytes).toString('utf8')
      },
      async set(name, text) {
        await throughParts(1, async ([part]) => {
          await writeNew(part!, Buffer.from(text))
          await sync(part!)
          const path = join(directory, 'artifacts', name.slice(0, 2), name.slice(2))
          for (const folder of await moveTo(part!, path)) await sync(folder)
        })
      },
    },
    async sweep(now) {
      let removed = 0
      for (const name of await namesIn(temporary)) {
        const path = join(temporary, name)
        const found = await statIfThere(path)
        if (found === undefined || now - Number(found.mtimeMs) < staleAfter) continue
        await rm(path, { force: true })
        removed++
      }
      return removed
    },
  }
}

/** Takes a file away to another name, read-only; where that is another disk it is copied and the fact told. */
async function takeAway(path: string, part: string, signal: AbortSignal | undefined): Promise<BlobFact | undefined> {
  try {
    await rename(path, part)
  } catch (error) {
    if (systemCode(error) !== 'EXDEV') throw error
    const fact = await copyHashed(path, part, signal)
    await unlink(path)
    return fact
  }
  await chmod(part, 0o444)
  return undefined
}

/** Copies a file and hashes it on the way: the next chunk is read while this one is hashed and written. */
async function copyHashed(from: string, to: string, signal: AbortSignal | undefined): Promise<BlobFact> {
  await using source = await open(from, 'r')
  await using target = await open(to, 'wx', 0o600)
  await target.chmod(0o444)
  const hash = createHash('sha256')
  const buffers = [Buffer.allocUnsafe(chunk), Buffer.allocUnsafe(chunk)] as const
  let size = 0
  let turn: 0 | 1 = 0
  let reading = source.read(buffers[turn], 0, chunk, null)
  for (;;) {
    signal?.throwIfAborted()
    const { bytesRead } = await reading
    if (bytesRead === 0) break
    const bytes = buffers[turn].subarray(0, bytesRead)
    turn = turn === 0 ? 1 : 0
    reading = source.read(buffers[turn], 0, chunk, null)
    // Awaited below in any case; this only keeps a rejection from being reported while the write is on its way.
    reading.catch(() => undefined)
    const writing = writeAll(target, bytes)
    writing.catch(() => undefined)
    hash.update(bytes)
    await writing
    size += bytesRead
  }
  return { digest: `sha256:${hash.digest('hex')}` as Digest, size }
}

async function writeAll(target: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let from = 0; from < bytes.length; ) from += (await target.write(bytes, from, bytes.length - from)).bytesWritten
}

/** Pairs of buffers for hashing, used again: memory that is new to the process costs more than the hash, and what fits into a processor's cache less. */
const pairs: (readonly [Buffer, Buffer])[] = []
const pairSize = 256 << 10

/** Hashes a file: the next piece is read while this one is hashed. */
async function hashFile(path: string, signal?: AbortSignal): Promise<BlobFact> {
  const buffers = pairs.pop() ?? ([Buffer.allocUnsafeSlow(pairSize), Buffer.allocUnsafeSlow(pairSize)] as const)
  try {
    return await hashInto(buffers, path, signal)
  } finally {
    pairs.push(buffers)
  }
}

/** When this has ended, nothing is read into the buffers any more: a file is closed after what was asked of it. */
async function hashInto(
  buffers: readonly [Buffer, Buffer],
  path: string,
  signal: AbortSignal | undefined,
): Promise<BlobFact> {
  await using file = await open(path, 'r')
  const hash = createHash('sha256')
  let size = 0
  let turn: 0 | 1 = 0
  let reading = file.read(buffers[turn], 0, pairSize, size)
  for (;;) {
    signal?.throwIfAborted()
    const { bytesRead } = await reading
    if (bytesRead === 0) return { digest: `sha256:${hash.digest('hex')}` as Digest, size }
    const bytes = buffers[turn].subarray(0, bytesRead)
    size += bytesRead
    turn = turn === 0 ? 1 : 0
    reading = file.read(buffers[turn], 0, pairSize, size)
    reading.catch(() => undefined)
    hash.update(bytes)
  }
}

async function writeNew(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, 'wx', 0o600)
  await file.chmod(0o444)
  await writeAll(file, bytes)
}

/** Gives a finished file its name; returns the folders to be synced so that it outlives a crash, with those that are new on the way. */
async function moveTo(part: string, path: string): Promise<string[]> {
  const folders = [dirname(path)]
  const firstMade = await mkdir(folders[0]!, { recursive: true })
  try {
    await rename(part, path)
  } catch (error) {
    if (!['EISDIR', 'ENOTEMPTY', 'EEXIST'].includes(systemCode(error) ?? '')) throw error
    // Damaged into a folder, which a rename does not replace.
    await rm(path, { recursive: true, force: true })
    await rename(part, path)
  }
  if (firstMade !== undefined) while (folders.at(-1)!.length >= firstMade.length) folders.push(dirname(folders.at(-1)!))
  return folders
}

/** Has a file, or the names in a folder, on the disk. */
async function sync(path: string): Promise<void> {
  await using handle = await open(path, 'r')
  await handle.sync()
}

async function readIfThere(path: string): Promise<Uint8Array | undefined> {
  try {
    return await readFile(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

async function statIfThere(path: string): Promise<BigIntStats | undefined> {
  try {
    return await stat(path, { bigint: true })
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  }
}

async function namesIn(path: string): Promise<string[]> {
  try {
    return await readdir(path)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}
