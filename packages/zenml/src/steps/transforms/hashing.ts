import { murmur3 } from '../../base/murmur3.ts'
import { rowEnd, rowStart } from '../../formats/batch.ts'
import { wordOf } from '../values.ts'
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
        if (column !== undefined && rows > 0 && rowEnd(column, rows - 1) > rowStart(column, 0)) hasValues = true
      },
      finish: () => ({ kind: 'hashing', buckets, tokens }),
    }
  },
  width: ({ buckets }) => buckets,
  writer: ({ buckets, tokens }, [column]) => {
    return (row, into, place) => {
      if (column === undefined) return true
      const start = rowStart(column, row)
      const end = rowEnd(column, row)
      for (let value = start; value < end; value++) {
        const word = wordOf(column, value)!
        for (const part of tokens ? tokensOf(word) : [word]) into[place + (murmur3(encoder.encode(part)) % buckets)]!++
      }
      return start === end
    }
  },
}
