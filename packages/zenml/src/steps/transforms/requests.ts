import * as z from 'zod'
import type { HashingRequest } from './hashing.ts'
import type { ImageRequest } from './image.ts'
import type { BucketizeRequest, MinmaxRequest, PassthroughRequest, ScaleTo01Request, ZscoreRequest } from './numbers.ts'
import type { PcaRequest } from './pca.ts'
import type { NgramsRequest, TfidfRequest } from './text.ts'
import type { TokensRequest } from './token-ids.ts'
import type { MultihotRequest, OnehotRequest, VocabularyRequest } from './words.ts'

/** A transform with its options. */
export type TransformRequest =
  | ValueRequest
  | MultihotRequest
  | HashingRequest
  | NgramsRequest
  | TfidfRequest
  | TokensRequest
  | PcaRequest
  | ImageRequest

/** Transforms that are applied to each value of a row by itself. */
type ValueRequest =
  | ZscoreRequest
  | MinmaxRequest
  | ScaleTo01Request
  | PassthroughRequest
  | BucketizeRequest
  | OnehotRequest
  | VocabularyRequest

/** What every feature may ask. */
interface CommonRequest {
  /**
   * What becomes of a row that lacks a value. `fill` (default; of images error): see the transform. `indicator`: it is filled, and a last number is 1.
   * `error`: the row is refused, in serving too. `drop`: the row is left out.
   */
  missing?: 'fill' | 'indicator' | 'error' | 'drop' | undefined
}

interface SeveralValues {
  /** So many values of a row count, each with numbers of its own; the rest is filled. Default 1: the first. */
  values?: number | undefined
}

/** What one asks for a feature. */
export type FeatureRequest = (TransformRequest & CommonRequest) &
  ((ValueRequest & SeveralValues) | Exclude<TransformRequest, ValueRequest>)

const missing = z.enum(['fill', 'indicator', 'error', 'drop']).optional()
const common = { missing, values: z.int().min(1).max(10_000).optional() }
const number = { ...common, fill: z.union([z.number(), z.enum(['mean', 'median', 'min', 'max'])]).optional() }
const maxWords = z.int().min(1).max(100_000).optional()
const word = { ...common, fill: z.union([z.number(), z.string()]).optional(), maxWords }
const pair = (part: z.ZodNumber): z.ZodTuple<[z.ZodNumber, z.ZodNumber]> => z.tuple([part, part])
const text = {
  missing,
  sizes: pair(z.int().min(1).max(20))
    .refine(([least, most]) => least <= most, 'the least size comes first')
    .optional(),
  level: z.enum(['word', 'character']).optional(),
  maxWords,
}
const size = z.int().min(1).max(4096)
const names = z.array(z.string()).min(1).max(256)

/** What one asks for a feature, as a parameter. */
export const featureRequest: z.ZodType<FeatureRequest, FeatureRequest> = z.discriminatedUnion(
  'transform',
  [
    z.strictObject({ transform: z.literal('zscore'), ...number }),
    z.strictObject({
      transform: z.literal('minmax'),
      ...number,
      range: pair(z.number())
        .refine(([low, high]) => low < high, 'the lower end comes first')
        .optional(),
    }),
    z.strictObject({ transform: z.literal('scale_to_0_1'), ...number }),
    z.strictObject({ transform: z.literal('passthrough'), ...number }),
    z.strictObject({ transform: z.literal('bucketize'), ...number, buckets: z.int().min(2).max(1000).optional() }),
    z.strictObject({ transform: z.literal('onehot'), ...word }),
    z.strictObject({ transform: z.literal('vocabulary'), ...word }),
    z.strictObject({ transform: z.literal('multihot'), missing, maxWords }),
    z.strictObject({
      transform: z.literal('hashing'),
      missing,
      buckets: z.int().min(2).max(65_536).optional(),
      tokens: z.boolean().optional(),
    }),
    z.strictObject({ transform: z.literal('ngrams'), ...text }),
    z.strictObject({ transform: z.literal('tfidf'), ...text, norm: z.enum(['l2', 'none']).optional() }),
    z.strictObject({
      transform: z.literal('tokens'),
      missing,
      algorithm: z.enum(['bpe', 'wordpiece']).optional(),
      length: z.int().min(1).max(65_536).optional(),
      vocabSize: z.int().min(2).max(200_000).optional(),
      minFrequency: z.int().min(1).optional(),
      lowercase: z.boolean().optional(),
      specialTokens: z
        .array(
          z
            .string()
            .min(1)
            .max(100)
            .refine((token) => token !== '[PAD]' && token !== '[UNK]', 'is there already'),
        )
        .max(1000)
        .refine((given) => new Set(given).size === given.length, 'a token stands twice')
        .optional(),
    }),
    z.strictObject({
      transform: z.literal('pca'),
      missing,
      features: names.refine((features) => new Set(features).size === features.length, 'a feature stands twice'),
      components: z.int().min(1).max(256).optional(),
      standardize: z.boolean().optional(),
    }),
    z.strictObject({
      transform: z.literal('image'),
      missing,
      height: size,
      width: size,
      channels: z.union([z.literal(1), z.literal(3)]).optional(),
      normalise: z
        .union([
          z.enum(['unit', 'signed']),
          z.strictObject({ mean: z.array(z.number()), deviation: z.array(z.number().positive()) }),
        ])
        .optional(),
    }),
  ],
  {
    error: ({ options }) =>
      `one of ${Array.isArray(options) ? options.join(', ') : 'the transforms'} is needed as "transform"`,
  },
) as z.ZodType<FeatureRequest, FeatureRequest>
