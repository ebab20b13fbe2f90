import type { DatabaseType } from '../sql/database.ts'
import { expected } from './expected.ts'

/** A pattern in the words of a database, to be bound. */
export interface Pattern {
  readonly operator: 'GLOB' | 'LIKE'
  readonly value: string
  /** What stands behind it. */
  readonly behind: '' | " ESCAPE '!'"
}

/** How long a pattern may be, in UTF-16 code units: SQLite takes no more than 50,000 bytes. */
const longestPattern = 12_000

/**
 * Says a LIKE of GoogleSQL, where a backslash makes the next character stand for itself and case counts, in the words of a database.
 * SQLite's own LIKE does not tell the case of ASCII letters apart, so that it gets a GLOB there, which does.
 */
export function patternFor(dialect: DatabaseType, pattern: string, at: number): Pattern {
  if (pattern.length > longestPattern) throw expected(at, `a pattern of at most ${longestPattern} characters`)
  const glob = dialect === 'sqlite'
  const [anything, one] = glob ? ['*', '?'] : ['%', '_']
  const itself = (character: string): string => {
    if (glob) return /[*?[]/.test(character) ? `[${character}]` : character
    return /[%_!]/.test(character) ? `!${character}` : character
  }
  let value = ''
  let last = ''
  const characters = [...pattern]
  for (let index = 0; index < characters.length; index++) {
    let character = characters[index]!
    let said: string
    if (character === '\\') {
      if (++index === characters.length) throw expected(at, 'a pattern that does not end with a lone backslash')
      character = characters[index]!
      said = itself(character)
    } else said = character === '%' ? anything : character === '_' ? one : itself(character)
    // Several in a row mean no more than one, and cost a database time.
    if (said === anything && last === anything) continue
    value += said
    last = said
  }
  return { operator: glob ? 'GLOB' : 'LIKE', value, behind: glob ? '' : " ESCAPE '!'" }
}
