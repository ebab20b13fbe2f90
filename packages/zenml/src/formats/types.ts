import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import { type ArtifactType, artifactType } from '../model/artifact-type.ts'
import { loadBySplit, saveBySplit } from './by-split.ts'
import {
  checkedContents,
  checkedPath,
  copyTree,
  type FileContents,
  listTree,
  noArtifact,
  readPart,
  writeTree,
} from './file-tree.ts'
import { jsonText, readJson } from './json-file.ts'
import { printSchema, readSchema, type Schema as SchemaMessage } from './schema-proto.ts'
import { type DatasetFeatureStatisticsList, decodeStatistics, encodeStatistics } from './statistics-proto.ts'
import { strictText } from './text.ts'

/** Statistics by split. */
export interface StatisticsBySplit {
  readonly [split: string]: DatasetFeatureStatisticsList
}

/** Statistics of examples by split, each as `Split-<name>/FeatureStats.pb` as TensorFlow Data Validation writes it. */
export const Statistics: ArtifactType<'Statistics', StatisticsBySplit, StatisticsBySplit> =
  /* @__PURE__ */ artifactType(
    'Statistics',
    {
      save: (statistics: StatisticsBySplit, directory: string) =>
        saveBySplit(statistics, 'FeatureStats.pb', encodeStatistics, directory),
      load: (directory) => loadBySplit(directory, 'FeatureStats.pb', decodeStatistics, 'Statistics'),
    },
    'mlmd.Statistics',
  )

/** What examples must look like: the message itself. */
export type Schema = SchemaMessage

/** What examples must look like, as `schema.pbtxt` in the layout of TensorFlow Data Validation. */
export const Schema: ArtifactType<'Schema', SchemaMessage, SchemaMessage> = /* @__PURE__ */ artifactType('Schema', {
  save: (schema: SchemaMessage, directory: string) => writeFile(join(directory, 'schema.pbtxt'), printSchema(schema)),
  load: (directory) => readSchema(join(directory, 'schema.pbtxt')),
})

/** A trained model as one saves it. */
export interface SavedModel {
  /** What the files are, such as `tfjs-layers`. */
  readonly format: string
  /** What a predictor must know beside the files: feature order, labels … Plain data, nothing that changes from run to run. */
  readonly metadata: JsonObject
  /** By relative path. */
  readonly files: { readonly [path: string]: Uint8Array }
}

/** A trained model as one gets it. */
export interface LoadedModel {
  readonly format: string
  readonly metadata: JsonObject
  /** Where the model's files are. */
  readonly directory: string
  /** The bytes of one of its files. */
  read(path: string): Promise<Uint8Array>
}

/** A trained model: `model.json` says what it is, its own files are below `files/`. */
export const Model: ArtifactType<'Model', SavedModel, LoadedModel> = /* @__PURE__ */ artifactType(
  'Model',
  { save: saveModel, load: loadModel },
  'mlmd.Model',
)

async function saveModel(model: SavedModel, directory: string): Promise<void> {
  const { format, metadata } = model
  const text = jsonText({ format, metadata }, 'Model')
  await mkdir(join(directory, 'files'))
  await writeTree(join(directory, 'files'), model.files)
  await writeFile(join(directory, 'model.json'), `${text}\n`)
}

async function loadModel(directory: string): Promise<LoadedModel> {
  const described = await readJson(join(directory, 'model.json'), directory, 'Model')
  if (!isJsonObject(described) || typeof described['format'] !== 'string' || !isJsonObject(described['metadata'])) {
    throw noArtifact(directory, 'Model', 'model.json does not say format and metadata')
  }
  const files = join(directory, 'files')
  return {
    format: described['format'],
    metadata: described['metadata'],
    directory: files,
    read: (path) => readPart(join(files, checkedPath(path)), 'Model'),
  }
}

/**
 * Any JSON value, as `value.json`: keys sorted, so that equal values are equal bytes. NaN, dates, maps and other things that JSON cannot
 * say are refused with their place (`ZEN_ARTIFACT_VALUE`).
 *
 * @example
 * const count = step({ name: 'count', outputs: { rows: JsonArtifact }, run: () => ({ rows: { train: 250 } }) })
 * await using trial = await runStep(count, { inputs: {} })
 * trial.outputs.rows // { train: 250 }
 */
export const JsonArtifact: ArtifactType<'Json', Json, Json> = /* @__PURE__ */ artifactType('Json', {
  save: async (value: Json, directory: string) =>
    writeFile(join(directory, 'value.json'), `${jsonText(value, 'Json')}\n`),
  load: (directory) => readJson(join(directory, 'value.json'), directory, 'Json'),
})

/**
 * Any bytes, as `bytes.bin`.
 *
 * @example
 * const make = step({ name: 'make', outputs: { data: BytesArtifact }, run: () => ({ data: Uint8Array.of(1, 2) }) })
 * await using trial = await runStep(make, { inputs: {} })
 * trial.outputs.data.length // 2
 */
export const BytesArtifact: ArtifactType<'Bytes', Uint8Array, Uint8Array> = /* @__PURE__ */ artifactType('Bytes', {
  save: async (bytes: Uint8Array, directory: string) =>
    writeFile(join(directory, 'bytes.bin'), checkedContents(bytes, 'bytes.bin')),
  load: (directory) => readPart(join(directory, 'bytes.bin'), 'Bytes'),
})

/**
 * A page for people, as `report.html`: one file that a browser opens.
 *
 * @example
 * const write = step({ name: 'write', outputs: { page: HtmlArtifact }, run: () => ({ page: '<!doctype html><title>Hello</title>' }) })
 * await using trial = await runStep(write, { inputs: {} })
 * trial.outputs.page // '<!doctype html><title>Hello</title>'
 */
export const HtmlArtifact: ArtifactType<'Html', string, string> = /* @__PURE__ */ artifactType('Html', {
  save: async (page: string, directory: string) =>
    writeFile(join(directory, 'report.html'), checkedContents(page, 'report.html')),
  load: async (directory) => {
    const text = strictText(await readPart(join(directory, 'report.html'), 'Html'))
    if (text === undefined) throw noArtifact(directory, 'Html', 'report.html is not UTF-8')
    return text
  },
})

/** Files as one gets them. */
export interface LoadedTree {
  readonly directory: string
  /** Relative paths of all files, sorted. */
  readonly files: readonly string[]
  /** The bytes of one of them. */
  read(path: string): Promise<Uint8Array>
}

/** What a step may return for an output of type FileTree. */
export type SavedTree = string | { readonly [path: string]: FileContents } | LoadedTree

/**
 * Any files. Saved from contents by relative path, from the path of a directory whose files are copied (symbolic links are refused: what
 * they point to is no part of the artifact), or from a tree that the step was given.
 *
 * @example
 * const write = step({
 *   name: 'write',
 *   outputs: { files: FileTree },
 *   run: async ({ context }) => {
 *     await writeFile(join(context.directories.files, 'report.txt'), 'all is well')
 *     return {}
 *   },
 * })
 * await using trial = await runStep(write, { inputs: {} })
 * console.log(trial.directories.files)
 */
export const FileTree: ArtifactType<'FileTree', SavedTree, LoadedTree> = /* @__PURE__ */ artifactType('FileTree', {
  save: saveTree,
  load: async (directory) => ({
    directory,
    files: await listTree(directory, { linked: true }),
    read: (path) => readPart(join(directory, checkedPath(path)), 'FileTree'),
  }),
})

async function saveTree(tree: SavedTree, directory: string): Promise<void> {
  if (typeof tree === 'string') await copyTree(tree, await listTree(tree, { linked: false }), directory)
  else if (isLoaded(tree)) await copyTree(tree.directory, tree.files, directory)
  else await writeTree(directory, tree)
}

/** A function is no contents of a file. */
function isLoaded(tree: Exclude<SavedTree, string>): tree is LoadedTree {
  return typeof tree['read'] === 'function'
}
