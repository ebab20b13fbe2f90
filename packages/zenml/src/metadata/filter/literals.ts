import type { Cursor } from './cursor.ts'
import { expected } from './expected.ts'
import type { Expression, Literal, Predicate } from './expression.ts'

/** An expression where something true or false belongs. */
export function predicate(expression: Expression): Predicate {
  if (expression.is === 'column' && expression.kind === 'bool') {
    const right = { is: 'literal', at: expression.at, kind: 'bool', value: true } as const
    return { is: 'compare', at: expression.at, left: expression, comparator: '=', right, orNull: false }
  }
  if (expression.is === 'literal' && (expression.kind === 'bool' || expression.kind === 'null'))
    return { is: 'constant', at: expression.at, value: expression.value as boolean | null }
  if (expression.is === 'column' || expression.is === 'literal')
    throw expected(expression.at, 'a condition, true or false')
  return expression
}

/** Reads a value, if one stands there. */
export function literal(from: Cursor): Literal | undefined {
  const { at } = from.next()
  const negative = from.sign('-')
  const signed = negative || from.sign('+')
  const token = from.next()
  if (token.kind === 'integer' || token.kind === 'double') {
    from.take()
    if (token.kind === 'double')
      return { is: 'literal', at, kind: 'double', value: negative ? -token.value : token.value }
    const value = negative ? -token.value : token.value
    if (BigInt.asIntN(64, value) !== value) throw expected(at, 'a whole number of 64 bits')
    return { is: 'literal', at, kind: 'int', value }
  }
  if (signed) throw expected(token.at, 'a number')
  if (token.kind === 'string') {
    from.take()
    return { is: 'literal', at, kind: 'string', value: token.value }
  }
  if (from.keyword('TRUE')) return { is: 'literal', at, kind: 'bool', value: true }
  if (from.keyword('FALSE')) return { is: 'literal', at, kind: 'bool', value: false }
  if (from.keyword('NULL')) return { is: 'literal', at, kind: 'null', value: null }
  return undefined
}
