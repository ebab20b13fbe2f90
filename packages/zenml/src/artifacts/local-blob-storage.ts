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
import type { BlobFact, BlobState, BlobStorage } from './blob-storage.ts'
import { verifiedFiles } from './verified-files.ts'

const chunk = 4 << 20
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

  async function temporaryName(): Promise<string> {
    await mkdir(temporary, { recursive: true })
    return join(temporary, `${process.pid}-${randomBytes(8).toString('hex')}`)
  }

  /** Puts a finished temporary file under its digest, unless a whole blob is there already. */
  async function settle(part: string, fact: BlobFact): Promise<void> {
    const path = pathOf(fact.digest)
    if ((await check(fact.digest, fact.size)) === 'whole') {
      await unlink(part)
      return
    }
    await place(part, path)
    if (fact.size > small) await verified.believe(fact.digest, await stat(path, { bigint: true }))
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
    if ((await hashFile(path)) !== digest) return 'damaged'
    if (size > small) await verified.believe(digest, found)
    return 'whole'
  }

  async function putFile(
    path: string,
    { move = false, signal }: { readonly move?: boolean; readonly signal?: AbortSignal } = {},
  ): Promise<BlobFact> {
    const part = await temporaryName()
    try {
      if (move) {
        try {
          await rename(path, part)
        } catch (error) {
          if (systemCode(error) !== 'EXDEV') throw error
          const fact = await copyHashed(path, part, signal)
          await settle(part, fact)
          await unlink(path)
          return fact
        }
        const fact = await hashAndSync(part, signal)
        await settle(part, fact)
        return fact
      }
      const fact = await copyHashed(path, part, signal)
      await settle(part, fact)
      return fact
    } catch (error) {
      await rm(part, { force: true })
      throw error
    }
  }

  return {
    uri: pathToFileURL(directory).href,
    uriOf: (digest) => pathToFileURL(pathOf(digest)).href,
    putFile,
    check,
    async putBytes(bytes) {
      const digest = sha256(bytes)
      if ((await check(digest, bytes.length)) === 'whole') return digest
      const part = await temporaryName()
      try {
        await writeSynced(part, bytes)
        await settle(part, { digest, size: bytes.length })
      } catch (error) {
        await rm(part, { force: true })
        throw error
      }
      return digest
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
        const part = await temporaryName()
        try {
          await writeSynced(part, Buffer.from(text))
          await place(part, join(directory, 'artifacts', name.slice(0, 2), name.slice(2)))
        } catch (error) {
          await rm(part, { force: true })
          throw error
        }
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

/** Copies a file and hashes it on the way: the next chunk is read while this one is hashed and written. */
async function copyHashed(from: string, to: string, signal: AbortSignal | undefined): Promise<BlobFact> {
  await using source = await open(from, 'r')
  await using target = await open(to, 'wx', 0o600)
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
  await target.sync()
  return { digest: `sha256:${hash.digest('hex')}` as Digest, size }
}

async function writeAll(target: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let from = 0; from < bytes.length; ) from += (await target.write(bytes, from, bytes.length - from)).bytesWritten
}

async function hashAndSync(path: string, signal: AbortSignal | undefined): Promise<BlobFact> {
  await using file = await open(path, 'r+')
  const syncing = file.sync()
  syncing.catch(() => undefined)
  const fact = await hashHandle(file, signal)
  await syncing
  return fact
}

async function hashFile(path: string): Promise<Digest> {
  await using file = await open(path, 'r')
  return (await hashHandle(file, undefined)).digest
}

async function hashHandle(file: FileHandle, signal: AbortSignal | undefined): Promise<BlobFact> {
  const hash = createHash('sha256')
  const length = Math.min(chunk, Math.max(1, (await file.stat()).size))
  const buffers = [Buffer.allocUnsafe(length), Buffer.allocUnsafe(length)] as const
  let size = 0
  let turn: 0 | 1 = 0
  let reading = file.read(buffers[turn], 0, length, size)
  for (;;) {
    signal?.throwIfAborted()
    const { bytesRead } = await reading
    if (bytesRead === 0) return { digest: `sha256:${hash.digest('hex')}` as Digest, size }
    const bytes = buffers[turn].subarray(0, bytesRead)
    size += bytesRead
    turn = turn === 0 ? 1 : 0
    reading = file.read(buffers[turn], 0, length, size)
    reading.catch(() => undefined)
    hash.update(bytes)
  }
}

async function writeSynced(path: string, bytes: Uint8Array): Promise<void> {
  await using file = await open(path, 'wx', 0o600)
  await writeAll(file, bytes)
  await file.sync()
}

/** Gives a finished file its name, read-only, and makes sure that the name outlives a crash, with the folders that are new on the way. */
async function place(part: string, path: string): Promise<void> {
  const folder = dirname(path)
  const firstMade = await mkdir(folder, { recursive: true })
  await chmod(part, 0o444)
  try {
    await rename(part, path)
  } catch (error) {
    if (!['EISDIR', 'ENOTEMPTY', 'EEXIST'].includes(systemCode(error) ?? '')) throw error
    // Damaged into a folder, which a rename does not replace.
    await rm(path, { recursive: true, force: true })
    await rename(part, path)
  }
  await syncDirectory(folder)
  if (firstMade === undefined) return
  for (let current = folder; current.length >= firstMade.length; current = dirname(current))
    await syncDirectory(dirname(current))
}

async function syncDirectory(path: string): Promise<void> {
  await using folder = await open(path, 'r')
  await folder.sync()
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
