import { createRequire } from 'node:module'

/** What is used of a tokenizer of @huggingface/tokenizers. */
export interface AppliedTokenizer {
  readonly normalizer: { normalize(text: string): string } | null
  readonly pre_tokenizer: { pre_tokenize(text: string): string[] } | null
  encode(text: string, options: { add_special_tokens: boolean }): { ids: number[] }
}

/** What is used of @huggingface/tokenizers. */
export interface TokenizersLibrary {
  readonly Tokenizer: new (tokenizer: object, config: object) => AppliedTokenizer
}

// Loaded with the first text, and not with every step; a transform is applied without waiting, so that import() cannot be used.
// A folder for serving has no packages: tools/serving-code.mjs puts tokenizers-library-inlined.ts in the place of this file there.
const load = createRequire(import.meta.url)

/** Loads @huggingface/tokenizers. */
export function tokenizersLibrary(): TokenizersLibrary {
  return load('@huggingface/tokenizers') as TokenizersLibrary
}
