/** A change of a text: `remove` characters at `at` make room for `insert`. Neither holds a line break. */
export interface Edit {
  readonly at: number
  readonly remove: number
  readonly insert: string
}

/** Applies edits that do not overlap, in any order. */
export function applyEdits(text: string, edits: readonly Edit[]): string {
  const parts: string[] = []
  let position = 0
  for (const { at, remove, insert } of inOrder(edits)) {
    parts.push(text.slice(position, at), insert)
    position = at + remove
  }
  return parts.join('') + text.slice(position)
}

/**
 * Moves the generated columns of a source map's `mappings` past the edits of the generated text, so that positions stay right.
 * Mappings are the Base64 VLQ of the source map format (ECMA-426): groups by line, the first field the column's difference to
 * the one before in the line.
 */
export function shiftMappings(mappings: string, text: string, edits: readonly Edit[]): string {
  if (edits.length === 0) return mappings
  const byLine = groupByLine(text, edits)
  return mappings
    .split(';')
    .map((line, index) => {
      const shifts = byLine.get(index)
      return shifts === undefined || line === '' ? line : shiftLine(line, shifts)
    })
    .join(';')
}

/** The original line and column (both from 0) of an offset in the generated text; undefined where the map has none. */
export function originalPosition(
  mappings: string,
  text: string,
  at: number,
): { readonly line: number; readonly column: number } | undefined {
  const before = text.slice(0, at).split('\n')
  const wanted = { line: before.length - 1, column: before.at(-1)!.length }
  let found: { line: number; column: number } | undefined
  let [line, column] = [0, 0]
  for (const [index, group] of mappings
    .split(';')
    .slice(0, wanted.line + 1)
    .entries()) {
    let generated = 0
    for (const segment of group === '' ? [] : group.split(',')) {
      const fields = decodeSegment(segment)
      generated += fields[0]!
      if (fields.length < 4) continue
      line += fields[2]!
      column += fields[3]!
      if (index < wanted.line || generated <= wanted.column) found = { line, column }
    }
  }
  return found
}

/** The fields of one segment of `mappings`, which must be well-formed (see `isMappings`). */
export function decodeSegment(segment: string): number[] {
  const fields: number[] = []
  for (let rest = segment; rest !== ''; ) {
    const [value, length] = decodeVlq(rest)
    fields.push(value)
    rest = rest.slice(length)
  }
  return fields
}

/** Whether a text is well-formed `mappings`: every number ends, so that reading it does, too. */
export function isMappings(text: string): boolean {
  return /^(?:[g-z0-9+/]*[A-Za-f]|[,;])*$/.test(text)
}

interface Shift {
  readonly column: number
  readonly by: number
}

function groupByLine(text: string, edits: readonly Edit[]): Map<number, Shift[]> {
  const byLine = new Map<number, Shift[]>()
  let line = 0
  let start = 0
  for (const { at, remove, insert } of inOrder(edits)) {
    for (let next = text.indexOf('\n', start); next >= 0 && next < at; next = text.indexOf('\n', start)) {
      line++
      start = next + 1
    }
    const shifts = byLine.get(line) ?? []
    shifts.push({ column: at - start, by: insert.length - remove })
    byLine.set(line, shifts)
  }
  return byLine
}

function shiftLine(line: string, shifts: readonly Shift[]): string {
  let column = 0
  let shiftedBefore = 0
  return line
    .split(',')
    .map((segment) => {
      const [difference, length] = decodeVlq(segment)
      column += difference
      const shifted = shifts.reduce((sum, shift) => (shift.column <= column ? sum + shift.by : sum), column)
      const result = encodeVlq(shifted - shiftedBefore) + segment.slice(length)
      shiftedBefore = shifted
      return result
    })
    .join(',')
}

const digits = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/'

/** The first number of a segment and how many characters it took. */
function decodeVlq(segment: string): readonly [value: number, length: number] {
  let value = 0
  let shift = 0
  let index = 0
  for (;;) {
    const digit = digits.indexOf(segment[index++]!)
    value |= (digit & 31) << shift
    if ((digit & 32) === 0) break
    shift += 5
  }
  return [(value & 1) === 1 ? -(value >>> 1) : value >>> 1, index]
}

function encodeVlq(value: number): string {
  let rest = value < 0 ? (-value << 1) | 1 : value << 1
  let text = ''
  do {
    const digit = rest & 31
    rest >>>= 5
    text += digits[rest > 0 ? digit | 32 : digit]
  } while (rest > 0)
  return text
}

function inOrder(edits: readonly Edit[]): Edit[] {
  return [...edits].sort((a, b) => a.at - b.at)
}
