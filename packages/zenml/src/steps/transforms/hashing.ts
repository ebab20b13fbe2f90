import { murmur3 } from '../../base/murmur3.ts'
import { hasWord, wordsOf } from '../values.ts'
import type { TransformFamily } from './family.ts'
import { tokensOf } from './tokens.ts'

/** Feature hashing (Weinberger and others, 2009), without signs: counts of words by their hash, without a vocabulary. */
export interface HashingRequest {
  transform: 'hashing'
  /** Default 256. */
  buckets?: number | undefined
  /** True: the tokens of texts are counted, and not their whole values. Default false. */
  tokens?: boolean | undefined
}

const encoder = new TextEncoder()

export const hashing: TransformFamily<'hashing', HashingRequest> = {
  takes: 'words',
  per: 'row',
  fit: ({ buckets = 256, tokens = false }) => {
    let hasValues = false
    return {
      passes: 1,
      get hasValues() {
        return hasValues
      },
      see: ([column], rows) => {
        for (let row = 0; column !== undefined && row < rows && !hasValues; row++) hasValues = hasWord(column, row)
      },
      finish: () => ({ kind: 'hashing', buckets, tokens }),
    }
  },
  width: ({ buckets }) => buckets,
  writer: ({ buckets, tokens }, [column]) => {
    return (row, into, place) => {
      if (column === undefined) return true
      for (const word of wordsOf(column, row))
        for (const part of tokens ? tokensOf(word) : [word]) into[place + (murmur3(encoder.encode(part)) % buckets)]!++
      return !hasWord(column, row)
    }
  },
}
