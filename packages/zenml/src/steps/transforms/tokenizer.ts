import { compareText } from '../../base/canonical.ts'
import { messageOf, ZenmlError } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import { type AppliedTokenizer, tokenizersLibrary } from './tokenizers-library.ts'
import { learnMerges } from './train-merges.ts'

/** How a tokenizer is made. */
export interface TokenizerRules {
  readonly algorithm: 'bpe' | 'wordpiece'
  readonly vocabSize: number
  readonly minFrequency: number
  readonly lowercase: boolean
  readonly specialTokens: readonly string[]
}

/** The token of padding, always with id 0. */
export const padToken = '[PAD]'
const unknownToken = '[UNK]'
const prefix = '##'

/** A longer word is not learned from; WordPiece does not know it either, as in BERT. */
const mostCharacters = 100

/** So many different characters at most begin the vocabulary of WordPiece: the most frequent. */
const mostLetters = 1000

function open(tokenizer: JsonObject): AppliedTokenizer {
  const { Tokenizer } = tokenizersLibrary()
  return new Tokenizer(tokenizer, {})
}

/** Parts texts into words, as the tokenizer will before it looks into its vocabulary. */
export function wordSplitter(rules: TokenizerRules): (text: string) => string[] {
  const { normalizer, pre_tokenizer } = open(tokenizerOf(rules, specialsOf(rules), []))
  const specials = [...specialsOf(rules)].sort((a, b) => b.length - a.length)
  const whole = new RegExp(
    specials.map((token) => token.replaceAll(/[$()*+.?[\\\]^{|}]/g, String.raw`\$&`)).join('|'),
    'u',
  )
  return (text) => text.split(whole).flatMap((part) => pre_tokenizer!.pre_tokenize(normalizer!.normalize(part)))
}

/** Learns a tokenizer from words, which stand as often as their counts say. The result is a `tokenizer.json` of Hugging Face tokenizers. */
export function trainTokenizer(
  rules: TokenizerRules,
  words: readonly { readonly word: string; readonly count: number }[],
): JsonObject {
  const isPieces = rules.algorithm === 'wordpiece'
  const known = words
    .map(({ word, count }) => ({ letters: [...word], count }))
    .filter(({ letters }) => letters.length <= mostCharacters)
  const letters = isPieces ? frequentLetters(known) : byteLetters()
  const kept = new Set(letters)
  const parts = known.flatMap(({ letters: own, count }) =>
    own.every((letter) => kept.has(letter))
      ? [{ count, tokens: own.map((letter, at) => (isPieces && at > 0 ? prefix + letter : letter)) }]
      : [],
  )
  const continued = isPieces ? [...new Set(parts.flatMap(({ tokens }) => tokens.slice(1)))].sort(compareText) : []
  // A letter may be a special token as well.
  const first = [...new Set([...specialsOf(rules), ...letters, ...continued])]
  const { vocabSize, minFrequency } = rules
  const learned = learnMerges({
    words: parts,
    tokens: first,
    vocabSize,
    minFrequency,
    prefix: isPieces ? prefix : '',
  })
  return tokenizerOf(rules, [...first, ...learned.tokens], learned.merges)
}

/** The most frequent characters, in the order of their bytes. */
function frequentLetters(words: readonly { readonly letters: readonly string[]; readonly count: number }[]): string[] {
  const counts = new Map<string, number>()
  for (const { letters, count } of words)
    for (const letter of letters) counts.set(letter, (counts.get(letter) ?? 0) + count)
  return [...counts]
    .sort(([a, left], [b, right]) => right - left || compareText(a, b))
    .slice(0, mostLetters)
    .map(([letter]) => letter)
    .sort(compareText)
}

/** The characters that stand for the 256 bytes in GPT-2: the printable ones of Latin-1 themselves, the others moved to 256 and on. */
function byteLetters(): string[] {
  const isPrinted = (byte: number): boolean =>
    (byte >= 0x21 && byte <= 0x7e) || (byte >= 0xa1 && byte <= 0xff && byte !== 0xad)
  let moved = 0x100
  return Array.from({ length: 0x100 }, (_, byte) => String.fromCodePoint(isPrinted(byte) ? byte : moved++)).sort(
    compareText,
  )
}

function specialsOf({ algorithm, specialTokens }: TokenizerRules): string[] {
  return [padToken, ...(algorithm === 'wordpiece' ? [unknownToken] : []), ...specialTokens]
}

function tokenizerOf(
  rules: TokenizerRules,
  tokens: readonly string[],
  merges: readonly (readonly [string, string])[],
): JsonObject {
  const { algorithm, lowercase } = rules
  const vocab = Object.fromEntries(tokens.map((token, id) => [token, id]))
  const flags = { single_word: false, lstrip: false, rstrip: false, normalized: false, special: true }
  return {
    version: '1.0',
    truncation: null,
    padding: null,
    added_tokens: specialsOf(rules).map((content, id) => ({ id, content, ...flags })),
    normalizer: { type: 'Sequence', normalizers: [{ type: 'NFKC' }, ...(lowercase ? [{ type: 'Lowercase' }] : [])] },
    post_processor: null,
    ...(algorithm === 'bpe'
      ? {
          pre_tokenizer: { type: 'ByteLevel', add_prefix_space: false, trim_offsets: true, use_regex: true },
          decoder: { type: 'ByteLevel', add_prefix_space: true, trim_offsets: true, use_regex: true },
          model: {
            type: 'BPE',
            dropout: null,
            unk_token: null,
            continuing_subword_prefix: null,
            end_of_word_suffix: null,
            fuse_unk: false,
            byte_fallback: false,
            ignore_merges: false,
            vocab,
            merges: merges.map((pair) => [...pair]),
          },
        }
      : {
          pre_tokenizer: { type: 'BertPreTokenizer' },
          decoder: { type: 'WordPiece', prefix, cleanup: true },
          model: {
            type: 'WordPiece',
            unk_token: unknownToken,
            continuing_subword_prefix: prefix,
            max_input_chars_per_word: mostCharacters,
            vocab,
          },
        }),
  }
}

const opened = new WeakMap<JsonObject, AppliedTokenizer>()

/** The ids of a text's tokens; the tokenizer is opened once, as serving applies a transform row by row. Throws `ZEN_TRANSFORM_TOKENIZER` where it is none. */
export function idsOf(tokenizer: JsonObject, text: string): readonly number[] {
  let applied = opened.get(tokenizer)
  if (applied === undefined) {
    try {
      applied = open(tokenizer)
    } catch (error) {
      throw new ZenmlError(
        'ZEN_TRANSFORM_TOKENIZER',
        `The transform's tokenizer cannot be used: ${messageOf(error)}.`,
        {
          next: 'Fit the transform again.',
          exitCode: 1,
          cause: error,
        },
      )
    }
    opened.set(tokenizer, applied)
  }
  return applied.encode(text, { add_special_tokens: false }).ids
}
