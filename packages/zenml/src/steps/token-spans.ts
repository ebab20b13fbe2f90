import { ZenmlError } from '../base/errors.ts'
import type { TransformGraphData } from '../formats/transform-graph.ts'
import { widthOf } from './transform.ts'
import { vocabularyOf } from './transforms/token-ids.ts'

/** Where in a transformed row the ids of a feature's tokens stand. */
export interface TokenSpan {
  readonly feature: string
  /** Index of the first. */
  readonly at: number
  readonly length: number
  /** Every id is below it; 0 is padding. */
  readonly vocabulary: number
}

/**
 * Where a transformed row has ids of tokens, which tell nothing by their size, in the order of the row.
 *
 * @example
 * const tokenizer = { model: { vocab: { '[PAD]': 0, cat: 1 } } }
 * const features = [{ name: 'text', transform: { kind: 'tokens', length: 4, tokenizer } }] as const
 * const spans = tokenSpans({ version: 2, features, label: { name: 'y', transform: { kind: 'number' } } })
 * same(spans, [{ feature: 'text', at: 0, length: 4, vocabulary: 2 }])
 */
export function tokenSpans({ features }: TransformGraphData): TokenSpan[] {
  const spans: TokenSpan[] = []
  let at = 0
  for (const feature of features) {
    const { name, transform } = feature
    if (transform.kind === 'tokens')
      spans.push({ feature: name, at, length: transform.length, vocabulary: vocabularyOf(transform.tokenizer) })
    at += widthOf(feature)
  }
  return spans
}

/** Refuses ids of tokens, for a model that takes every number as an amount. */
export function noTokens(transform: TransformGraphData): void {
  const [span] = tokenSpans(transform)
  if (span === undefined) return
  throw new ZenmlError('ZEN_TRAIN_TOKENS', `The model cannot read the tokens of "${span.feature}".`, {
    facts: { feature: span.feature },
    next: 'Train with "@zenml/tensorflow#train", or take the transform tfidf, ngrams or hashing.',
    exitCode: 1,
  })
}
