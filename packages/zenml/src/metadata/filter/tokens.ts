import { expected } from './expected.ts'
import { readQuoted } from './strings.ts'

/** A piece of a query, and where it starts. */
export type Token =
  | { readonly kind: 'word'; readonly text: string; readonly at: number; readonly quoted: boolean }
  | { readonly kind: 'string'; readonly value: string; readonly at: number }
  | { readonly kind: 'integer'; readonly value: bigint; readonly at: number }
  | { readonly kind: 'double'; readonly value: number; readonly at: number }
  | { readonly kind: 'sign'; readonly text: string; readonly at: number }
  | { readonly kind: 'end'; readonly at: number }

/** How long a query may be, in UTF-16 code units. */
export const longestQuery = 65_536

const signs = /(?:!=|<>|<=|>=|[=<>(),.\-+])/y
const hexadecimal = /0[xX][0-9a-fA-F]+/y
const decimal = /(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?/y

/** Cuts a query into its pieces; the last one is its end. */
export function tokens(query: string): readonly Token[] {
  if (query.length > longestQuery)
    throw expected(longestQuery, `the end: a query has ${longestQuery} characters at most`)
  if (!query.isWellFormed()) throw expected(0, 'well-formed Unicode text')
  const found: Token[] = []
  let at = 0
  const match = (pattern: RegExp): string | undefined => {
    pattern.lastIndex = at
    return pattern.exec(query)?.[0]
  }
  for (;;) {
    at += match(/[ \t\r\n\v\f]*/y)?.length ?? 0
    if (at >= query.length) return [...found, { kind: 'end', at }]
    const start = at
    const last = found.at(-1)
    // Behind a dot stands a name even where it looks like a number: properties.0.int_value.
    const part = last?.kind === 'sign' && last.text === '.' ? match(/\w+/y) : undefined
    const word = part ?? match(/[A-Za-z_]\w*/y)
    const prefix = word !== undefined && part === undefined && /^[rR]$/.test(word) && /['"]/.test(query.charAt(at + 1))
    if (prefix || /['"`]/.test(query.charAt(at))) {
      const { value, end } = readQuoted(query, prefix ? at + 1 : at, { raw: prefix })
      const name = query.charAt(at) === '`'
      if (name && value === '') throw expected(at, 'a name between the backquotes')
      found.push(name ? { kind: 'word', text: value, at, quoted: true } : { kind: 'string', value, at })
      at = end
    } else if (word !== undefined) {
      found.push({ kind: 'word', text: word, at, quoted: false })
      at += word.length
    } else {
      const number =
        last?.kind === 'word' && query.charAt(at) === '.' ? undefined : (match(hexadecimal) ?? match(decimal))
      const text = number ?? match(signs)
      if (text === undefined) throw expected(at, 'a name, a value, an operator or a parenthesis')
      at += text.length
      if (number !== undefined && /[\w.'"`]/.test(query.charAt(at)))
        throw expected(at, 'a space or an operator behind the number')
      found.push(number === undefined ? { kind: 'sign', text, at: start } : numeric(number, start))
    }
  }
}

function numeric(text: string, at: number): Token {
  if (/^\d+$|^0[xX]/.test(text)) return { kind: 'integer', value: BigInt(text), at }
  const value = Number(text)
  if (!Number.isFinite(value)) throw expected(at, 'a number that a double can hold')
  return { kind: 'double', value, at }
}
