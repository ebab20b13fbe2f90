import { isUtf8 } from 'node:buffer'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { ArtifactStore } from '../artifacts/artifact-store.ts'
import { type Digest, parseDigest, sha256 } from '../base/digest.ts'
import { systemCode, ZenmlError } from '../base/errors.ts'
import type { StepBundle } from '../code/bundle.ts'
import { git } from '../code/git.ts'
import { type BundleLine, linesOfBundle } from '../fingerprint/bundle-lines.ts'
import { diffBundleLines, diffTexts, linesOf } from '../fingerprint/code-diff.ts'
import type { StepChange } from '../fingerprint/explain.ts'
import { isArtifactPath } from '../model/artifact.ts'
import type { CodeLeaf } from '../model/fingerprint.ts'

/** The code of an execution, as far as it can still be read. */
export interface CodeVersion {
  /** What the bundle holds of its files; undefined where bundle or map are gone, or an older version kept no map. */
  readonly lines: Promise<ReadonlyMap<string, readonly BundleLine[]> | undefined>
  /** A file as it was, proven by its digest; undefined where it is nowhere. */
  read(path: string): Promise<Uint8Array | undefined>
}

/** A change of the code with what shows it. */
export type CodeChange = StepChange & { readonly diff?: string }

/** Larger files are told by their digests only. */
const largestShown = 1 << 20

/**
 * The code of a recorded execution: bundle, map and files named by URL from the artifact store, sources from git objects. Where an
 * earlier execution stands for it, the tree is that one's: comments may have changed since.
 */
export function recordedCode(
  { artifacts, root }: { readonly artifacts: ArtifactStore; readonly root: string },
  code: CodeLeaf,
  treeOf: () => Promise<string | null>,
): CodeVersion {
  let lines: CodeVersion['lines'] | undefined
  let tree: Promise<string | null> | undefined
  return {
    get lines() {
      lines ??= recordedLines(artifacts, code)
      return lines
    },
    async read(path) {
      const digest = Object.hasOwn(code.files, path) ? code.files[path]! : undefined
      if (digest === undefined) return undefined
      const kept = await wholeBlob(artifacts, digest)
      if (kept !== undefined) return kept
      tree ??= treeOf()
      return await fromGit(root, await tree, path, digest)
    },
  }
}

/** The code of a step that is about to run: from the plan and the working tree. */
export function presentCode(root: string, bundle: StepBundle): CodeVersion {
  return {
    lines: Promise.resolve(linesOfBundle(bundle.text, bundle.map)),
    async read(path) {
      const digest = bundle.files[path]
      if (digest === undefined) return undefined
      try {
        const bytes = await readFile(join(root, ...path.split('/')))
        return sha256(bytes) === digest ? bytes : undefined
      } catch (error) {
        // Removed since it was bundled; the generated lines are shown then.
        if (systemCode(error) === 'ENOENT') return undefined
        throw error
      }
    },
  }
}

/**
 * Adds a unified diff to each changed file, and leaves out the files of which nothing that counts changed (comments, formatting,
 * other steps), unless nothing else explains the change.
 */
export async function showCodeChanges(
  changes: readonly StepChange[],
  before: CodeVersion,
  after: CodeVersion,
): Promise<CodeChange[]> {
  const shown = await Promise.all(
    changes.map(async (change): Promise<{ change: CodeChange; silent: boolean }> => {
      if (change.field !== 'code' || change.imports === undefined) return { change, silent: false }
      const diff = await diffOfFile(change.path, before, after)
      if (diff.kind === 'text') return { change: { ...change, diff: diff.text }, silent: false }
      return { change, silent: diff.kind === 'same' }
    }),
  )
  const telling = shown.some(({ change, silent }) => change.field === 'code' && !silent)
  return shown.filter(({ silent }) => !silent || !telling).map(({ change }) => change)
}

type FileDiff =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'same' }
  | { readonly kind: 'unknown' }

async function diffOfFile(path: string, before: CodeVersion, after: CodeVersion): Promise<FileDiff> {
  const [left, right, first, second] = await Promise.all([
    before.lines,
    after.lines,
    textOf(before, path),
    textOf(after, path),
  ])
  const [held, holds] = [left?.get(path), right?.get(path)]
  const known = left !== undefined && right !== undefined
  const told = (text: string | undefined): FileDiff => (text === undefined ? { kind: 'same' } : { kind: 'text', text })
  if (known && (held !== undefined || holds !== undefined)) {
    const side = (lines: readonly BundleLine[] | undefined, text: FileText) => ({
      lines: lines ?? [],
      source: text.kind === 'text' ? linesOf(text.text) : undefined,
    })
    return told(await diffBundleLines(path, side(held, first), side(holds, second)))
  }
  if (first.kind === 'unreadable' || second.kind === 'unreadable') return { kind: 'unknown' }
  if (first.kind === 'none' && second.kind === 'none') return { kind: 'unknown' }
  const text = (found: FileText): string | undefined => (found.kind === 'text' ? found.text : undefined)
  return told(await diffTexts(path, text(first), text(second)))
}

/** A file's text; `none` where nothing of it can be had, `unreadable` where it is no text or too long to be shown. */
type FileText =
  | { readonly kind: 'text'; readonly text: string }
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable' }

async function textOf(version: CodeVersion, path: string): Promise<FileText> {
  const bytes = await version.read(path)
  if (bytes === undefined) return { kind: 'none' }
  if (bytes.length > largestShown || !isUtf8(bytes) || bytes.includes(0)) return { kind: 'unreadable' }
  return { kind: 'text', text: Buffer.from(bytes).toString('utf8') }
}

async function recordedLines(
  artifacts: ArtifactStore,
  { digest, map }: CodeLeaf,
): Promise<ReadonlyMap<string, readonly BundleLine[]> | undefined> {
  if (map === undefined) return undefined
  const [manifest, mapBytes] = await Promise.all([wholeBlob(artifacts, digest), wholeBlob(artifacts, map)])
  if (manifest === undefined || mapBytes === undefined) return undefined
  const textDigest = textDigestOf(manifest)
  const text = textDigest === undefined ? undefined : await wholeBlob(artifacts, textDigest)
  return text === undefined
    ? undefined
    : linesOfBundle(Buffer.from(text).toString('utf8'), Buffer.from(mapBytes).toString('utf8'))
}

/** The digest of the text that a bundle's manifest names; undefined where it is no manifest: records and stores are not trusted. */
function textDigestOf(manifest: Uint8Array): Digest | undefined {
  try {
    return parseDigest((JSON.parse(Buffer.from(manifest).toString('utf8')) as { text: string }).text)
  } catch {
    return undefined
  }
}

/** A blob whose bytes are what its name says. */
async function wholeBlob(artifacts: ArtifactStore, digest: Digest): Promise<Uint8Array | undefined> {
  const bytes = await artifacts.getBlob(parseDigest(digest))
  return bytes !== undefined && sha256(bytes) === digest ? bytes : undefined
}

/** A file of a tree in the project's repository, where that is what the run read; line ends as a checkout may have made them. */
async function fromGit(
  root: string,
  tree: string | null,
  path: string,
  digest: Digest,
): Promise<Uint8Array | undefined> {
  // Tree and path come from the store.
  if (tree === null || !/^[0-9a-f]{40}(?:[0-9a-f]{24})?$/.test(tree) || !isArtifactPath(path)) return undefined
  try {
    // Never fetched for the sake of an explanation.
    const env = { GIT_NO_LAZY_FETCH: '1' }
    const prefix = (await git(root, ['rev-parse', '--show-prefix'], { env })).trim()
    const submodule = await submoduleOf(root, tree, prefix, path, env)
    if (submodule !== undefined)
      return await fromGit(join(root, submodule.folder), submodule.commit, submodule.path, digest)
    const text = await git(root, ['cat-file', 'blob', `${tree}:${prefix}${path}`], { env })
    return [text, text.replace(/\r?\n/g, '\r\n')]
      .map((version) => Buffer.from(version))
      .find((bytes) => sha256(bytes) === digest)
  } catch (error) {
    // No repository, no git, or the objects are elsewhere: the generated lines are shown then.
    if (error instanceof ZenmlError) return undefined
    throw error
  }
}

/** The submodule that a path of a tree leads into, the commit that the tree names of it, and the rest of the path. */
async function submoduleOf(
  root: string,
  tree: string,
  prefix: string,
  path: string,
  env: { readonly [name: string]: string },
): Promise<{ readonly folder: string; readonly commit: string; readonly path: string } | undefined> {
  const parts = path.split('/')
  const folders = parts.slice(1).map((_, index) => parts.slice(0, index + 1).join('/'))
  if (folders.length === 0) return undefined
  const places = folders.map((folder) => `${prefix}${folder}`)
  const listed = (await git(root, ['ls-tree', '-z', '--full-tree', tree, '--', ...places], { env })).split('\0')
  for (const [index, place] of places.entries()) {
    const link = listed.map((entry) => /^160000 commit (\w+)\t(.*)$/s.exec(entry)).find((found) => found?.[2] === place)
    const folder = folders[index]!
    if (link?.[1] !== undefined) return { folder, commit: link[1], path: path.slice(folder.length + 1) }
  }
  return undefined
}
