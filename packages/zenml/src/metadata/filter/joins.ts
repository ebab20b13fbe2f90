import { typeKind } from '../schema-10.ts'
import type { DatabaseType } from '../sql/database.ts'
import type { SqlValue } from '../sql/work.ts'
import type { NodeKind } from './attributes.ts'
import { exact } from './exact.ts'
import { expected } from './expected.ts'
import type { Column } from './expression.ts'

/** How many neighbours a query may name: each multiplies the rows that the database looks at. */
export const mostNeighbours = 8

/** How many properties a query may name. The tables of all together stay under the 61 that MySQL joins at most. */
export const mostProperties = 24

/** The tables that columns of a query are in, each joined once. */
export interface Joins {
  /** The column in the words of SQL; joins its table first. */
  readonly column: (column: Column) => string
  readonly text: () => string
  readonly values: () => readonly SqlValue[]
}

const owner = { Artifact: 'artifact_id', Execution: 'execution_id', Context: 'context_id' } as const
const kinds = { Artifact: typeKind.artifact, Execution: typeKind.execution, Context: typeKind.context } as const

/**
 * Joins on behalf of a query about nodes of a kind, which stand as `n`. Every join is an inner one, as in Google's library: a node
 * without a property that the query mentions anywhere is not found, whatever is asked about it.
 */
export function joinsOf(node: NodeKind, dialect: DatabaseType): Joins {
  const texts: string[] = []
  const bound: SqlValue[] = []
  const aliases = new Map<string, string>()
  const counts = { property: 0, neighbour: 0 }

  const alias = (key: string, join: (alias: string) => void): string => {
    const known = aliases.get(key)
    if (known !== undefined) return known
    const fresh = `t${aliases.size + 1}`
    aliases.set(key, fresh)
    join(fresh)
    return fresh
  }
  const typeOf = (key: string, kind: NodeKind, of: string): string =>
    alias(`type ${key}`, (t) => {
      texts.push(`JOIN Type ${t} ON ${t}.id = ${of}.type_id AND ${t}.type_kind = ?`)
      bound.push(kinds[kind])
    })
  const counted = (what: keyof typeof counts, most: number, at: number, words: string): void => {
    if (++counts[what] > most) throw expected(at, `at most ${most} different ${words} in one query`)
  }

  const column = ({ source, name, kind, at }: Column): string => {
    if (source.kind === 'node') return name === 'type' ? `${typeOf('of n', node, 'n')}.name` : `n.${name}`
    if (source.kind === 'property') {
      const property = alias(`property ${source.custom} ${source.name}`, (t) => {
        counted('property', mostProperties, at, 'properties')
        const custom = source.custom ? 'TRUE' : 'FALSE'
        const named = [`${t}.name = ?`]
        // MySQL finds the row by the collation of the column, and tells names apart that differ in case.
        if (dialect === 'mysql') named.push(`${exact(dialect, `${t}.name`)} = ${exact(dialect, '?')}`)
        texts.push(
          `JOIN ${node}Property ${t} ON ${t}.${owner[node]} = n.id AND ${t}.is_custom_property = ${custom} AND ${named.join(' AND ')}`,
        )
        bound.push(...named.map(() => source.name))
      })
      return `${property}.${name}`
    }
    const { table, over, here, there } = source.neighbour
    const neighbour = alias(`neighbour ${source.alias}`, (t) => {
      counted('neighbour', mostNeighbours, at, 'contexts, events, artifacts and executions')
      if (table === undefined) texts.push(`JOIN ${over} ${t} ON ${t}.${here} = n.id`)
      else texts.push(`JOIN ${over} e${t} ON e${t}.${here} = n.id JOIN ${table} ${t} ON ${t}.id = e${t}.${there}`)
    })
    if (name === 'type' && kind === 'string') return `${typeOf(source.alias, table!, neighbour)}.name`
    return `${neighbour}.${name}`
  }
  return { column, text: () => texts.join(' '), values: () => bound }
}
