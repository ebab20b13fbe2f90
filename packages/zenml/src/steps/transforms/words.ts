import { compareText } from '../../base/canonical.ts'
import { hasWord, wordOf, wordsOf } from '../values.ts'
import { eachValue, type FeatureToFit, type Fit, type TransformFamily, type TransformOf } from './family.ts'
import { indexOf, WordCounts } from './word-counts.ts'

interface WordRequest {
  /** A word, or `mode`: the most frequent one. Default: none. */
  fill?: number | string | undefined
  /** Only the most frequent words. Default 1000. */
  maxWords?: number | undefined
}

/** One number a word, and one for words that were not seen. */
export interface OnehotRequest extends WordRequest {
  transform: 'onehot'
}

/** Index of the word; the number of words for one that was not seen. */
export interface VocabularyRequest extends WordRequest {
  transform: 'vocabulary'
}

/** One number a word, 1 for each word of a row with several values, and one for words that were not seen. */
export interface MultihotRequest {
  transform: 'multihot'
  /** Only the most frequent words. Default 1000. */
  maxWords?: number | undefined
}

function fitWords<T extends TransformOf<'onehot' | 'vocabulary' | 'multihot'>>(
  { values }: Pick<FeatureToFit, 'values'>,
  maxWords: number,
  finish: (words: string[], mostFrequent: string | null) => T,
): Fit<T> {
  const counts = new WordCounts()
  return {
    passes: 1,
    get hasValues() {
      return counts.hasValues
    },
    see: ([column], rows) => {
      eachValue(column, rows, values, (from, value) => counts.addValue(from, value))
    },
    finish: () => {
      const ranked = counts.top(maxWords).map(({ word }) => word)
      return finish([...ranked].sort(compareText), ranked[0] ?? null)
    },
  }
}

function filled(fill: WordRequest['fill'], mode: string | null): string | null {
  return fill === undefined ? null : fill === 'mode' ? mode : String(fill)
}

export const onehot: TransformFamily<'onehot', OnehotRequest> = {
  takes: 'words',
  per: 'value',
  fit: ({ fill, maxWords = 1000 }, feature) =>
    fitWords(feature, maxWords, (words, mode) => ({ kind: 'onehot', fill: filled(fill, mode), words })),
  width: ({ words }) => words.length + 1,
  writer: ({ fill, words }, [column]) => {
    const index = indexOf(words)
    return (value, into, place) => {
      const word = wordOf(column, value)
      const counts = word ?? fill
      if (counts !== null) into[place + (index.get(counts) ?? words.length)] = 1
      return word === undefined
    }
  },
}

export const vocabulary: TransformFamily<'vocabulary', VocabularyRequest> = {
  takes: 'words',
  per: 'value',
  fit: ({ fill, maxWords = 1000 }, feature) =>
    fitWords(feature, maxWords, (words, mode) => ({ kind: 'vocabulary', fill: filled(fill, mode), words })),
  width: () => 1,
  writer: ({ fill, words }, [column]) => {
    const index = indexOf(words)
    return (value, into, place) => {
      const word = wordOf(column, value)
      const counts = word ?? fill
      into[place] = counts === null ? words.length : (index.get(counts) ?? words.length)
      return word === undefined
    }
  },
}

export const multihot: TransformFamily<'multihot', MultihotRequest> = {
  takes: 'words',
  per: 'row',
  fit: ({ maxWords = 1000 }) =>
    fitWords({ values: Number.POSITIVE_INFINITY }, maxWords, (words) => ({ kind: 'multihot', words })),
  width: ({ words }) => words.length + 1,
  writer: ({ words }, [column]) => {
    const index = indexOf(words)
    return (row, into, place) => {
      if (column === undefined) return true
      for (const word of wordsOf(column, row)) into[place + (index.get(word) ?? words.length)] = 1
      return !hasWord(column, row)
    }
  },
}
