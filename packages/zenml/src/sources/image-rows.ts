import { readFile } from 'node:fs/promises'
import { compareText } from '../base/canonical.ts'
import { messageOf, ZenmlError } from '../base/errors.ts'
import type { ExampleBatch, FeatureKind } from '../formats/batch.ts'
import type { SourceFile } from '../model/source-files.ts'
import { channelsOf, type ImageHeader, readImageHeader } from './image-header.ts'
import { type ImageLabels, readLabels } from './image-labels.ts'
import type { KindsSoFar } from './kinds.ts'
import type { Row } from './row.ts'
import { SizedRows } from './sized-rows.ts'

/** How images become rows. */
export interface ImageOptions {
  /** A CSV file in the folder of the images, with the column `path` and others, such as `label`. Default: the first folder is the label. */
  readonly labels?: string
}

/** What every image has. */
const imageKinds: { readonly [feature: string]: FeatureKind } = {
  image: 'bytes',
  path: 'bytes',
  width: 'int',
  height: 'int',
  channels: 'int',
  mode: 'bytes',
  format: 'bytes',
}

/** Bytes of an image that is read, so that memory stays bounded. */
const largestImage = 128 << 20

/** The features of a source of images: what every image has, and what its labels say. */
export async function findImageKinds(
  files: readonly SourceFile[],
  { labels }: ImageOptions,
  signal: AbortSignal | undefined,
): Promise<KindsSoFar> {
  const kinds = new Map<string, FeatureKind | undefined>(Object.entries(imageKinds))
  if (labels !== undefined) {
    const found = await readLabels(files, labels, new Set(kinds.keys()), signal)
    for (const [name, kind] of found.kinds) kinds.set(name, kind)
  } else if (files.some(({ inner }) => inner.includes('/'))) kinds.set('label', 'bytes')
  return kinds
}

/**
 * Reads images as batches: a row a file, its bytes as they are. Throws `ZEN_SOURCE_IMAGE` for a file that is no whole image, `ZEN_SOURCE_LIMIT` for
 * one of more than 128 MiB, `ZEN_SOURCE_LABELS` where images and labels do not fit together.
 */
export async function* readImages(
  files: readonly SourceFile[],
  { labels }: ImageOptions,
  kinds: ReadonlyMap<string, FeatureKind>,
  batchSize: number,
  signal: AbortSignal | undefined,
): AsyncGenerator<ExampleBatch> {
  const given =
    labels === undefined ? undefined : await readLabels(files, labels, new Set(Object.keys(imageKinds)), signal)
  const images = files.filter(({ inner }) => inner !== labels)
  if (given !== undefined) checkLabels(images, given, labels!)
  const gathered = new SizedRows(kinds, batchSize)
  for (const file of images) {
    signal?.throwIfAborted()
    const bytes = await readImage(file)
    const { format, width, height, mode } = headerOf(file, bytes)
    const row = { image: bytes, path: file.inner, width, height, channels: channelsOf[mode], mode, format }
    const full = gathered.add({ ...row, ...(given?.rows.get(file.inner) ?? folderLabel(file)) }, bytes.length)
    if (full !== undefined) yield full
  }
  const rest = gathered.rest()
  if (rest !== undefined) yield rest
}

function folderLabel({ inner }: SourceFile): Row {
  const end = inner.indexOf('/')
  return end < 0 ? {} : { label: inner.slice(0, end) }
}

async function readImage({ name, path, size }: SourceFile): Promise<Uint8Array> {
  if (size > largestImage)
    throw new ZenmlError('ZEN_SOURCE_LIMIT', `${name} has ${size} bytes, more than 128 MiB.`, {
      facts: { file: name, size },
      next: 'Make the image smaller, or leave it out.',
      exitCode: 1,
    })
  try {
    return await readFile(path)
  } catch (error) {
    throw new ZenmlError('ZEN_SOURCE_READ', `${name} cannot be read: ${messageOf(error)}.`, {
      cause: error,
      exitCode: 1,
    })
  }
}

function headerOf({ name }: SourceFile, bytes: Uint8Array): ImageHeader {
  try {
    return readImageHeader(bytes)
  } catch (error) {
    throw new ZenmlError('ZEN_SOURCE_IMAGE', `${name} is no whole image: ${messageOf(error)}.`, {
      facts: { file: name },
      next: 'Mend it or take it away, or name the images otherwise (path may be a glob).',
      exitCode: 1,
      cause: error,
    })
  }
}

/** Each image has its labels, and the other way round. */
function checkLabels(images: readonly SourceFile[], { rows }: ImageLabels, labels: string): void {
  const paths = new Set(images.map(({ inner }) => inner))
  const without = images.find(({ inner }) => !rows.has(inner))
  const [gone] = [...rows.keys()].filter((path) => !paths.has(path)).sort(compareText)
  if (without === undefined && gone === undefined) return
  throw new ZenmlError(
    'ZEN_SOURCE_LABELS',
    without === undefined
      ? `${labels} has labels for ${gone}, which is none of the images.`
      : `${labels} has no row for ${without.inner}.`,
    {
      facts: { labels, path: without?.inner ?? gone! },
      next: 'Give each image one row; an empty cell is a missing label.',
      exitCode: 1,
    },
  )
}
