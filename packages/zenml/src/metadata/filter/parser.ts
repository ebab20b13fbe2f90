import type { NodeKind } from './attributes.ts'
import { readColumn } from './columns.ts'
import { readTest } from './conditions.ts'
import { cursor } from './cursor.ts'
import { expected } from './expected.ts'
import type { Expression, Operand, Predicate } from './expression.ts'
import { literal, predicate } from './literals.ts'

/** How deep parentheses and NOT may be nested. */
export const deepest = 50

/**
 * Reads a whole query about nodes of a kind: a boolean expression of GoogleSQL, with the precedence of that language. Throws
 * INVALID_ARGUMENT with the place and what was expected there.
 */
export function parse(node: NodeKind, query: string): Predicate {
  const from = cursor(query)
  let depth = 0

  const nested = <T>(at: number, read: () => T): T => {
    if (++depth > deepest) throw expected(at, `at most ${deepest} parentheses and NOT within one another`)
    const result = read()
    depth--
    return result
  }
  const chain = (word: 'AND' | 'OR', is: 'all' | 'any', part: () => Expression) => (): Expression => {
    const { at } = from.next()
    const first = part()
    if (!from.keyword(word)) return first
    const of = [predicate(first)]
    do of.push(predicate(part()))
    while (from.keyword(word))
    return { is, at, of }
  }
  const primary = (): Expression => {
    const token = from.next()
    if (from.sign('(')) {
      const inner = nested(token.at, either)
      from.need(')')
      return inner
    }
    return literal(from) ?? attribute()
  }
  const attribute = (): Operand => {
    const token = from.next()
    if (token.kind !== 'word') throw expected(token.at, 'an attribute or a value')
    return readColumn(from, node)
  }
  const operand = (): Operand => {
    const { at } = from.next()
    const read = primary()
    if (read.is !== 'column' && read.is !== 'literal') throw expected(at, 'an attribute or a value')
    return read
  }
  const negation = (): Expression => {
    const { at } = from.next()
    if (from.keyword('NOT')) return { is: 'not', at, of: predicate(nested(at, negation)) }
    return readTest({ from, operand }, primary())
  }
  const either = chain('OR', 'any', chain('AND', 'all', negation))

  const whole = predicate(either())
  const behind = from.next()
  if (behind.kind !== 'end') throw expected(behind.at, 'AND, OR or the end')
  return whole
}
