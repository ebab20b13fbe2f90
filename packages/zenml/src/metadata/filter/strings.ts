import { expected } from './expected.ts'

/** A quoted piece of a query: its value, and where the text goes on behind it. */
export interface Quoted {
  readonly value: string
  readonly end: number
}

const plain: { readonly [letter: string]: string } = {
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '?': '?',
  '"': '"',
  "'": "'",
  '`': '`',
}

/** Escapes that give a code point by its digits: how many there are, and of what kind. */
const numbered = [
  { start: /[xX]/, digits: /^[0-9a-fA-F]{2}/, from: 1, base: 16, what: '2 hexadecimal digits' },
  { start: /u/, digits: /^[0-9a-fA-F]{4}/, from: 1, base: 16, what: '4 hexadecimal digits' },
  { start: /U/, digits: /^[0-9a-fA-F]{8}/, from: 1, base: 16, what: '8 hexadecimal digits' },
  { start: /[0-7]/, digits: /^[0-3][0-7]{2}/, from: 0, base: 8, what: '3 octal digits up to 377' },
] as const

/**
 * Reads a string or a backquoted name, which starts with its quote at `start`, by the rules of GoogleSQL
 * (https://github.com/google/zetasql/blob/master/docs/lexical.md): one quote or three, escapes unless it is raw.
 */
export function readQuoted(query: string, start: number, { raw = false }: { readonly raw?: boolean } = {}): Quoted {
  const mark = query.charAt(start)
  const quote = mark !== '`' && query.startsWith(mark.repeat(3), start) ? mark.repeat(3) : mark
  let value = ''
  for (let at = start + quote.length; at < query.length; ) {
    if (query.startsWith(quote, at)) {
      if (value.includes('\0')) throw expected(start, 'a string without a NUL character')
      return { value, end: at + quote.length }
    }
    const character = query.charAt(at)
    if (quote.length === 1 && /[\r\n]/.test(character)) break
    if (character !== '\\') {
      value += character
      at++
    } else if (raw) {
      // The character behind a backslash does not end a raw string, and both stay.
      value += query.slice(at, at + 2)
      at += 2
    } else {
      const { value: meant, end } = readEscape(query, at)
      value += meant
      at = end
    }
  }
  throw expected(start, `the closing ${quote} of what is quoted here`)
}

function readEscape(query: string, start: number): Quoted {
  const letter = query.charAt(start + 1)
  const simple = Object.hasOwn(plain, letter) ? plain[letter] : undefined
  if (simple !== undefined) return { value: simple, end: start + 2 }
  const kind = numbered.find((one) => one.start.test(letter))
  if (kind === undefined)
    throw expected(
      start,
      'one of the escapes \\a \\b \\f \\n \\r \\t \\v \\\\ \\? \\" \\\' \\` \\ooo \\xhh \\uhhhh \\Uhhhhhhhh',
    )
  const from = start + 1 + kind.from
  const digits = kind.digits.exec(query.slice(from, from + 8))?.[0]
  if (digits === undefined) throw expected(start, `${kind.what} in this escape`)
  const point = Number.parseInt(digits, kind.base)
  if (point > 0x10ffff || (point >= 0xd800 && point <= 0xdfff)) throw expected(start, 'the code point of a character')
  return { value: String.fromCodePoint(point), end: from + digits.length }
}
