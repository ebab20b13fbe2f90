import { SourceMap } from 'node:module'
import { transformSync } from 'esbuild'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { applyEdits, type Edit, originalPosition, shiftMappings } from '../../src/code/text-edits.ts'

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
