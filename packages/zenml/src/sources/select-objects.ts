import { compareText } from '../base/canonical.ts'
import { ZenmlError } from '../base/errors.ts'
import { isArtifactPath } from '../model/artifact.ts'
import { formatOf } from '../model/datasource-spec.ts'
import { type AnyObjectDatasource, parseObjectUri } from '../model/object-uri.ts'
import { staysInside } from '../model/pipeline-spec.ts'
import { type ObjectStore, type StoredObject, sourceFailure } from './connector.ts'
import { isGlob, isPassedOver, splitGlob } from './glob.ts'

/** An object that is read, and the file that it becomes. */
export interface SelectedObject {
  readonly object: StoredObject
  /** Relative to the folder of the source, as `inner` of a local file is. */
  readonly inner: string
}

/** So many objects are one source at the most: what is known of each is held in memory. */
const mostObjects = 1_000_000

/** Bytes that a file system takes as the name of a file or folder. */
const longestPart = 255

/**
 * Finds the objects of a source as `resolveSource` finds files: one object, a folder (all objects of the format below it), or a glob; in the
 * order of their names' UTF-8 bytes.
 *
 * Throws `ZEN_SOURCE_MISSING` where there is nothing, `ZEN_SOURCE_NAME` for names that cannot be files beside each other, `ZEN_SOURCE_LIMIT` for
 * more than a million objects.
 */
export async function selectObjects(
  store: ObjectStore,
  spec: AnyObjectDatasource,
  signal: AbortSignal,
  /** Waits for a page no longer than a server may be silent. */
  answered: <T>(work: Promise<T>) => Promise<T>,
): Promise<readonly SelectedObject[]> {
  const { path } = parseObjectUri(spec)!
  const selected: SelectedObject[] = []
  const labels = labelsOf(spec)
  if (path !== '' && !path.endsWith('/') && !isGlob(path)) {
    const folder = path.slice(0, path.lastIndexOf('/') + 1)
    const only = path.slice(folder.length)
    for (const inner of new Set([only, labels ?? only])) {
      const object = await answered(store.find(folder + inner, signal))
      if (object === undefined) throw missing(spec, inner === only ? 'There is no object' : `There is no "${inner}"`)
      selected.push({ object, inner })
    }
  } else {
    const { folder, isWanted } = belowFolder(path, spec)
    let hasLabels = labels === undefined
    const pages = store.list(folder, signal)[Symbol.asyncIterator]()
    try {
      for (let page = await answered(pages.next()); page.done !== true; page = await answered(pages.next()))
        for (const object of page.value) {
          if (!object.name.startsWith(folder))
            throw sourceFailure('ZEN_SOURCE_READ', spec, new Error('it lists an object that was not asked for'))
          const inner = object.name.slice(folder.length)
          // What shows a folder in a browser is no file.
          if (object.size === 0 && (inner === '' || inner.endsWith('/'))) continue
          if (inner === labels) hasLabels = true
          else if (isPassedOver(inner) || !isWanted(inner)) continue
          if (selected.push({ object, inner }) > mostObjects) throw tooMany(spec)
        }
    } finally {
      // Not waited for: it may be the page that never came.
      pages.return?.().catch(() => {})
    }
    if (selected.length === 0) throw missing(spec, 'There are no objects')
    if (!hasLabels) throw missing(spec, `There is no "${labels}"`)
  }
  checkNames(selected, spec)
  return selected.sort((a, b) => compareText(a.inner, b.inner))
}

/** What the names below a folder must be like. */
function belowFolder(
  path: string,
  { format }: AnyObjectDatasource,
): { readonly folder: string; readonly isWanted: (inner: string) => boolean } {
  if (!isGlob(path)) return { folder: path, isWanted: (inner) => formatOf(inner) === format }
  const { fixed, matcher } = splitGlob(path)
  return { folder: fixed.map((part) => `${part}/`).join(''), isWanted: (inner) => matcher.test(inner) }
}

/** The file of labels that a source of images names, below its folder. */
function labelsOf({ format, options: { labels }, uri }: AnyObjectDatasource): string | undefined {
  if (format !== 'image' || typeof labels !== 'string') return undefined
  if (staysInside(labels)) return labels
  throw new ZenmlError('ZEN_SOURCE_OPTIONS', `The labels "${labels}" are outside of the folder of ${uri}.`, {
    next: 'Name a file in the folder of the images.',
  })
}

/**
 * Refuses names that are no files beside each other, on this machine or on another one that the snapshot is read on: so the files have the names
 * of the objects, and with them their order, their classes and their paths.
 */
function checkNames(selected: readonly SelectedObject[], spec: AnyObjectDatasource): void {
  const files = new Set(selected.map(({ inner }) => inner))
  if (files.size < selected.length) throw badName(spec, '', 'the service names an object twice')
  const folded = new Map<string, string>()
  for (const { inner } of selected) {
    const parts = inner.split('/')
    if (!isArtifactPath(inner) || !inner.isWellFormed() || [...inner].some((letter) => letter < ' '))
      throw badName(spec, inner, 'it has empty parts, . or .., a backslash or a control character, or is too long')
    if (parts.some((part) => Buffer.byteLength(part) > longestPart))
      throw badName(spec, inner, `a part of it has more than ${longestPart} bytes`)
    for (let end = 1; end <= parts.length; end++) {
      const path = parts.slice(0, end).join('/')
      if (end < parts.length && files.has(path)) throw badName(spec, inner, `"${path}" is an object and a folder`)
      const key = path.normalize('NFC').toLowerCase()
      const other = folded.get(key) ?? path
      if (other !== path)
        throw badName(spec, inner, `it differs from "${other}" only in case or in the form of its letters`)
      folded.set(key, path)
    }
  }
}

function badName(spec: AnyObjectDatasource, name: string, why: string): ZenmlError {
  return new ZenmlError(
    'ZEN_SOURCE_NAME',
    `${spec.uri}: the object ${JSON.stringify(name.slice(0, 300))} cannot be a file: ${why}.`,
    {
      facts: { uri: spec.uri, object: name },
      next: 'Give it another name in the bucket, or leave it out by a glob.',
      exitCode: 1,
    },
  )
}

function missing({ uri }: AnyObjectDatasource, what: string): ZenmlError {
  return new ZenmlError('ZEN_SOURCE_MISSING', `${what} at ${uri}.`, {
    facts: { uri },
    next: 'Mend the URI: a folder ends with /, and holds objects of the format; others are named by a glob.',
    exitCode: 1,
  })
}

function tooMany({ uri }: AnyObjectDatasource): ZenmlError {
  return new ZenmlError('ZEN_SOURCE_LIMIT', `${uri} has more than ${mostObjects} objects.`, {
    facts: { uri, mostObjects },
    next: 'Name fewer by a glob.',
    exitCode: 1,
  })
}
