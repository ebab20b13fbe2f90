import { ZenmlError } from '../base/errors.ts'

/** The value of `--name` as a whole number within limits. */
export function wholeNumber(
  options: { readonly [name: string]: unknown },
  name: string,
  otherwise: number,
  least: number,
  most: number,
): number {
  // `--max-domain` is `maxDomain` to commander.
  const given = options[name.replace(/-(.)/g, (_, letter: string) => letter.toUpperCase())] as string | undefined
  if (given === undefined) return otherwise
  const value = Number(given)
  if (!/^\d+$/.test(given) || value < least || value > most)
    throw new ZenmlError('ZEN_USAGE', `--${name} takes a whole number from ${least} to ${most}, not "${given}".`)
  return value
}
