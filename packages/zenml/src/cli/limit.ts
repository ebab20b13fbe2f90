import { wholeNumber } from './whole-number.ts'

/** The `--limit` of a listing, from 1 to 10,000. */
export function limitOf(options: { readonly [name: string]: unknown }, otherwise: number): number {
  return wholeNumber(options, 'limit', otherwise, 1, 10_000)
}
