import type { Kind, Neighbour } from './attributes.ts'

/** The row that a column is of: the node itself, its type, one of its properties, or a neighbour that the query named. */
export type Source =
  | { readonly kind: 'node' }
  | { readonly kind: 'property'; readonly name: string; readonly custom: boolean }
  | { readonly kind: 'neighbour'; readonly alias: string; readonly neighbour: Neighbour }

export interface Column {
  readonly is: 'column'
  readonly at: number
  readonly source: Source
  readonly name: string
  readonly kind: Kind
}

/** A value that the query wrote down; null is NULL. */
export interface Literal {
  readonly is: 'literal'
  readonly at: number
  readonly kind: 'int' | 'double' | 'string' | 'bool' | 'null'
  readonly value: null | bigint | number | string | boolean
}

export type Operand = Column | Literal

export type Comparator = '=' | '<>' | '<' | '<=' | '>' | '>='

/** Something that is true, false or unknown. */
export type Predicate =
  | { readonly is: 'all' | 'any'; readonly at: number; readonly of: readonly Predicate[] }
  | { readonly is: 'not'; readonly at: number; readonly of: Predicate }
  | { readonly is: 'constant'; readonly at: number; readonly value: boolean | null }
  | {
      readonly is: 'truth'
      readonly at: number
      readonly of: Predicate
      readonly value: boolean
      readonly not: boolean
    }
  | {
      readonly is: 'compare'
      readonly at: number
      readonly left: Operand
      readonly comparator: Comparator
      readonly right: Operand
      readonly orNull: boolean
    }
  | {
      readonly is: 'in'
      readonly at: number
      readonly left: Column
      readonly list: readonly Literal[]
      readonly not: boolean
      readonly orNull: boolean
    }
  | {
      readonly is: 'like'
      readonly at: number
      readonly left: Column
      readonly pattern: string | null
      readonly not: boolean
    }
  | {
      readonly is: 'between'
      readonly at: number
      readonly left: Column
      readonly low: Operand
      readonly high: Operand
      readonly not: boolean
    }
  | { readonly is: 'null'; readonly at: number; readonly left: Column; readonly not: boolean }

export type Expression = Operand | Predicate
