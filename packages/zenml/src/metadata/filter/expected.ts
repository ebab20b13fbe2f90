import { invalid, type StatusError } from '../api/status.ts'

/** The answer to a query that does not follow the grammar: where, counted in characters from 1, and what was expected there. */
export function expected(at: number, what: string): StatusError {
  return invalid(`filter_query, character ${at + 1}: expected ${what}.`)
}
