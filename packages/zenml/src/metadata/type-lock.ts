import { change, type Work } from './sql/work.ts'

/**
 * Lets other connections that add types wait: `Type` has no key that would keep two of one name apart. A change that changes nothing
 * holds its row, and so the others, until the transaction ends, on every kind of database.
 */
export function* lockTypes(): Work<void> {
  yield* change('UPDATE MLMDEnv SET schema_version = schema_version')
}
