import { expected } from './expected.ts'
import { type Token, tokens } from './tokens.ts'

/** Where a parser stands in the pieces of a query. */
export interface Cursor {
  /** The piece that comes next, or the one behind it. */
  readonly next: (further?: number) => Token
  /** Takes the next piece, whatever it is. */
  readonly take: () => Token
  /** Takes the next piece if it is this sign. */
  readonly sign: (text: string) => boolean
  /** Takes the next piece if it is this keyword, in whatever case. */
  readonly keyword: (text: string) => boolean
  /** Takes this sign; throws INVALID_ARGUMENT where another piece stands. */
  readonly need: (text: string) => void
}

export function cursor(query: string): Cursor {
  const all = tokens(query)
  const end = all.at(-1)!
  let position = 0
  const next = (further = 0): Token => all[position + further] ?? end
  const takeIf = (condition: boolean): boolean => {
    if (condition) position++
    return condition
  }
  const sign = (text: string): boolean => takeIf(isSign(next(), text))
  return {
    next,
    take: () => {
      const token = next()
      position++
      return token
    },
    sign,
    keyword: (text) => takeIf(isKeyword(next(), text)),
    need: (text) => {
      if (!sign(text)) throw expected(next().at, `"${text}"`)
    },
  }
}

export function isSign(token: Token, text: string): boolean {
  return token.kind === 'sign' && token.text === text
}

export function isKeyword(token: Token, text: string): boolean {
  return token.kind === 'word' && !token.quoted && token.text.toUpperCase() === text
}
