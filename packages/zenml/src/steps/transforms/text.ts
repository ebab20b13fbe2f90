import { compareText } from '../../base/canonical.ts'
import type { Column } from '../../formats/batch.ts'
import type { NgramRule } from '../../formats/transform-graph.ts'
import { hasWord, wordsOf } from '../values.ts'
import { type Fit, type TransformFamily, type TransformOf, unfit } from './family.ts'
import { ngramsOf } from './tokens.ts'
import { indexOf, WordCounts } from './word-counts.ts'

interface TextRequest {
  /** Least and greatest size of an n-gram. Default [1, 1]. */
  sizes?: [least: number, most: number] | undefined
  /** Whether n-grams are of words or of characters. Default word. */
  level?: 'word' | 'character' | undefined
  /** Only the n-grams that most rows have (tfidf), or that stand most often (ngrams). Default 1000. */
  maxWords?: number | undefined
}

/** Counts of n-grams. */
export interface NgramsRequest extends TextRequest {
  transform: 'ngrams'
}

/** Counts of n-grams, weighted by how few rows have them. */
export interface TfidfRequest extends TextRequest {
  transform: 'tfidf'
  /** l2: each row has length 1, unless it has none of the n-grams. Default l2. */
  norm?: 'l2' | 'none' | undefined
}

/** The n-grams of all texts of a row; none goes from one text into the next. */
function* rowNgrams(
  column: Column,
  row: number,
  { level, sizes }: Pick<NgramRule, 'level' | 'sizes'>,
): Generator<string, void, undefined> {
  for (const text of wordsOf(column, row)) yield* ngramsOf(text, level, sizes)
}

/** Counts n-grams: each time that they stand, or each row that has them. */
function fitText<T extends TransformOf<'ngrams' | 'tfidf'>>(
  name: string,
  { sizes = [1, 1], level = 'word', maxWords = 1000 }: TextRequest,
  perRow: boolean,
  finish: (rule: NgramRule, counts: readonly number[], rows: number) => T,
): Fit<T> {
  const counts = new WordCounts()
  let texts = 0
  return {
    passes: 1,
    get hasValues() {
      return texts > 0
    },
    see: ([column], rows) => {
      if (column === undefined) return
      for (let row = 0; row < rows; row++) {
        if (!hasWord(column, row)) continue
        texts++
        const found = rowNgrams(column, row, { level, sizes })
        for (const word of perRow ? new Set(found) : found) counts.addWord(word)
      }
    },
    finish: () => {
      const top = counts.top(maxWords).sort((a, b) => compareText(a.word, b.word))
      if (top.length === 0)
        throw unfit(
          `The texts of the feature "${name}" have no n-gram of ${sizes[0]} to ${sizes[1]} ${level === 'word' ? 'words' : 'characters'}.`,
          'Take shorter n-grams, or leave the feature out.',
        )
      const rule: NgramRule = { sizes, level, words: top.map(({ word }) => word) }
      return finish(
        rule,
        top.map(({ count }) => count),
        texts,
      )
    },
  }
}

/** Counts the n-grams of a row into its place. */
function counter(
  rule: NgramRule,
  column: Column | undefined,
): (row: number, into: Float32Array, place: number) => boolean {
  const index = indexOf(rule.words)
  return (row, into, place) => {
    if (column === undefined) return true
    for (const word of rowNgrams(column, row, rule)) {
      const at = index.get(word)
      if (at !== undefined) into[place + at]!++
    }
    return !hasWord(column, row)
  }
}

export const ngrams: TransformFamily<'ngrams', NgramsRequest> = {
  takes: 'words',
  per: 'row',
  fit: (request, { name }) => fitText(name, request, false, (rule) => ({ kind: 'ngrams', ...rule })),
  width: ({ words }) => words.length,
  writer: (transform, [column]) => counter(transform, column),
}

export const tfidf: TransformFamily<'tfidf', TfidfRequest> = {
  takes: 'words',
  per: 'row',
  fit: (request, { name }) =>
    fitText(name, request, true, (rule, counts, rows) => ({
      kind: 'tfidf',
      ...rule,
      // Smoothed, as scikit-learn documents it: as if one more row had every n-gram.
      idf: counts.map((count) => Math.log((1 + rows) / (1 + count)) + 1),
      norm: request.norm ?? 'l2',
    })),
  width: ({ words }) => words.length,
  writer: (transform, [column]) => {
    const count = counter(transform, column)
    const { idf, norm } = transform
    return (row, into, place) => {
      const isMissing = count(row, into, place)
      let squares = 0
      for (let at = 0; at < idf.length; at++) {
        const weight = into[place + at]! * idf[at]!
        squares += weight * weight
      }
      const length = norm === 'l2' && squares > 0 ? Math.sqrt(squares) : 1
      for (let at = 0; at < idf.length; at++) into[place + at] = (into[place + at]! * idf[at]!) / length
      return isMissing
    }
  },
}
