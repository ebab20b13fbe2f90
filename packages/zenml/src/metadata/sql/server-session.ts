import type { Answer, Statement } from './work.ts'

/** An answer; `first` is the id of the first inserted row where the server said it. */
export type ServerAnswer = Answer & { readonly first?: number }

/** What became of a statement that was sent together with others. */
export type ServerOutcome = { readonly answer: ServerAnswer } | { readonly error: unknown }

/** One connection to a server. It runs one transaction at a time. */
export interface ServerSession {
  /** Whether the connection has ended. */
  readonly lost: boolean
  /** Starts a transaction: READ COMMITTED to write, one snapshot to read. */
  begin(mode: 'read' | 'write'): Promise<void>
  run(statement: Statement): Promise<ServerAnswer>
  /**
   * Sends statements without waiting for the answers in between; the server runs them one after the other. Where one fails, those
   * behind it may have run all the same, so that the transaction must be rolled back; their outcomes may be missing.
   */
  runAll(statements: readonly Statement[]): Promise<readonly ServerOutcome[]>
  end(how: 'COMMIT' | 'ROLLBACK'): Promise<void>
  close(): Promise<void>
  /** Ends the connection without a word to the server. */
  destroy(): void
}

/** What became of a transaction whose COMMIT was not answered. `ended`: it is over, and only its rows say how. */
export type Fate = 'committed' | 'undone' | 'ended' | 'unsure'

/** What differs between servers. */
export interface ServerDialect<S extends ServerSession> {
  readonly type: 'mysql' | 'postgres'
  /** How the place is called in messages. */
  readonly place: string
  /** Opens a connection; throws the driver's own error. */
  connect(): Promise<S>
  /** Finds out, over a new connection, what became of the transaction of one that was lost, and makes sure that it is over. */
  fate(lost: S, asking: S): Promise<Fate>
  /** What an error means: the connection is gone, another transaction was in the way, or neither. */
  kindOf(error: unknown): 'lost' | 'conflict' | 'other'
  /** An error of the driver as `SqlError` or `ZenmlError`. */
  inPlainWords(error: unknown): unknown
  /** A condition that is true where a column holds a value, NULL too. */
  same(column: string): string
}
