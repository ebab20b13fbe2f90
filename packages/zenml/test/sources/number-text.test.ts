import fc from 'fast-check'
import { expect, it } from 'vitest'
import { found, readNumber } from '../../src/sources/number-text.ts'

const integer = /^[+-]?(?:0|[1-9]\d*)$/
const decimal = /^[+-]?(?:(?:0|[1-9]\d*)(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?$/

function expected(text: string): string {
  if (!integer.test(text)) return decimal.test(text) ? 'float' : 'bytes'
  const value = BigInt(text.replace('+', ''))
  return BigInt.asIntN(64, value) === value ? 'int' : 'float'
}

function check(text: string): void {
  const bytes = Buffer.from(`x${text}y`)
  const kind = readNumber(bytes, 1, bytes.length - 1)
  expect([text, kind]).toEqual([text, expected(text)])
  if (kind === 'bytes') return
  expect([text, found.value]).toEqual([text, Number(text) === 0 && kind === 'int' ? 0 : Number(text)])
  if (kind === 'int') expect(found.big ?? BigInt(found.value)).toBe(BigInt(text.replace('+', '')))
}

it('texts are numbers by the two patterns, with the value that Number gives to the last bit', () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
        fc.double({ noNaN: true, noDefaultInfinity: true, min: -1e6, max: 1e6 }).map((value) => value.toFixed(4)),
        fc.bigInt({ min: -(2n ** 66n), max: 2n ** 66n }).map(String),
        fc.string({ unit: fc.constantFrom(...'0123456789+-.eE x'), maxLength: 24 }),
      ),
      check,
    ),
    { numRuns: 3000 },
  )
})

it.each([
  '0', '-0', '+0', '00', '007', '-7', '+7', '.', '.5', '5.', '-.5', '+-1', '1e5', '1e', '1e+', '1E-7', '1e400', '5e-324',
  '123456789012345', '1234567890123456', '9223372036854775807', '9223372036854775808', '-9223372036854775808',
  '9007199254740993', '0.1234567890123456789', '0.000000000000000000000000012', '', ' 1', '1 ', 'NaN', 'Infinity', '0x1f', '1_000',
])('the text "%s" is told by the same rule', check) // biome-ignore format: a list
