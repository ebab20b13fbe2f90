import { MergeQueue, type PairCount } from './merge-queue.ts'

/** What is learned: the tokens after those that were given, and which pairs of tokens became them, in their order. */
export interface Merges {
  readonly tokens: readonly string[]
  readonly merges: readonly (readonly [left: string, right: string])[]
}

/** What merges are learned from. */
export interface MergeOptions {
  /** Words as their tokens, with how often each stands; every token is in `tokens`. */
  readonly words: readonly { readonly tokens: readonly string[]; readonly count: number }[]
  /** Tokens that there are already, in the order of their ids. */
  readonly tokens: readonly string[]
  /** So many tokens at most, with those that there are. */
  readonly vocabSize: number
  /** A pair that stands less often is not merged. */
  readonly minFrequency: number
  /** What a token that continues a word begins with; it falls away in the middle of a merged one. */
  readonly prefix: string
}

/** More tokens than any vocabulary has: two ids are one number. */
const idRoom = 2 ** 20

/**
 * Learns byte-pair encoding (Sennrich and others, 2016): the most frequent pair of neighbours becomes a token, again and again. Of equally
 * frequent pairs that of the lesser ids is taken, so that only the words and their counts decide, as in the trainer of Hugging Face tokenizers.
 *
 * @example
 * learnMerges({ words: [{ tokens: ['a', 'b'], count: 2 }], tokens: ['a', 'b'], vocabSize: 9, minFrequency: 2, prefix: '' }).merges // [['a', 'b']]
 */
export function learnMerges({ words, tokens: given, vocabSize, minFrequency, prefix }: MergeOptions): Merges {
  const tokens = [...given]
  const ids = new Map(tokens.map((token, id) => [token, id]))
  const symbols = words.map((word) => Uint32Array.from(word.tokens, (token) => ids.get(token)!))
  const pairs = new Pairs()
  for (const [word, own] of symbols.entries()) pairs.add(own, words[word]!.count, word)
  pairs.queueChanged()
  const merges: [string, string][] = []
  while (tokens.length < vocabSize) {
    const best = pairs.best()
    if (best === undefined || best.count < minFrequency) break
    const [left, right] = [Math.floor(best.pair / idRoom), best.pair % idRoom]
    const rest = tokens[right]!
    const token = tokens[left]! + (rest.startsWith(prefix) ? rest.slice(prefix.length) : rest)
    // Two ways may lead to one text, which stays one token.
    const id = ids.get(token) ?? tokens.length
    if (id === tokens.length) {
      tokens.push(token)
      ids.set(token, id)
    }
    merges.push([tokens[left]!, rest])
    for (const word of pairs.wordsWith(best.pair)) {
      const { count } = words[word]!
      pairs.add(symbols[word]!, -count, word)
      symbols[word] = merged(symbols[word]!, left, right, id)
      pairs.add(symbols[word]!, count, word)
    }
    pairs.queueChanged()
  }
  return { tokens: tokens.slice(given.length), merges }
}

/** Puts a token in place of each pair, from the left. */
function merged(symbols: Uint32Array, left: number, right: number, id: number): Uint32Array<ArrayBuffer> {
  const result = new Uint32Array(symbols.length)
  let length = 0
  for (let at = 0; at < symbols.length; at++) {
    if (symbols[at] === left && symbols[at + 1] === right) {
      result[length++] = id
      at++
    } else result[length++] = symbols[at]!
  }
  return result.slice(0, length)
}

/** How often pairs of neighbours stand, and in which words they may. */
class Pairs {
  private readonly counts = new Map<number, number>()
  private readonly words = new Map<number, Set<number>>()
  private readonly changed = new Set<number>()
  private readonly queue = new MergeQueue()

  /** Adds `count` for each pair of a word. */
  add(symbols: Uint32Array, count: number, word: number): void {
    for (let at = 0; at + 1 < symbols.length; at++) {
      const pair = symbols[at]! * idRoom + symbols[at + 1]!
      this.counts.set(pair, (this.counts.get(pair) ?? 0) + count)
      this.changed.add(pair)
      if (count < 0) continue
      const words = this.words.get(pair)
      if (words === undefined) this.words.set(pair, new Set([word]))
      else words.add(word)
    }
  }

  /** Queues the pairs whose count has changed; what the queue had of them before is passed over. */
  queueChanged(): void {
    for (const pair of this.changed) {
      const count = this.counts.get(pair)!
      if (count > 0) this.queue.push({ pair, count })
      else {
        this.counts.delete(pair)
        this.words.delete(pair)
      }
    }
    this.changed.clear()
  }

  best(): PairCount | undefined {
    for (;;) {
      const top = this.queue.pop()
      if (top === undefined || this.counts.get(top.pair) === top.count) return top
    }
  }

  wordsWith(pair: number): readonly number[] {
    return [...(this.words.get(pair) ?? [])]
  }
}
