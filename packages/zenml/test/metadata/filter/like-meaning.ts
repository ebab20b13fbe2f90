import fc from 'fast-check'

/** What a LIKE of GoogleSQL means, by its definition: `%` is any text, `_` one character, a backslash lets the next one be itself. */
export function meantBy(pattern: string): RegExp {
  const source = pattern.replace(/\\([\s\S])|[%_]|[\s\S]/gu, (one, escaped?: string) =>
    escaped === undefined && one === '%'
      ? '[\\s\\S]*'
      : escaped === undefined && one === '_'
        ? '[\\s\\S]'
        : `\\u{${(escaped ?? one).codePointAt(0)!.toString(16)}}`,
  )
  return new RegExp(`^${source}$`, 'u')
}

const characters = fc.constantFrom(...'aAbä😀%_*?[]^-!')

/** Patterns of what databases treat in ways of their own. */
export const patterns: fc.Arbitrary<string> = fc
  .array(
    fc.oneof(
      characters,
      characters.map((one) => `\\${one}`),
      fc.constant('\\\\'),
    ),
    { maxLength: 6 },
  )
  .map((parts) => parts.join(''))

/** Texts of the same characters. */
export const texts: fc.Arbitrary<string> = fc
  .array(fc.constantFrom(...'aAbä😀%_*?[]^-!\\'), { maxLength: 5 })
  .map((parts) => parts.join(''))
