import { nearest } from '../base/nearest.ts'
import { defaultOf } from '../base/proto/decode.ts'
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
 * told under `code`, with line and column; a syntax error ends the reading. A map is entries of `key` and `value`; the last of one key holds.
 */
export function parseText(
  spec: MessageSpec,
  text: string,
  file?: string,
  code: Diagnostic['code'] = 'ZEN_SCHEMA_TEXT',
): Result<MessageValue, readonly Diagnostic[]> {
  const parser = new Parser(text, file, code)
  const message = parser.document(spec)
  return parser.diagnostics.length === 0 ? ok(message) : refuse(parser.diagnostics)
}

class Parser {
  readonly diagnostics: Diagnostic[] = []
  private readonly next: () => Token
  private readonly file: string | undefined
  private readonly code: Diagnostic['code']
  private token: Token = { kind: 'end', text: '', line: 1, column: 1, comments: [] }

  constructor(text: string, file: string | undefined, code: Diagnostic['code']) {
    // Tabs and the like stay; a byte order mark is no part of the text.
    this.next = scanner(text.startsWith('\ufeff') ? text.slice(1) : text)
    this.file = file
    this.code = code
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
    if (field.entry !== undefined) {
      this.entries(field, field.entry, result, path, depth)
      return
    }
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

  /** One entry of a map, or several in brackets. Comments on them have no place to be kept. */
  private entries(
    field: Field,
    entry: MessageSpec,
    result: { [key: string]: unknown },
    path: string,
    depth: number,
  ): void {
    const [key, content] = fieldsOf(entry)
    const map = (result[field.key] as Map<string, unknown> | undefined) ?? new Map<string, unknown>()
    result[field.key] = map
    const inner = `${path === '' ? '' : `${path}.`}${field.name}`
    const add = (): void => {
      const found = this.braced(field, entry, inner, depth)
      map.set(String(found['key'] ?? defaultOf(key!)), found['value'] ?? defaultOf(content!))
    }
    this.forward()
    if (this.isSymbol(':')) this.forward()
    if (!this.isSymbol('[')) {
      add()
      return
    }
    this.forward()
    while (!this.isSymbol(']')) {
      add()
      if (this.isSymbol(',')) this.forward()
      else if (!this.isSymbol(']')) throw new TextSyntaxError('"," or "]" was expected.', this.token)
    }
    this.forward()
  }

  private value(field: Field, path: string, depth: number): unknown {
    if (field.message === undefined) return this.scalar(field, path)
    return this.braced(field, field.message(), path, depth)
  }

  private braced(field: Field, spec: MessageSpec, path: string, depth: number): MessageValue {
    const close = this.isSymbol('{') ? '}' : this.isSymbol('<') ? '>' : undefined
    if (close === undefined) throw new TextSyntaxError(`"{" was expected: ${field.name} is a message.`, this.token)
    this.forward()
    const value = this.message(spec, close, path, depth + 1)
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
      code: this.code,
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
