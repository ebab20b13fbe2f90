import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ArtifactType, artifactType } from '../model/artifact-type.ts'
import { jsonText, readVersion1 } from './json-file.ts'

/** How one feature becomes numbers; `fill` stands for a missing value. */
export type FeatureTransform =
  /** (x - mean) / deviation; 0 where the deviation is 0. */
  | { readonly kind: 'zscore'; readonly fill: number; readonly mean: number; readonly deviation: number }
  /** (x - min) / (max - min); 0 where both are equal. Values outside of the range go outside of [0, 1]. */
  | { readonly kind: 'minmax'; readonly fill: number; readonly min: number; readonly max: number }
  | { readonly kind: 'passthrough'; readonly fill: number }
  /** One number a word, 1 for the word of the row; the last is for words that were not seen in fitting. */
  | { readonly kind: 'onehot'; readonly fill: string | null; readonly words: readonly string[] }
  /** Index of the word; `words.length` for one that was not seen in fitting. */
  | { readonly kind: 'vocabulary'; readonly fill: string | null; readonly words: readonly string[] }
  /** One number a bucket: bucket b holds boundaries[b - 1] <= x < boundaries[b]. */
  | { readonly kind: 'bucketize'; readonly fill: number; readonly boundaries: readonly number[] }

/** How the label becomes a number: the index of its class, or its value. */
export type LabelTransform =
  | { readonly kind: 'class'; readonly classes: readonly string[] }
  | { readonly kind: 'number' }

/** A fitted transform: the same for training, evaluation and serving. */
export interface TransformGraphData {
  readonly version: 1
  /** In the order of the numbers that they give. */
  readonly features: readonly { readonly name: string; readonly transform: FeatureTransform }[]
  readonly label: { readonly name: string; readonly transform: LabelTransform }
}

/** A fitted transform as an artifact: `transform.json`. */
export const TransformGraph: ArtifactType<'TransformGraph', TransformGraphData, TransformGraphData> =
  /* @__PURE__ */ artifactType('TransformGraph', {
    save: async (graph: TransformGraphData, directory: string) =>
      writeFile(join(directory, 'transform.json'), jsonText(graph, 'TransformGraph')),
    load: async (directory: string) =>
      (await readVersion1(
        join(directory, 'transform.json'),
        directory,
        'TransformGraph',
      )) as unknown as TransformGraphData,
  })
