import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { isJsonObject, type JsonObject } from '../base/json.ts'
import { type ArtifactType, artifactType } from '../model/artifact-type.ts'
import { noArtifact } from './file-tree.ts'
import { jsonText, readVersions } from './json-file.ts'

/** How one feature becomes numbers; `fill` stands for a missing value. Version 1 has those up to `bucketize`, version 2 all. */
export type FeatureTransform =
  /** (x - mean) / deviation; 0 where the deviation is 0. */
  | { readonly kind: 'zscore'; readonly fill: number; readonly mean: number; readonly deviation: number }
  /** (x - min) / (max - min); 0 where both are equal. Values outside of the range go outside of [0, 1]. `range` (version 2) takes the place of [0, 1]. */
  | {
      readonly kind: 'minmax'
      readonly fill: number
      readonly min: number
      readonly max: number
      readonly range?: readonly [low: number, high: number]
    }
  | { readonly kind: 'passthrough'; readonly fill: number }
  /** One number a word, 1 for the word of the row; the last is for words that were not seen in fitting. */
  | { readonly kind: 'onehot'; readonly fill: string | null; readonly words: readonly string[] }
  /** Index of the word; `words.length` for one that was not seen in fitting. */
  | { readonly kind: 'vocabulary'; readonly fill: string | null; readonly words: readonly string[] }
  /** One number a bucket: bucket b holds boundaries[b - 1] <= x < boundaries[b]. */
  | { readonly kind: 'bucketize'; readonly fill: number; readonly boundaries: readonly number[] }
  /** As minmax, but values outside of the range become 0 or 1. */
  | { readonly kind: 'scale_to_0_1'; readonly fill: number; readonly min: number; readonly max: number }
  /** One number a word, 1 for each word of the row; the last is for words that were not seen in fitting. */
  | { readonly kind: 'multihot'; readonly words: readonly string[] }
  /** One number a bucket: how many of the row's words (or tokens of its texts) have MurmurHash3 (x86, 32 bits, seed 0) modulo buckets. */
  | { readonly kind: 'hashing'; readonly buckets: number; readonly tokens: boolean }
  /** One number an n-gram: how often the row's texts have it. */
  | ({ readonly kind: 'ngrams' } & NgramRule)
  /** One number an n-gram: its count times idf, and the row brought to length 1 where `norm` is l2. */
  | ({ readonly kind: 'tfidf'; readonly idf: readonly number[]; readonly norm: 'l2' | 'none' } & NgramRule)
  /** So many ids of the tokens of the row's texts, with 0 where there are no more. */
  | {
      readonly kind: 'tokens'
      readonly length: number
      /** As in `tokenizer.json` of Hugging Face tokenizers; id 0 is that of padding. */
      readonly tokenizer: JsonObject
    }
  /** One number a component: the sum of (x - mean) / scale times the component's weight, over the inputs. */
  | {
      readonly kind: 'pca'
      readonly inputs: readonly string[]
      /** By input; stands for a missing value too. */
      readonly means: readonly number[]
      readonly scales: readonly number[]
      /** Weights by input, the component of the greatest variance first. */
      readonly components: readonly (readonly number[])[]
      readonly variances: readonly number[]
    }
  /** Pixels of an image row after row, channel after channel within a pixel: (x / 255 - mean) / deviation by channel. */
  | {
      readonly kind: 'image'
      readonly height: number
      readonly width: number
      readonly channels: 1 | 3
      readonly mean: readonly number[]
      readonly deviation: readonly number[]
    }

/** Which n-grams there are, and how a text has them. */
export interface NgramRule {
  /** Least and greatest number of tokens, or of characters. */
  readonly sizes: readonly [least: number, most: number]
  readonly level: 'word' | 'character'
  /** The n-grams, in the order of their numbers. */
  readonly words: readonly string[]
}

/** A feature of a fitted transform. */
export interface FittedFeature {
  /** Of the feature, or of what is made of several (pca). */
  readonly name: string
  readonly transform: FeatureTransform
  /** So many values of a row count, each with numbers of its own. Default 1. */
  readonly values?: number
  /** What becomes of a row that lacks a value, beside filling: a last number that says so, an error, or the row is left out. */
  readonly missing?: 'indicator' | 'error' | 'drop'
}

/** How the label becomes a number: the index of its class, or its value. */
export type LabelTransform =
  | { readonly kind: 'class'; readonly classes: readonly string[] }
  | { readonly kind: 'number' }

/** A label of a fitted transform. */
export interface FittedLabel {
  readonly name: string
  readonly transform: LabelTransform
}

/** A fitted transform: the same for training, evaluation and serving. */
export interface TransformGraphData {
  readonly version: 1 | 2
  /** In the order of the numbers that they give. */
  readonly features: readonly FittedFeature[]
  readonly label: FittedLabel
  /** Labels beside the first. */
  readonly otherLabels?: readonly FittedLabel[]
}

const kinds: { readonly [K in FeatureTransform['kind']]: true } = {
  zscore: true,
  minmax: true,
  passthrough: true,
  onehot: true,
  vocabulary: true,
  bucketize: true,
  scale_to_0_1: true,
  multihot: true,
  hashing: true,
  ngrams: true,
  tfidf: true,
  tokens: true,
  pca: true,
  image: true,
}

/** A fitted transform as an artifact: `transform.json`. Version 2 is written where it is given, and version 1 is read as well. */
export const TransformGraph: ArtifactType<'TransformGraph', TransformGraphData, TransformGraphData> =
  /* @__PURE__ */ artifactType('TransformGraph', {
    save: async (graph: TransformGraphData, directory: string) =>
      writeFile(join(directory, 'transform.json'), jsonText(graph, 'TransformGraph')),
    load: loadGraph,
  })

async function loadGraph(directory: string): Promise<TransformGraphData> {
  const path = join(directory, 'transform.json')
  const graph = await readVersions(path, directory, 'TransformGraph', [1, 2])
  const { features, label } = graph
  if (!Array.isArray(features) || !isJsonObject(label))
    throw noArtifact(directory, 'TransformGraph', `${path} does not say features and label`)
  for (const feature of features) {
    const transform = isJsonObject(feature) ? feature['transform'] : undefined
    const kind = isJsonObject(transform) ? transform['kind'] : undefined
    if (typeof kind !== 'string' || !Object.hasOwn(kinds, kind))
      throw noArtifact(
        directory,
        'TransformGraph',
        `${path} has a transform ${JSON.stringify(kind ?? null)}, which this zenml does not know`,
      )
  }
  return graph as unknown as TransformGraphData
}
