/**
 * The tokens of a text: it is normalised (NFC) and brought to lower case without regard to a language, and each longest run of letters, marks
 * and digits (Unicode categories L, M and N) is a token. All else parts tokens.
 */
export function tokensOf(text: string): string[] {
  return (
    text
      .normalize('NFC')
      .toLowerCase()
      .match(/[\p{L}\p{M}\p{N}]+/gu) ?? []
  )
}

/**
 * The n-grams of a text, from the first on, the short before the long: of its tokens, joined by a blank; or of the characters (code points) of its
 * tokens joined by blanks.
 */
export function* ngramsOf(
  text: string,
  level: 'word' | 'character',
  [least, most]: readonly [least: number, most: number],
): Generator<string, void, undefined> {
  const tokens = tokensOf(text)
  const parts = level === 'word' ? tokens : [...tokens.join(' ')]
  const between = level === 'word' ? ' ' : ''
  for (let size = least; size <= most; size++)
    for (let from = 0; from + size <= parts.length; from++) yield parts.slice(from, from + size).join(between)
}
