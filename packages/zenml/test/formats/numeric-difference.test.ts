import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { batchOf, createExamplesWriter } from '../../src/formats/examples.ts'
import { numericDifferences, ulp32, ulp64 } from '../../src/formats/numeric-difference.ts'

let place: string
let sides: [string, string]
beforeEach(() => {
  place = mkdtempSync(join(tmpdir(), 'zenml-numbers-'))
  sides = [join(place, 'before'), join(place, 'after')]
  for (const side of sides) mkdirSync(side)
})
afterEach(() => rmSync(place, { recursive: true }))

function write(path: string, before: string | Uint8Array, after: string | Uint8Array): void {
  writeFileSync(join(sides[0], path), before)
  writeFileSync(join(sides[1], path), after)
}

describe('numeric differences', () => {
  it('are found in JSON, number by number, where the rest is alike', async () => {
    write('value.json', '{"a":[1,2.5],"b":"x"}', `{"a":[1,${2.5 + 2 ** -51}],"b":"x"}`)
    expect(await numericDifferences('Json', ...sides)).toEqual([
      { path: 'value.json', values: 2, differing: 1, maxAbsolute: 2 ** -51, maxUlp: 1 },
    ])
  })

  it('are not told where more than numbers differs', async () => {
    write('value.json', '{"a":1,"b":"x"}', '{"a":2,"b":"y"}')
    write('keys.json', '{"a":1}', '{"b":2}')
    write('length.json', '[1]', '[1,2]')
    write('no.json', 'not JSON', '1')
    expect(await numericDifferences('Json', ...sides)).toEqual([])
  })

  it('are found in the weights of a model as float32', async () => {
    const next = new Float32Array([1, 2, 3])
    const bits = new Uint32Array(next.buffer)
    const before = Buffer.from(next.buffer.slice(0))
    bits[1]! += 3
    write('weights.bin', before, Buffer.from(next.buffer))
    expect(await numericDifferences('Model', ...sides)).toEqual([
      { path: 'weights.bin', values: 3, differing: 1, maxAbsolute: 3 * 2 ** -22, maxUlp: 3 },
    ])
  })

  it('say that a number became none', async () => {
    write(
      'weights.bin',
      Buffer.from(new Float32Array([1, 2]).buffer),
      Buffer.from(new Float32Array([1, Number.NaN]).buffer),
    )
    expect(await numericDifferences('Model', ...sides)).toEqual([
      { path: 'weights.bin', values: 2, differing: 1, maxAbsolute: null, maxUlp: null },
    ])
  })

  it('are found in examples by split and feature', async () => {
    for (const [index, side] of sides.entries()) {
      const writer = await createExamplesWriter(side)
      await writer.write(
        'train',
        batchOf([
          { x: 0.5, y: 1.5, z: 'a' },
          { x: 0.25 + index / 4, y: 2.5, z: 'b' },
        ]),
      )
      await writer.finish()
    }
    expect(await numericDifferences('Examples', ...sides)).toEqual([
      { path: 'Split-train#x', values: 2, differing: 1, maxAbsolute: 0.25, maxUlp: 2 ** 23 },
    ])
  })

  it('count the numbers between two, symmetrically, across zero too', () => {
    expect(ulp32(0, -0)).toBe(0)
    expect(ulp32(2 ** -149, -(2 ** -149))).toBe(2)
    expect(ulp64(1, 1 + Number.EPSILON)).toBe(1)
    fc.assert(
      fc.property(fc.float({ noNaN: true }), fc.float({ noNaN: true }), fc.float({ noNaN: true }), (a, b, c) => {
        expect(ulp32(a, b)).toBe(ulp32(b, a))
        const [low, middle, high] = [a, b, c].sort((x, y) => x - y) as [number, number, number]
        expect(ulp32(low, high)).toBe(ulp32(low, middle) + ulp32(middle, high))
      }),
    )
  })
})
