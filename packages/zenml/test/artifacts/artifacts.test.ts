import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { type ArtifactStore, artifactStore } from '../../src/artifacts/artifact-store.ts'
import { localBlobStorage } from '../../src/artifacts/local-blob-storage.ts'
import { hexOf, sha256 } from '../../src/base/digest.ts'

let root: string
let store: ArtifactStore
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'zenml-artifacts-'))
  store = artifactStore(localBlobStorage(join(root, 'store')))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function files(contents: { readonly [path: string]: string | Uint8Array }): string {
  const directory = mkdtempSync(join(root, 'in-'))
  for (const [path, content] of Object.entries(contents)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), content)
  }
  return directory
}

function blobOf(content: string | Uint8Array): string {
  const hex = hexOf(sha256(content))
  return join(root, 'store/blobs', hex.slice(0, 2), hex.slice(2))
}

it('an artifact is stored under the digest of its names and contents, read-only, and comes back the same', async () => {
  const artifact = await store.put('FileTree', files({ 'b.txt': 'two', 'a/c.txt': 'one' }))
  expect(artifact.digest).toBe('sha256:44d6501167f8098f5fe249f75f1800a9e9fbe7b57e3135cfda1ebf88c1d908a5')
  expect((await store.manifest(artifact.digest))!.files.map(({ path }) => path)).toEqual(['a/c.txt', 'b.txt'])
  expect(statSync(blobOf('two')).mode & 0o777).toBe(0o444)
  await store.pull(artifact.digest, join(root, 'out'))
  expect(readFileSync(join(root, 'out/a/c.txt'), 'utf8')).toBe('one')
  await store.materialise(artifact.digest, join(root, 'in'))
  expect(readFileSync(join(root, 'in/b.txt'), 'utf8')).toBe('two')
  expect(readdirSync(join(root, 'store/tmp'))).toEqual([])
})

it('the same content is kept once, whatever its names and artifacts', async () => {
  await store.put('A', files({ x: 'same' }))
  await store.put('B', files({ y: 'same', z: 'same' }), { move: true })
  expect(
    readdirSync(join(root, 'store/blobs'), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile()),
  ).toHaveLength(1)
})

it.each([
  ['small', 'a few bytes'],
  ['large', Buffer.alloc(300_000, 7)],
])(
  'a flipped bit of a %s file is seen even when length and times are put back, and storing it again mends it',
  async (_name, content) => {
    const { digest } = await store.put('A', files({ x: content }))
    expect((await store.check(digest)).kind).toBe('whole')
    const blob = blobOf(content)
    const { atime, mtime } = statSync(blob)
    const bytes = readFileSync(blob)
    bytes[3]! ^= 1
    chmodSync(blob, 0o644)
    writeFileSync(blob, bytes)
    utimesSync(blob, atime, mtime)
    chmodSync(blob, 0o444)
    expect(await store.check(digest)).toEqual({ kind: 'damaged', files: ['x'] })
    await expect(store.materialise(digest, join(root, 'in'))).rejects.toMatchObject({ code: 'ZEN_ARTIFACT_DAMAGED' })
    await store.put('A', files({ x: content }))
    expect((await store.check(digest, { full: true })).kind).toBe('whole')
  },
)

it('a deleted file is seen', async () => {
  const { digest } = await store.put('A', files({ x: 'here', y: 'there' }))
  rmSync(blobOf('here'), { force: true })
  expect(await store.check(digest)).toEqual({ kind: 'missing', files: ['x'] })
})

it('links, empty folders and folders that are taken are refused, and nothing is left behind', async () => {
  const linked = files({ x: '1' })
  symlinkSync('/etc/hostname', join(linked, 'link'))
  await expect(store.put('A', linked)).rejects.toMatchObject({ code: 'ZEN_ARTIFACT_FILE' })
  await expect(store.put('A', files({}))).rejects.toMatchObject({ code: 'ZEN_ARTIFACT_EMPTY' })
  const { digest } = await store.put('A', files({ x: '1' }))
  const taken = files({ mine: 'keep' })
  await expect(store.pull(digest, taken)).rejects.toMatchObject({ code: 'ZEN_ARTIFACT_TARGET' })
  expect(readdirSync(taken)).toEqual(['mine'])
})

it('a manifest that was tampered with is no manifest', async () => {
  const { digest } = await store.put('A', files({ x: '1' }))
  const path = join(root, 'store/artifacts', hexOf(digest).slice(0, 2), hexOf(digest).slice(2))
  chmodSync(path, 0o644)
  writeFileSync(path, readFileSync(path, 'utf8').replace('"path":"x"', '"path":"../x"'))
  expect(await store.manifest(digest)).toBeUndefined()
  expect((await store.check(digest)).kind).toBe('missing')
})
