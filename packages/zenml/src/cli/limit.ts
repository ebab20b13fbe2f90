import { ZenmlError } from '../base/errors.ts'

/** The `--limit` of a listing, from 1 to 10,000. */
export function limitOf(options: { readonly [name: string]: unknown }, otherwise: number): number {
  const given = options['limit'] as string | undefined
  if (given === undefined) return otherwise
  const limit = Number(given)
  if (!/^\d+$/.test(given) || limit < 1 || limit > 10_000)
    throw new ZenmlError('ZEN_USAGE', `--limit takes a whole number from 1 to 10000, not "${given}".`)
  return limit
}
