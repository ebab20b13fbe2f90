import { change, type Work } from './sql/work.ts'

/**
 * Lets other connections wait that add types, of which no key keeps two of one name apart, or that put contexts below others. A change that changes nothing
 * holds its row, and so the others, until the transaction ends, on every kind of database.
 */
export function* lockTypes(): Work<void> {
  yield* change('UPDATE MLMDEnv SET schema_version = schema_version')
}
