import { nearest } from '../base/nearest.ts'
import {
  type Field,
  fieldsOf,
  type MessageSpec,
  type MessageValue,
  maxDepth,
  rangeOf,
} from '../base/proto/proto-message.ts'
import { ok, type Result, refuse } from '../base/result.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import { strictText } from './text.ts'
import { scanner, TextSyntaxError, type Token, unescapeString } from './text-scanner.ts'

/**
 * Reads a message in the text format of protocol buffers (https://protobuf.dev/reference/protobuf/textformat-spec). Comments are
 * kept under `comments`. Unknown fields, values that do not fit, fields that stand twice and two members of a oneof are all
 * told, with line and column; a syntax error ends the reading.
 */
export function parseText(spec: MessageSpec, text: string, file?: string): Result<MessageValue, readonly Diagnostic[]> {
  const parser = new Parser(text, file)
  const message = parser.document(spec)
  return parser.diagnostics.length === 0 ? ok(message) : refuse(parser.diagnostics)
}

interface Open {
  readonly [key: string]: unknown
}

class Parser {
  readonly diagnostics: Diagnostic[] = []
  private readonly next: () => Token
  private readonly file: string | undefined
  private token: Token = { kind: 'end', text: '', line: 1, column: 1, comments: [] }

  constructor(text: string, file: string | undefined) {
    // Tabs and the like stay; a byte order mark is no part of the text.
    this.next = scanner(text.startsWith('\ufeff') ? text.slice(1) : text)
    this.file = file
  }

  document(spec: MessageSpec): MessageValue {
    try {
      this.token = this.next()
      return this.message(spec, '', '', 0)
    } catch (error) {
      if (!(error instanceof TextSyntaxError)) throw error
      this.tell(error.message, error, '')
      return {}
    }
  }

  /** Reads fields up to `close` ('' is the end of the text), which becomes the current token. */
  private message(spec: MessageSpec, close: string, path: string, depth: number): MessageValue {
    if (depth > maxDepth) throw new TextSyntaxError(`Messages lie more than ${maxDepth} deep.`, this.token)
    const result: { [key: string]: unknown } = {}
    const comments: { [place: string]: readonly string[] } = {}
    while (!(close === '' ? this.token.kind === 'end' : this.isSymbol(close))) {
      const token = this.token
      if (token.kind !== 'name') {
        if (this.isSymbol('['))
          throw new TextSyntaxError('Extensions and expanded Any messages are not known here.', token)
        const found = token.kind === 'end' ? 'the end of the text' : `"${token.text}"`
        throw new TextSyntaxError(
          `The name of a field${close === '' ? '' : ` or "${close}"`} was expected, not ${found}.`,
          token,
        )
      }
      const field = fieldsOf(spec).find((candidate) => candidate.name === token.text)
      if (field === undefined) this.unknown(spec, token, path)
      else this.field(spec, field, result, comments, path, depth)
      if (this.isSymbol(',') || this.isSymbol(';')) this.forward()
    }
    if (this.token.comments.length > 0) comments[''] = this.token.comments
    if (Object.keys(comments).length > 0) result['comments'] = comments
    return result
  }

  private field(
    spec: MessageSpec,
    field: Field,
    result: { [key: string]: unknown },
    comments: { [place: string]: readonly string[] },
    path: string,
    depth: number,
  ): void {
    const token = this.token
    const before = result[field.key] as unknown[] | undefined
    const index = field.repeated ? `[${before?.length ?? 0}]` : ''
    const inner = `${path === '' ? '' : `${path}.`}${field.name}${index}`
    if (token.comments.length > 0) comments[`${field.name}${index}`] = token.comments
    if (!field.repeated && before !== undefined) this.tell(`"${field.name}" stands twice.`, token, inner)
    const rival = fieldsOf(spec).find(
      ({ oneof, key }) =>
        oneof !== undefined && oneof === field.oneof && key !== field.key && result[key] !== undefined,
    )
    if (rival !== undefined) this.tell(`"${field.name}" cannot stand beside "${rival.name}".`, token, inner)
    this.forward()
    const colon = this.isSymbol(':')
    if (colon) this.forward()
    else if (field.message === undefined)
      throw new TextSyntaxError(`":" was expected after "${field.name}".`, this.token)
    const values = field.repeated ? (before ?? []) : []
    if (field.repeated && this.isSymbol('[')) {
      this.forward()
      while (!this.isSymbol(']')) {
        values.push(this.value(field, inner, depth))
        if (this.isSymbol(',')) this.forward()
        else if (!this.isSymbol(']')) throw new TextSyntaxError('"," or "]" was expected.', this.token)
      }
      this.forward()
    } else values.push(this.value(field, inner, depth))
    result[field.key] = field.repeated ? values : values[0]
  }

  private value(field: Field, path: string, depth: number): unknown {
    if (field.message === undefined) return this.scalar(field, path)
    const close = this.isSymbol('{') ? '}' : this.isSymbol('<') ? '>' : undefined
    if (close === undefined) throw new TextSyntaxError(`"{" was expected: ${field.name} is a message.`, this.token)
    this.forward()
    const value = this.message(field.message(), close, path, depth + 1)
    this.forward()
    return value
  }

  private scalar(field: Field, path: string): unknown {
    const start = this.token
    if (field.scalar === 'string' || field.scalar === 'bytes') {
      const parts: Uint8Array[] = []
      for (; this.token.kind === 'string'; this.forward()) parts.push(unescapeString(this.token))
      if (parts.length === 0) throw new TextSyntaxError(`A string was expected for "${field.name}".`, start)
      const bytes = Buffer.concat(parts)
      if (field.scalar === 'bytes') return new Uint8Array(bytes)
      const text = strictText(bytes)
      if (text === undefined) this.tell(`The string of "${field.name}" is not UTF-8.`, start, path)
      return text ?? ''
    }
    const negative = this.isSymbol('-')
    if (negative) this.forward()
    const token = this.token
    if (token.kind !== 'name' && token.kind !== 'number') {
      throw new TextSyntaxError(`A value was expected for "${field.name}".`, token)
    }
    this.forward()
    const value = readScalar(field, token, negative)
    if (value !== undefined) return value
    const near = field.values === undefined ? undefined : nearest(token.text, Object.keys(field.values))
    const hint = near === undefined ? '' : ` Did you mean "${near}"?`
    this.tell(
      `"${negative ? '-' : ''}${token.text}" is no value of "${field.name}" (${kindOf(field)}).${hint}`,
      start,
      path,
    )
    return 0
  }

  private unknown(spec: MessageSpec, token: Token, path: string): void {
    const names = fieldsOf(spec).map((field) => field.name)
    const near = nearest(token.text, names)
    const hint = near === undefined ? '' : ` Did you mean "${near}"?`
    this.tell(
      `${spec.name} has no field "${token.text}".${hint}`,
      token,
      `${path === '' ? '' : `${path}.`}${token.text}`,
    )
    this.forward()
    if (this.isSymbol(':')) this.forward()
    this.skipValue(0)
  }

  /** Steps over a value, whatever it is. */
  private skipValue(depth: number): void {
    if (depth > maxDepth) throw new TextSyntaxError(`Messages lie more than ${maxDepth} deep.`, this.token)
    const close = this.isSymbol('{') ? '}' : this.isSymbol('<') ? '>' : this.isSymbol('[') ? ']' : undefined
    if (close !== undefined) {
      this.forward()
      while (!this.isSymbol(close)) {
        if (this.token.kind === 'end')
          throw new TextSyntaxError(`"${close}" was expected, not the end of the text.`, this.token)
        if (this.isSymbol('{') || this.isSymbol('<') || this.isSymbol('[')) this.skipValue(depth + 1)
        else this.forward()
      }
      this.forward()
      return
    }
    if (this.isSymbol('-')) this.forward()
    if (this.token.kind === 'string') while (this.token.kind === 'string') this.forward()
    else if (this.token.kind === 'name' || this.token.kind === 'number') this.forward()
    else throw new TextSyntaxError('A value was expected.', this.token)
  }

  private isSymbol(symbol: string): boolean {
    return this.token.kind === 'symbol' && this.token.text === symbol
  }

  private forward(): void {
    this.token = this.next()
  }

  private tell(message: string, at: { readonly line: number; readonly column: number }, path: string): void {
    this.diagnostics.push({
      code: 'ZEN_SCHEMA_TEXT',
      message,
      line: at.line,
      column: at.column,
      ...(this.file === undefined ? {} : { file: this.file }),
      ...(path === '' ? {} : { path }),
    })
  }
}

function kindOf(field: Field): string {
  return field.values === undefined ? field.scalar! : `one of ${Object.keys(field.values).join(', ')}`
}

function readScalar(field: Field, token: Token, negative: boolean): unknown {
  const { text } = token
  if (field.values !== undefined) {
    if (token.kind === 'name') return !negative && Object.hasOwn(field.values, text) ? text : undefined
    const number = negative ? -Number(text) : Number(text)
    return Object.keys(field.values).find((name) => field.values![name] === number)
  }
  if (field.scalar === 'bool') {
    if (negative) return undefined
    if (text === 'true' || text === 'True' || text === 't' || text === '1') return true
    return text === 'false' || text === 'False' || text === 'f' || text === '0' ? false : undefined
  }
  if (field.scalar === 'double' || field.scalar === 'float') {
    const number = token.kind === 'number' ? decimal(text) : special[text.toLowerCase()]
    if (number === undefined) return undefined
    const signed = negative ? -number : number
    return field.scalar === 'float' ? Math.fround(signed) : signed
  }
  if (!/^(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9]\d*)$/.test(text)) return undefined
  const whole = BigInt(/^0[0-7]+$/.test(text) ? `0o${text}` : text) * (negative ? -1n : 1n)
  const [low, high] = rangeOf(field)
  if (whole < low || whole > high) return undefined
  return Number.isSafeInteger(Number(whole)) ? Number(whole) : whole
}

const special: { readonly [name: string]: number } = {
  inf: Number.POSITIVE_INFINITY,
  infinity: Number.POSITIVE_INFINITY,
  nan: Number.NaN,
}

function decimal(text: string): number | undefined {
  if (/^0[xX]/.test(text)) return undefined
  return Number(text.replace(/[fF]$/, ''))
}

/**
 * Writes a message in the text format, laid out as Python's `text_format.MessageToString` does: fields in the order of their
 * numbers, two spaces a level, floats in their shortest form with a point, UTF-8 as it is.
 */
export function printText(spec: MessageSpec, message: MessageValue): string {
  const lines: string[] = []
  printMessage(spec, message, '', lines)
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

function printMessage(spec: MessageSpec, message: Open, indent: string, lines: string[]): void {
  const comments = (message['comments'] ?? {}) as { readonly [place: string]: readonly string[] }
  for (const field of fieldsOf(spec)) {
    const value = message[field.key]
    if (value === undefined) continue
    const items = field.repeated ? (value as readonly unknown[]) : [value]
    for (const [index, item] of items.entries()) {
      for (const line of comments[field.repeated ? `${field.name}[${index}]` : field.name] ?? [])
        lines.push(indent + line)
      if (field.message === undefined) {
        lines.push(`${indent}${field.name}: ${printScalar(field, item)}`)
        continue
      }
      lines.push(`${indent}${field.name} {`)
      printMessage(field.message(), item as Open, `${indent}  `, lines)
      lines.push(`${indent}}`)
    }
  }
  for (const line of comments[''] ?? []) lines.push(indent + line)
}

function printScalar(field: Field, value: unknown): string {
  switch (field.scalar) {
    case 'string':
      return `"${escapeText(value as string)}"`
    case 'bytes':
      return `"${escapeBytes(value as Uint8Array)}"`
    case 'double':
      return printFloat(value as number, String(value))
    case 'float':
      return printFloat(value as number, shortestFloat(value as number))
    default:
      return String(value)
  }
}

function escapeText(text: string): string {
  return text.replace(/[\x00-\x1f\x7f"'\\]/g, (letter) => escapeByte(letter.charCodeAt(0)))
}

function escapeBytes(bytes: Uint8Array): string {
  return Array.from(bytes, (byte) => (byte < 0x7f ? escapeByte(byte) : octal(byte))).join('')
}

function escapeByte(byte: number): string {
  if (byte === 10) return '\\n'
  if (byte === 13) return '\\r'
  if (byte === 9) return '\\t'
  if (byte === 34 || byte === 39 || byte === 92) return `\\${String.fromCharCode(byte)}`
  return byte < 32 || byte > 126 ? octal(byte) : String.fromCharCode(byte)
}

function octal(byte: number): string {
  return `\\${byte.toString(8).padStart(3, '0')}`
}

/** The shortest decimal of 6 to 9 digits that reads back as the same float32. */
function shortestFloat(value: number): string {
  for (let digits = 6; digits < 9; digits++) {
    const text = value.toPrecision(digits)
    if (Math.fround(Number(text)) === Math.fround(value)) return String(Number(text))
  }
  return String(Number(value.toPrecision(9)))
}

/** Python's `repr` of a float from JavaScript's shortest decimal of it: exponents below 1e-4 and from 1e16, always a point or one. */
function printFloat(value: number, shortest: string): string {
  if (Number.isNaN(value)) return 'nan'
  if (!Number.isFinite(value)) return value < 0 ? '-inf' : 'inf'
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0'
  const [, sign, mantissa, exponentText] = /^(-?)([\d.]+)(?:e([+-]\d+))?$/.exec(shortest)!
  const [whole, fraction = ''] = mantissa!.split('.')
  const all = `${whole}${fraction}`
  const leading = /^0*/.exec(all)![0].length
  const digits = all.slice(leading).replace(/0+$/, '') || '0'
  /** Value is 0.digits × 10^point. */
  const point = whole!.length - leading + Number(exponentText ?? 0)
  const exponent = point - 1
  if (exponent < -4 || exponent >= 16) {
    const tail = digits.length > 1 ? `.${digits.slice(1)}` : ''
    const size = String(Math.abs(exponent)).padStart(2, '0')
    return `${sign}${digits[0]}${tail}e${exponent < 0 ? '-' : '+'}${size}`
  }
  if (point <= 0) return `${sign}0.${'0'.repeat(-point)}${digits}`
  const left = digits.slice(0, point).padEnd(point, '0')
  return `${sign}${left}.${digits.slice(point) || '0'}`
}
