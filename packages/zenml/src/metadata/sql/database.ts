import type { Work } from './work.ts'

/** What kind of database it is. MariaDB counts as mysql. */
export type DatabaseType = 'sqlite' | 'mysql' | 'postgres'

/** An open database, of whichever kind. Closes itself. */
export interface SqlDatabase extends AsyncDisposable {
  readonly type: DatabaseType
  /**
   * Runs work in one transaction that others see as a whole or not at all. A transaction that lost against another one is
   * tried again, with pauses that grow. Throws `ZEN_METADATA_BUSY` when that does not help, `ZEN_METADATA_CONNECTION` where the
   * server cannot be reached, and what the work throws; nothing has changed then. `ZEN_METADATA_UNCERTAIN` where a server went away
   * while it committed and cannot be asked whether it did.
   *
   * After a statement that failed the work must end; only SQLite and MySQL would let it go on.
   */
  write<T>(work: () => Work<T>): Promise<T>
  /** Runs work that only reads, on one state of the database. */
  read<T>(work: () => Work<T>): Promise<T>
}

/** What went wrong in the database itself, in words that do not depend on its kind. */
export class SqlError extends Error {
  /**
   * `unique`: a key is there already; `missing`: there is no such table or column; `range`: a number too large for its column;
   * `long`: a text; `text`: a character that the database does not keep.
   */
  readonly kind: 'unique' | 'missing' | 'range' | 'long' | 'text' | 'other'

  constructor(kind: SqlError['kind'], cause: unknown) {
    super(cause instanceof Error ? cause.message : String(cause), { cause })
    this.name = 'SqlError'
    this.kind = kind
  }
}
