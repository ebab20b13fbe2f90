/** A piece of text format, where it stands (from 1), and the comments before it. */
export interface Token {
  readonly kind: 'name' | 'number' | 'string' | 'symbol' | 'end'
  /** As written; of strings, the contents with escapes. */
  readonly text: string
  readonly line: number
  readonly column: number
  /** With their `#`. */
  readonly comments: readonly string[]
}

/** Text that is no text format, and where. */
export class TextSyntaxError extends Error {
  readonly line: number
  readonly column: number

  constructor(message: string, at: { readonly line: number; readonly column: number }) {
    super(message)
    this.name = 'TextSyntaxError'
    this.line = at.line
    this.column = at.column
  }
}

const space = /[ \t\r\n\f\v]*/y
const comment = /#[^\n]*/y
const name = /[A-Za-z_][A-Za-z0-9_]*/y
const number = /(?:0[xX][0-9a-fA-F]+|(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?[fF]?)/y
/** Up to what may end a string: one pattern for a whole one would use stack for each of its characters. */
const stringPart = /[^"'\\\n]*/y

/**
 * Cuts text format into tokens, one at a time
 * (https://protobuf.dev/reference/protobuf/textformat-spec).
 */
export function scanner(text: string): () => Token {
  let at = 0
  let line = 1
  let lineStart = 0

  function match(pattern: RegExp): string | undefined {
    pattern.lastIndex = at
    return pattern.exec(text)?.[0]
  }

  /** A string in either quotes, where one begins and is closed on its line. */
  function matchString(): string | undefined {
    const quote = text[at]
    if (quote !== '"' && quote !== "'") return undefined
    for (let end = at + 1; ; ) {
      stringPart.lastIndex = end
      end += stringPart.exec(text)![0].length
      const last = text[end]
      if (last === quote) return text.slice(at, end + 1)
      if (last === undefined || last === '\n') return undefined
      if (last === '\\' && (end + 1 >= text.length || text[end + 1] === '\n')) return undefined
      end += last === '\\' ? 2 : 1
    }
  }

  function forward(length: number): void {
    for (let index = at; index < at + length; index++) {
      if (text.charCodeAt(index) !== 0x0a) continue
      line++
      lineStart = index + 1
    }
    at += length
  }

  return () => {
    const comments: string[] = []
    for (;;) {
      forward(match(space)!.length)
      const found = match(comment)
      if (found === undefined) break
      comments.push(found.trimEnd())
      forward(found.length)
    }
    const place = { line, column: at - lineStart + 1, comments }
    if (at === text.length) return { kind: 'end', text: '', ...place }
    for (const [kind, find] of [
      ['name', () => match(name)],
      ['string', matchString],
      ['number', () => match(number)],
    ] as const) {
      const found = find()
      if (found === undefined) continue
      forward(found.length)
      if (kind === 'number') {
        // `12ab` is neither a number nor a name.
        const rest = match(name)
        if (rest !== undefined) throw new TextSyntaxError(`"${found}${rest}" is no number.`, place)
      }
      return { kind, text: kind === 'string' ? found.slice(1, -1) : found, ...place }
    }
    const symbol = String.fromCodePoint(text.codePointAt(at)!)
    if (symbol === '"' || symbol === "'") throw new TextSyntaxError('A string is not closed on its line.', place)
    forward(symbol.length)
    return { kind: 'symbol', text: symbol, ...place }
  }
}

const escapes: { readonly [letter: string]: number } = {
  a: 7,
  b: 8,
  f: 12,
  n: 10,
  r: 13,
  t: 9,
  v: 11,
  '\\': 92,
  "'": 39,
  '"': 34,
  '?': 63,
}

/** The bytes that the contents of a string stand for. */
export function unescapeString(token: Token): Uint8Array {
  const parts: Uint8Array[] = []
  const pattern =
    /[^\\]+|\\(?:([0-7]{1,3})|[xX]([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|([abfnrtv\\'"?]))|\\/gu
  for (const found of token.text.matchAll(pattern)) {
    const [all, octal, hex, short, long, letter] = found
    const code =
      octal !== undefined ? Number.parseInt(octal, 8) : hex !== undefined ? Number.parseInt(hex, 16) : undefined
    const point = short ?? long
    if (code !== undefined) {
      if (code > 255) throw new TextSyntaxError(`"${all}" is no byte.`, token)
      parts.push(Uint8Array.of(code))
    } else if (point !== undefined) {
      const value = Number.parseInt(point, 16)
      if (value > 0x10ffff || (value >= 0xd800 && value <= 0xdfff))
        throw new TextSyntaxError(`"${all}" is no code point.`, token)
      parts.push(encoder.encode(String.fromCodePoint(value)))
    } else if (letter !== undefined) parts.push(Uint8Array.of(escapes[letter]!))
    else if (all === '\\') throw new TextSyntaxError('A "\\" in a string begins no escape.', token)
    else parts.push(encoder.encode(all))
  }
  const bytes = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0))
  let at = 0
  for (const part of parts) {
    bytes.set(part, at)
    at += part.length
  }
  return bytes
}

const encoder = new TextEncoder()
