import { compareText } from '../base/canonical.ts'
import { type Field, fieldsOf, type MessageSpec, type MessageValue } from '../base/proto/proto-message.ts'

/**
 * Writes a message in the text format, laid out as Python's `text_format.MessageToString` does: fields in the order of their
 * numbers, two spaces a level, floats in their shortest form with a point, UTF-8 as it is.
 */
export function printText(spec: MessageSpec, message: MessageValue): string {
  const lines: string[] = []
  printMessage(spec, message, '', lines)
  return lines.length === 0 ? '' : `${lines.join('\n')}\n`
}

function printMessage(spec: MessageSpec, message: MessageValue, indent: string, lines: string[]): void {
  const comments = (message['comments'] ?? {}) as { readonly [place: string]: readonly string[] }
  for (const field of fieldsOf(spec)) {
    const value = message[field.key]
    if (value === undefined) continue
    if (field.entry !== undefined) {
      printMap(field, field.entry, value as ReadonlyMap<string, unknown>, indent, lines)
      continue
    }
    const items = field.repeated ? (value as readonly unknown[]) : [value]
    for (const [index, item] of items.entries()) {
      for (const line of comments[field.repeated ? `${field.name}[${index}]` : field.name] ?? [])
        lines.push(indent + line)
      if (field.message === undefined) {
        lines.push(`${indent}${field.name}: ${printScalar(field, item)}`)
        continue
      }
      lines.push(`${indent}${field.name} {`)
      printMessage(field.message(), item as MessageValue, `${indent}  `, lines)
      lines.push(`${indent}}`)
    }
  }
  for (const line of comments[''] ?? []) lines.push(indent + line)
}

/** Entries in the order of their keys. */
function printMap(
  field: Field,
  entry: MessageSpec,
  map: ReadonlyMap<string, unknown>,
  indent: string,
  lines: string[],
): void {
  for (const [key, value] of [...map].sort(([left], [right]) => compareText(left, right))) {
    lines.push(`${indent}${field.name} {`)
    printMessage(entry, { key, value }, `${indent}  `, lines)
    lines.push(`${indent}}`)
  }
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
