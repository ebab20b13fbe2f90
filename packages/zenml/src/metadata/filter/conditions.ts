import { enumValues, type Kind } from './attributes.ts'
import { type Cursor, isKeyword } from './cursor.ts'
import { expected } from './expected.ts'
import type { Column, Comparator, Expression, Literal, Operand } from './expression.ts'
import { literal, predicate } from './literals.ts'

/** Where the parser stands, and how it reads an attribute or a value. */
export interface Parsing {
  readonly from: Cursor
  readonly operand: () => Operand
}

const comparators: { readonly [sign: string]: Comparator } = {
  '=': '=',
  '!=': '<>',
  '<>': '<>',
  '<': '<',
  '<=': '<=',
  '>': '>',
  '>=': '>=',
}

/** Reads what is asked of an expression behind it: a comparison, IN, LIKE, BETWEEN or IS; gives the expression itself where nothing is. */
export function readTest({ from, operand }: Parsing, left: Expression): Expression {
  const token = from.next()
  const { at } = left
  const comparator =
    token.kind === 'sign' && Object.hasOwn(comparators, token.text) ? comparators[token.text] : undefined
  if (comparator !== undefined) {
    if (left.is !== 'column' && left.is !== 'literal') throw expected(token.at, 'AND, OR or the end')
    from.take()
    const equal = comparator === '=' || comparator === '<>'
    const named = equal && left.is === 'column' ? enumValue(from, left) : undefined
    const right = named ?? operand()
    if (left.is === 'literal' && right.is === 'literal')
      throw expected(at, 'an attribute on one side of the comparison')
    alike(left, right)
    return { is: 'compare', at, left, comparator, right, orNull: named !== undefined && comparator === '<>' }
  }
  if (from.keyword('IS')) {
    const not = from.keyword('NOT')
    if (from.keyword('NULL')) return { is: 'null', at, left: column(left), not }
    const value = from.keyword('TRUE')
    if (!value && !from.keyword('FALSE')) throw expected(from.next().at, 'NULL, TRUE or FALSE')
    return { is: 'truth', at, of: predicate(left), value, not }
  }
  const not = isKeyword(from.next(), 'NOT')
  const word = ['IN', 'LIKE', 'BETWEEN'].find((one) => isKeyword(from.next(not ? 1 : 0), one))
  if (word === undefined) return left
  const of = column(left)
  from.take()
  if (not) from.take()
  if (word === 'IN') {
    const list = readList(from, of)
    return { is: 'in', at, left: of, list, not, orNull: not && Object.hasOwn(enumValues, of.kind) }
  }
  if (word === 'LIKE') {
    const pattern = constant(from)
    if (of.kind !== 'string' || (pattern.kind !== 'string' && pattern.kind !== 'null'))
      throw expected(pattern.at, 'a string, and an attribute that is one')
    return { is: 'like', at: pattern.at, left: of, pattern: pattern.value as string | null, not }
  }
  const low = operand()
  alike(of, low)
  if (!from.keyword('AND')) throw expected(from.next().at, 'AND and the upper bound')
  const high = operand()
  alike(of, high)
  return { is: 'between', at, left: of, low, high, not }
}

function readList(from: Cursor, left: Column): readonly Literal[] {
  from.need('(')
  const list: Literal[] = []
  do {
    const value = enumValue(from, left) ?? constant(from)
    alike(left, value)
    list.push(value)
  } while (from.sign(','))
  from.need(')')
  return list
}

function constant(from: Cursor): Literal {
  const { at } = from.next()
  const value = literal(from)
  if (value === undefined) throw expected(at, 'a value')
  return value
}

/** Reads the name of an enum's value where the attribute is one. */
function enumValue(from: Cursor, { kind }: Column): Literal | undefined {
  const names = Object.hasOwn(enumValues, kind) ? enumValues[kind] : undefined
  if (names === undefined) return undefined
  const token = from.next()
  if (token.kind !== 'word' || token.quoted || !Object.hasOwn(names, token.text))
    throw expected(token.at, `one of the values ${Object.keys(names).join(', ')}`)
  from.take()
  return { is: 'literal', at: token.at, kind: 'int', value: BigInt(names[token.text]!) }
}

function column(expression: Expression): Column {
  if (expression.is !== 'column') throw expected(expression.at, 'an attribute in front of IS, IN, LIKE or BETWEEN')
  return expression
}

/** Refuses to compare what has no common order. */
function alike(left: Operand, right: Operand): void {
  const [one, other] = [family(left.kind), family(right.kind)]
  if (one === 'null' || other === 'null' || one === other) return
  throw expected(right.at, `${words[one]} to compare with ${words[one]}, not ${words[other]}`)
}

const words = { number: 'a number', string: 'a string', bool: 'TRUE or FALSE', null: 'NULL' } as const

function family(kind: Kind | 'null'): keyof typeof words {
  return kind === 'string' || kind === 'bool' || kind === 'null' ? kind : 'number'
}
