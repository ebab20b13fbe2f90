import type { Digest } from '../base/digest.ts'
import type { BlobStorage } from './blob-storage.ts'

/**
 * Reads what either of two storages holds and writes into the first only: what is made again to be compared never reaches the store that it
 * is compared with. What was written here is taken from above, so that a blob which the lower storage has lost can be made again. The upper
 * storage is empty at first, and nobody else writes into it.
 */
export function overlayBlobStorage(upper: BlobStorage, lower: BlobStorage): BlobStorage {
  const written = new Set<Digest>()
  const holder = (digest: Digest): BlobStorage => (written.has(digest) ? upper : lower)
  return {
    uri: upper.uri,
    uriOf: (digest) => holder(digest).uriOf(digest),
    async putFiles(paths, options) {
      const facts = await upper.putFiles(paths, options)
      for (const { digest } of facts) written.add(digest)
      return facts
    },
    async putBytes(bytes) {
      const digest = await upper.putBytes(bytes)
      written.add(digest)
      return digest
    },
    get: (digest) => holder(digest).get(digest),
    check: (digest, size, options) => holder(digest).check(digest, size, options),
    link: (digest, path) => holder(digest).link(digest, path),
    copy: (digest, path) => holder(digest).copy(digest, path),
    index: {
      get: async (name) => (await upper.index.get(name)) ?? (await lower.index.get(name)),
      set: (name, text) => upper.index.set(name, text),
    },
    sweep: (now) => upper.sweep(now),
  }
}
