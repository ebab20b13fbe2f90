import type { FeatureTransform } from '../../formats/transform-graph.ts'
import type { FeatureToFit, Fit, Inputs, TransformFamily, TransformKind, Write } from './family.ts'
import { hashing } from './hashing.ts'
import { image } from './image.ts'
import { bucketize, minmax, passthrough, scaleTo01, zscore } from './numbers.ts'
import { pca } from './pca.ts'
import type { TransformRequest } from './requests.ts'
import { ngrams, tfidf } from './text.ts'
import { tokens } from './token-ids.ts'
import { multihot, onehot, vocabulary } from './words.ts'

type RequestOf<K extends TransformKind> = Extract<TransformRequest, { transform: K }>

const families: { readonly [K in TransformKind]: TransformFamily<K, RequestOf<K>> } = {
  zscore,
  minmax,
  scale_to_0_1: scaleTo01,
  passthrough,
  bucketize,
  onehot,
  vocabulary,
  multihot,
  hashing,
  ngrams,
  tfidf,
  tokens,
  pca,
  image,
}

/** A family without its type: it must be given its own requests and transforms, which its kind picks. */
interface AnyFamily {
  readonly takes: TransformFamily<TransformKind, never>['takes']
  readonly per: TransformFamily<TransformKind, never>['per']
  fit(request: TransformRequest, feature: FeatureToFit): Fit<FeatureTransform>
  width(transform: FeatureTransform): number
  writer(transform: FeatureTransform, inputs: Inputs): Write
}

/** The family of a kind of transform. */
export function familyOf(kind: TransformKind): AnyFamily {
  return families[kind] as unknown as AnyFamily
}
