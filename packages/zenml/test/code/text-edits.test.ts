import { SourceMap } from 'node:module'
import { transformSync } from 'esbuild'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import {
  applyEdits,
  decodeSegment,
  type Edit,
  isMappings,
  originalPosition,
  shiftMappings,
} from '../../src/code/text-edits.ts'

const source = `const first = call( 1 ), second =\n  other(\n 2)\n\nexport const third: number = first + second + Math.max(...[\n1, 2].map((x) => x * 100_000))\n`
const { code, map } = transformSync(source, { loader: 'ts', sourcemap: 'external', minifyWhitespace: true })
const mappings = (JSON.parse(map) as { mappings: string }).mappings

const edits: fc.Arbitrary<Edit[]> = fc
  .uniqueArray(fc.nat(code.length - 1), { maxLength: 12 })
  .chain((places) =>
    fc.tuple(
      ...places.map((at) =>
        fc.record({ at: fc.constant(at), remove: fc.constant(0), insert: fc.stringMatching(/^[a-z ]{0,40}$/) }),
      ),
    ),
  )

it('positions lead to the same place of the source after any insertions', () => {
  fc.assert(
    fc.property(edits, (made) => {
      const edited = applyEdits(code, made)
      const shifted = new SourceMap({ ...JSON.parse(map), mappings: shiftMappings(mappings, code, made) })
      const original = new SourceMap(JSON.parse(map))
      for (let at = 0; at < code.length; at += 3) {
        const before = made.reduce((sum, edit) => (edit.at <= at ? sum + edit.insert.length : sum), 0)
        expect(edited[at + before]).toBe(code[at])
        const place = ({
          originalLine,
          originalColumn,
        }: {
          originalLine?: number
          originalColumn?: number
        }): unknown => [originalLine, originalColumn]
        const lineOf = (text: string, offset: number): [number, number] => {
          const lines = text.slice(0, offset).split('\n')
          return [lines.length - 1, lines.at(-1)!.length]
        }
        expect(place(shifted.findEntry(...lineOf(edited, at + before)) as {})).toEqual(
          place(original.findEntry(...lineOf(code, at)) as {}),
        )
      }
    }),
    { numRuns: 50 },
  )
})

it('original positions are those that Node finds', () => {
  const original = new SourceMap(JSON.parse(map))
  for (let at = 0; at < code.length; at++) {
    const lines = code.slice(0, at).split('\n')
    const entry = original.findEntry(lines.length - 1, lines.at(-1)!.length) as {
      originalLine?: number
      originalColumn?: number
    }
    const found = originalPosition(mappings, code, at)
    expect([found?.line, found?.column]).toEqual([entry.originalLine, entry.originalColumn])
  }
})

it('replacements keep the rest of the text', () => {
  expect(
    applyEdits('abcdef', [
      { at: 4, remove: 1, insert: 'E' },
      { at: 0, remove: 2, insert: '' },
    ]),
  ).toBe('cdEf')
  expect(applyEdits('abc', [])).toBe('abc')
  expect(shiftMappings('AAAA', 'abc', [])).toBe('AAAA')
})

it('the fields of a segment are Base64 VLQ, as ECMA-426 has it', () => {
  expect(decodeSegment('')).toEqual([])
  expect(decodeSegment('AACAC')).toEqual([0, 0, 1, 0, 1])
  expect(decodeSegment('CDEFe')).toEqual([1, -1, 2, -2, 15])
  expect(decodeSegment('gBhBggggC+/////B')).toEqual([16, -16, 1 << 20, 2 ** 30 - 1])
})

it('mappings are well-formed exactly where every number ends', () => {
  for (const text of ['', ';', ',', 'A', 'AAAA;AACA,gBAAC;;', 'g+/9zA', 'f'].values())
    expect(isMappings(text)).toBe(true)
  for (const text of ['g', 'Ag', 'g,A', 'g;', 'A A', 'A-', 'é', 'A\n', '=', 'A=A']) expect(isMappings(text)).toBe(false)
})

it('several edits of one line, in any order, move the columns after them, and no other line', () => {
  // Columns 0, 4 and 8 of the first line, 0 and 2 of the third.
  const text = 'abcdefghij\n\nxyz'
  const maps = 'AAAA,IAAI,IAAI;;AACA,EAAE'
  const made: Edit[] = [
    { at: 8, remove: 0, insert: 'zz' },
    { at: 2, remove: 1, insert: '' },
    { at: 13, remove: 1, insert: 'y'.repeat(20) },
  ]
  expect(applyEdits(text, made)).toBe(`abdefghzzij\n\nx${'y'.repeat(20)}z`)
  expect(shiftMappings(maps, text, made)).toBe('AAAA,GAAI,MAAI;;AACA,qBAAE')
  expect(shiftMappings(maps, text, [...made].reverse())).toBe('AAAA,GAAI,MAAI;;AACA,qBAAE')
})

it('positions before the first mapping, and of segments without a source, have no original', () => {
  expect(originalPosition('EAAA', 'abcd', 1)).toBeUndefined()
  expect(originalPosition('EAAA', 'abcd', 2)).toEqual({ line: 0, column: 0 })
  expect(originalPosition('A,EAAC', 'abcd', 1)).toBeUndefined()
  expect(originalPosition('A,EACC', 'abcd', 3)).toEqual({ line: 1, column: 1 })
  expect(originalPosition('', 'abcd', 3)).toBeUndefined()
})
