import type { JsonObject } from '../../base/json.ts'
import { hasWord, wordsOf } from '../values.ts'
import { type TransformFamily, unfit } from './family.ts'
import { idsOf, type TokenizerRules, trainTokenizer, wordSplitter } from './tokenizer.ts'
import { WordCounts } from './word-counts.ts'

/** Ids of the tokens of a row's texts, for a model that reads them in their order; the vocabulary is learned from the texts. */
export interface TokensRequest {
  transform: 'tokens'
  /** `bpe`: byte-pair encoding of bytes, which knows every text. `wordpiece`: pieces of words, as BERT has them. Default bpe. */
  algorithm?: 'bpe' | 'wordpiece' | undefined
  /** Ids a row: further tokens are left out, and missing ones are id 0. Default 128. */
  length?: number | undefined
  /** Tokens that are learned at most, special ones and single letters among them. Default 8000. */
  vocabSize?: number | undefined
  /** A pair that stands less often becomes no token. Default 2. */
  minFrequency?: number | undefined
  /** Whether texts are brought to lower case. Default true. */
  lowercase?: boolean | undefined
  /** Texts that are a token wherever they stand, such as `<url>`. Default none. */
  specialTokens?: string[] | undefined
}

export const tokens: TransformFamily<'tokens', TokensRequest> = {
  takes: 'words',
  per: 'row',
  fit: (request, { name }) => {
    const { algorithm = 'bpe', length = 128, vocabSize = 8000, minFrequency = 2, lowercase = true } = request
    const rules: TokenizerRules = {
      algorithm,
      vocabSize,
      minFrequency,
      lowercase,
      specialTokens: request.specialTokens ?? [],
    }
    const counts = new WordCounts()
    const split = wordSplitter(rules)
    return {
      passes: 1,
      get hasValues() {
        return counts.hasValues
      },
      see: ([column], rows) => {
        if (column === undefined) return
        for (let row = 0; row < rows; row++)
          for (const text of wordsOf(column, row)) for (const word of split(text)) counts.addWord(word)
      },
      finish: () => {
        const tokenizer = trainTokenizer(rules, counts.top(Number.POSITIVE_INFINITY))
        const size = vocabularyOf(tokenizer)
        if (size > vocabSize)
          throw unfit(
            `The letters of the feature "${name}" and the special tokens are ${size} tokens, more than its vocabSize of ${vocabSize}.`,
            `Raise vocabSize above ${size}.`,
          )
        return { kind: 'tokens', length, tokenizer }
      },
    }
  },
  width: ({ length }) => length,
  writer: ({ length, tokenizer }, [column]) => {
    return (row, into, place) => {
      if (column === undefined) return true
      let at = 0
      for (const text of wordsOf(column, row)) {
        if (at === length) break
        const ids = idsOf(tokenizer, text)
        for (let index = 0; index < ids.length && at < length; index++) into[place + at++] = ids[index]!
      }
      return !hasWord(column, row)
    }
  },
}

/** How many tokens a tokenizer has; their ids are below it. */
export function vocabularyOf(tokenizer: JsonObject): number {
  const { vocab } = tokenizer['model'] as { vocab: JsonObject }
  return Object.keys(vocab).length
}
