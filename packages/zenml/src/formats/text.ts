import type { BytesColumn } from './batch.ts'

/**
 * One value of a bytes column as text; bytes that are no UTF-8 become U+FFFD. Fast for short ASCII.
 *
 * @example
 * const column = batchOf([{ word: 'a' }, { word: 'bc' }]).columns.get('word')!
 * const text = column.kind === 'bytes' ? textAt(column, 1) : undefined
 * text // 'bc'
 */
export function textAt(column: BytesColumn, value: number): string {
  return decodeText(column.data, value === 0 ? 0 : column.ends[value - 1]!, column.ends[value]!)
}

/** UTF-8 bytes as text; what is no UTF-8 becomes U+FFFD. Short ASCII without a call into the engine. */
export function decodeText(data: Uint8Array, start: number, end: number): string {
  if (end - start > 8) return lenient.decode(data.subarray(start, end))
  let text = ''
  for (let at = start; at < end; at++) {
    const byte = data[at]!
    if (byte > 0x7f) return lenient.decode(data.subarray(start, end))
    text += String.fromCharCode(byte)
  }
  return text
}

/** UTF-8 bytes as text, or undefined where they are none. */
export function strictText(data: Uint8Array): string | undefined {
  try {
    return strict.decode(data)
  } catch {
    return undefined // the one thing that a strict decoder throws for
  }
}

const lenient = new TextDecoder('utf-8', { ignoreBOM: true })
const strict = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })
