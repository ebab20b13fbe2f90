import type { DatabaseType } from '../sql/database.ts'
import type { SqlValue } from '../sql/work.ts'
import type { NodeKind } from './attributes.ts'
import { exact } from './exact.ts'
import { expected } from './expected.ts'
import type { Column, Literal, Operand, Predicate } from './expression.ts'
import { type Joins, joinsOf } from './joins.ts'
import { patternFor } from './like.ts'
import { parse } from './parser.ts'

/** A filter in the words of a database, for `SELECT DISTINCT n.id … FROM <Node> n <joins> WHERE <where>`. */
export interface CompiledFilter {
  readonly joins: string
  readonly where: string
  /** What is bound to the `?` of `joins` and then of `where`. */
  readonly values: readonly SqlValue[]
}

/** How many values a query may bind: a database takes 32,766 at least, and the statement has others. */
const mostValues = 10_000

/**
 * Compiles a `filter_query` of ML Metadata. The text consists of fixed words only; every value and every name of a property is bound.
 * Throws `StatusError` INVALID_ARGUMENT with the place and what was expected there, an empty query included.
 *
 * @example compileFilter('Artifact', `type = "Model" AND properties.span.int_value > 3`, 'sqlite')
 */
export function compileFilter(node: NodeKind, query: string, dialect: DatabaseType): CompiledFilter {
  const joins = joinsOf(node, dialect)
  const values: SqlValue[] = []
  const where = compiler(dialect, joins, values)(parse(node, query))
  if (values.length > mostValues) throw expected(0, `a query with at most ${mostValues} values`)
  return { joins: joins.text(), where, values: [...joins.values(), ...values] }
}

function compiler(dialect: DatabaseType, joins: Joins, values: SqlValue[]): (predicate: Predicate) => string {
  const bind = (value: SqlValue, text = '?'): string => {
    values.push(value)
    return text
  }
  const literal = ({ kind, value }: Literal): string => {
    if (value === null) return 'NULL'
    if (kind === 'int') {
      const number = Number(value)
      // PostgreSQL would take the type of the column, which may be narrower than the value.
      return bind(Number.isSafeInteger(number) ? number : value, dialect === 'postgres' ? 'CAST(? AS BIGINT)' : '?')
    }
    if (kind === 'double') return bind(value, dialect === 'postgres' ? 'CAST(? AS DOUBLE PRECISION)' : '?')
    return bind(value)
  }
  const plain = (operand: Operand): string => (operand.is === 'column' ? joins.column(operand) : literal(operand))
  const strictly = (operand: Operand): string =>
    operand.kind === 'string' ? exact(dialect, plain(operand)) : plain(operand)
  /** A test for equality. MySQL finds rows by the column's own collation, by its index, and then compares exactly. */
  const equality = (operand: Column, said: (side: (operand: Operand) => string) => string): string =>
    dialect === 'mysql' && operand.kind === 'string' ? `(${said(plain)} AND ${said(strictly)})` : said(plain)
  const orNull = (left: Operand, wanted: boolean, text: string): string =>
    wanted ? `(${text} OR ${plain(left)} IS NULL)` : text

  /** Joins conditions as a balanced tree: databases bound the depth of expressions, and a long chain is a deep one. */
  const balanced = (parts: readonly string[], word: 'AND' | 'OR'): string => {
    if (parts.length === 1) return parts[0]!
    const half = Math.ceil(parts.length / 2)
    return `(${balanced(parts.slice(0, half), word)} ${word} ${balanced(parts.slice(half), word)})`
  }

  const compile = (predicate: Predicate): string => {
    switch (predicate.is) {
      case 'all':
      case 'any':
        return balanced(predicate.of.map(compile), predicate.is === 'all' ? 'AND' : 'OR')
      case 'not':
        return `(NOT ${compile(predicate.of)})`
      case 'constant':
        // PostgreSQL wants a condition that is a boolean one, be it unknown.
        return predicate.value === null ? '(NULL = 0)' : predicate.value ? '(1 = 1)' : '(1 = 0)'
      case 'truth':
        return `(${compile(predicate.of)} IS ${predicate.not ? 'NOT ' : ''}${predicate.value ? 'TRUE' : 'FALSE'})`
      case 'compare': {
        const { left, right, comparator } = predicate
        const column = left.is === 'column' ? left : (right as Column)
        const said = (side: (operand: Operand) => string) => `(${side(left)} ${comparator} ${side(right)})`
        return orNull(left, predicate.orNull, comparator === '=' ? equality(column, said) : said(strictly))
      }
      case 'in': {
        const { left, list, not } = predicate
        const said = (side: (operand: Operand) => string) => `(${side(left)} IN (${list.map(side).join(', ')}))`
        const text = equality(left, said)
        return orNull(left, predicate.orNull, not ? `(NOT ${text})` : text)
      }
      case 'like': {
        const { left, pattern, not, at } = predicate
        const column = plain(left)
        // Case counts, and each _ is a character, not a byte.
        const side = dialect === 'mysql' ? `CONVERT(${column} USING utf8mb4) COLLATE utf8mb4_bin` : column
        if (pattern === null) return '(NULL = 0)'
        const { operator, value, behind } = patternFor(dialect, pattern, at)
        return `(${side} ${not ? 'NOT ' : ''}${operator} ${bind(value)}${behind})`
      }
      case 'between':
        return `(${strictly(predicate.left)} ${predicate.not ? 'NOT ' : ''}BETWEEN ${strictly(predicate.low)} AND ${strictly(predicate.high)})`
      case 'null':
        return `(${plain(predicate.left)} IS ${predicate.not ? 'NOT ' : ''}NULL)`
    }
  }
  return compile
}
