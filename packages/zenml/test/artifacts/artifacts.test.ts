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
import { writeView } from '../../src/artifacts/view.ts'
import { canonicalJson } from '../../src/base/canonical.ts'
import { hexOf, sha256 } from '../../src/base/digest.ts'
import { digestOfManifest } from '../../src/model/artifact.ts'

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

it.each([
  [['../../evil']],
  [['/absolute']],
  [['a/../../b']],
  [['a//b']],
  [['./a']],
  [['a\\..\\b']],
  [['a\0']],
  [['a', 'a']],
  [['a', 'a/b/c']],
])('a manifest with the names %j is none, though its digest is right', async (paths) => {
  await store.put('A', files({ a: 'aaa' }))
  const listed = paths.map((path) => ({ path, size: 3, digest: sha256('aaa') }))
  const digest = digestOfManifest({ format: 1, type: 'A', files: listed })
  const storage = localBlobStorage(join(root, 'store'))
  await storage.index.set(hexOf(digest), canonicalJson({ format: 1, type: 'A', files: listed }))
  expect(await store.check(digest)).toEqual({ kind: 'missing', files: [] })
  await expect(store.pull(digest, join(root, 'out'))).rejects.toMatchObject({ code: 'ZEN_ARTIFACT_MISSING' })
  expect(readdirSync(root).filter((name) => !/^(?:store|in-)/.test(name))).toEqual([])
})

it('twenty writers of the same content at once keep it once and leave nothing half-written', async () => {
  const directory = files({ a: 'a', b: new Uint8Array(200_000) })
  const writers = Array.from({ length: 20 }, () => artifactStore(localBlobStorage(join(root, 'store'))))
  const stored = await Promise.all(writers.map((writer) => writer.put('A', directory)))
  expect(new Set(stored.map(({ digest }) => digest)).size).toBe(1)
  expect(await store.check(stored[0]!.digest, { full: true })).toEqual({ kind: 'whole', files: [] })
  expect(readdirSync(join(root, 'store/tmp'))).toEqual([])
})

it.each([
  ['other bytes', (path: string) => writeFileSync(path, new Uint8Array(200_000).fill(1))],
  ['a shorter file', (path: string) => writeFileSync(path, 'x')],
  ['a folder', (path: string) => [rmSync(path), mkdirSync(join(path, 'in'), { recursive: true })]],
  ['a link to nowhere', (path: string) => [rmSync(path), symlinkSync('nowhere', path)]],
])('a blob that became %s is seen, and the next store of the same content mends it', async (_name, damage) => {
  const content = new Uint8Array(200_000)
  const { digest } = await store.put('A', files({ a: content }))
  chmodSync(blobOf(content), 0o644)
  damage(blobOf(content))
  expect((await store.check(digest)).kind).not.toBe('whole')
  expect((await store.put('A', files({ a: content }))).digest).toBe(digest)
  expect(await store.check(digest, { full: true })).toEqual({ kind: 'whole', files: [] })
  expect(statSync(blobOf(content)).mode & 0o777).toBe(0o444)
})

it('a file whose name is no UTF-8 is refused with a reason', async () => {
  const directory = files({ a: 'a' })
  writeFileSync(Buffer.concat([Buffer.from(`${directory}/`), Buffer.from([0xff, 0xfe])]), 'x')
  await expect(store.put('A', directory)).rejects.toMatchObject({ code: 'ZEN_ARTIFACT_FILE' })
})

it('an artifact is pulled into a folder that is named with a slash at its end', async () => {
  const { digest } = await store.put('A', files({ a: 'a' }))
  await store.pull(digest, `${join(root, 'out')}/`)
  expect(readFileSync(join(root, 'out/a'), 'utf8')).toBe('a')
})

it('a view leads out of its folder by no name, and is seen as a whole', async () => {
  const artifact = await store.put('A', files({ 'x/a.txt': 'a' }))
  const view = join(root, 'view')
  await writeView(store, view, { run: 'r1', pipeline: 'p', steps: { s: { o: artifact } } })
  expect(readFileSync(join(view, 'p/latest/s/o/x/a.txt'), 'utf8')).toBe('a')
  for (const [pipeline, run, step, output] of [
    ['../p', 'r2', 's', 'o'],
    ['p', '../r2', 's', 'o'],
    ['p', 'r2', '..', 'o'],
    ['p', 'r2', 's', '../../../o'],
    ['p', '', 's', 'o'],
  ] as const) {
    const hostile = { run, pipeline, steps: { [step]: { [output]: artifact } } }
    await expect(writeView(store, view, hostile)).rejects.toMatchObject({ code: 'ZEN_VIEW_NAME' })
  }
  expect([readdirSync(view), readdirSync(join(view, 'p')).sort()]).toEqual([['p'], ['latest', 'r1']])
  expect(readdirSync(root).filter((name) => !/^(?:store|in-|view)/.test(name))).toEqual([])
})
