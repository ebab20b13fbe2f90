import { join } from 'node:path'
import { sha256 } from '../base/digest.ts'
import { ZenmlError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import { type ArtifactType, artifactType } from '../model/artifact-type.ts'
import type { FeatureKind } from './batch.ts'
import { checkedPath, type FileContents, readPart, writeTree } from './file-tree.ts'
import { jsonText, readVersion1 } from './json-file.ts'

/** A feature that the code of a serving folder looks at. */
export interface ServingFeature {
  readonly name: string
  readonly kind: FeatureKind
  /** Whether a row without it is refused. */
  readonly required: boolean
  /** Whether more than its first value counts. */
  readonly several: boolean
}

/** What a serving folder says of itself. */
export interface ServingManifest {
  readonly version: 1
  readonly model: { readonly format: string; readonly metadata: JsonObject }
  /** What is predicted. */
  readonly label: string
  /** In the order of the probabilities; null where the label is a number. */
  readonly classes: readonly string[] | null
  /** Whether the transform leaves out rows: their prediction is null. */
  readonly drops: boolean
  /** By name, sorted. */
  readonly features: readonly ServingFeature[]
  /** Further features of the schema, which a row may have; they are not looked at. */
  readonly unused: readonly string[]
  /** Versions of the packages whose code is in the folder. */
  readonly packages: { readonly [name: string]: string }
  /** SHA-256 of every other file, by path. */
  readonly files: { readonly [path: string]: string }
}

/** A serving folder as one saves it: all but the digests of the files. */
export interface SavedServing {
  readonly manifest: Omit<ServingManifest, 'version' | 'files'>
  readonly files: { readonly [path: string]: FileContents }
}

/** A serving folder as one gets it. */
export interface LoadedServing {
  readonly directory: string
  readonly manifest: ServingManifest
}

/** The name of the manifest in a serving folder. */
export const servingManifest = 'serving.json'

/**
 * A folder that predicts by itself, with Node alone: model, fitted transform, schema and the code for them. `serving.json` says what it holds; `node
 * serve.mjs` answers requests, and `predict.mjs` is the function.
 *
 * @example
 * const served = async (directory: string): Promise<string> => (await Serving.materializer.load(directory)).manifest.label
 */
export const Serving: ArtifactType<'Serving', SavedServing, LoadedServing> = /* @__PURE__ */ artifactType(
  'Serving',
  {
    save: async ({ manifest, files }: SavedServing, directory: string) => {
      const digests = Object.fromEntries(Object.entries(files).map(([path, contents]) => [path, sha256(contents)]))
      const text = jsonText({ version: 1, ...manifest, files: digests }, 'Serving')
      await writeTree(directory, { ...files, [servingManifest]: `${text}\n` })
    },
    load: async (directory: string) => ({ directory, manifest: await readServing(directory) }),
  },
  'mlmd.Model',
)

/** The manifest of a serving folder, whose files are what it says; throws `ZEN_SERVING_CHANGED` where one is not. */
export async function readServing(directory: string): Promise<ServingManifest> {
  const said = await readVersion1(join(directory, servingManifest), directory, 'Serving')
  const manifest = said as unknown as ServingManifest
  for (const [path, digest] of Object.entries(manifest.files ?? {})) {
    if (sha256(await readPart(join(directory, checkedPath(path)), 'Serving')) === digest) continue
    throw new ZenmlError('ZEN_SERVING_CHANGED', `${path} is not the file that the serving folder was made with.`, {
      facts: { path, digest },
      next: 'Pull the artifact again.',
      exitCode: 1,
    })
  }
  return manifest
}
