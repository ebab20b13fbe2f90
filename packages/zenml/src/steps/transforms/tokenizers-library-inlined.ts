// In the place of tokenizers-library.ts where everything must be in one file: the code that is served.
import * as library from '@huggingface/tokenizers'
import type { TokenizersLibrary } from './tokenizers-library.ts'

/** The library. */
export function tokenizersLibrary(): TokenizersLibrary {
  return library as unknown as TokenizersLibrary
}
