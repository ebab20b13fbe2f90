/** A value that is bound to a statement. Booleans are what the database has for them. */
export type SqlValue = null | number | bigint | string | boolean | Uint8Array

/** A row by column name. Whole numbers are numbers where these are exact and bigints beyond; booleans are 0 and 1. */
export interface Row {
  readonly [column: string]: null | number | bigint | string | Uint8Array
}

/**
 * A statement in the words that all databases share: `?` for each value, unquoted names, `TRUE` and `FALSE`. `CROSS JOIN` is said
 * where SQLite and MySQL shall read the tables in just this order.
 */
export interface Query {
  readonly text: string
  readonly values: readonly SqlValue[]
  /** Set where whole numbers beyond 2^53 may come: those cost SQLite time. */
  readonly wide?: boolean
  /**
   * Set to read rows that nobody else may change before the transaction ends. In SQLite a writer is alone anyway. All that must
   * not happen twice at once, as making a type, first locks the row of MLMDEnv and then looks again.
   */
  readonly locking?: boolean
}

/** Rows to be inserted by one statement; how that is said, and how their ids come back, differs by database. */
export interface Insert {
  readonly table: string
  readonly columns: readonly string[]
  /** At least one, each as long as `columns`. */
  readonly rows: readonly (readonly SqlValue[])[]
  /**
   * What happens to a row whose key is there. `fail`, the default: `SqlError` of the kind `unique`; `ignore`: the one that is there
   * stays; columns by name: these are overwritten. `keys` are the columns of the key.
   */
  readonly onConflict?: 'fail' | 'ignore' | { readonly keys: readonly string[]; readonly update: readonly string[] }
  /** Whether the ids that the database gave are wanted, in the order of the rows; not together with `onConflict`. */
  readonly ids?: boolean
}

/** What work may ask of a database. */
export type Statement = Query | Insert

/**
 * Statements that need nothing of one another's answers: a server gets them in one go, and the way to it costs once. They run one
 * after the other as they stand here. Made by `together`.
 */
export interface Batch {
  readonly batch: readonly Statement[]
}

/** What became of a statement of a batch. */
export type Outcome = { readonly answer: Answer } | { readonly error: unknown }

/** What a database answers. */
export interface Answer {
  readonly rows: readonly Row[]
  /** Ids of inserted rows, where they were asked for. */
  readonly ids: readonly number[]
  /** How many rows a changing statement changed. */
  readonly changes: number
  /** To a batch, and only to that: what became of each statement, or of those up to the first that failed. */
  readonly outcomes?: readonly Outcome[]
}

/**
 * Work of one transaction, written once for all databases: it yields statements and is given their answers. SQLite drives it
 * without a pause, MySQL and PostgreSQL await each answer. It must do nothing that cannot be done again, since a transaction
 * that lost against another one is started anew.
 */
export type Work<T> = Generator<Statement | Batch, T, Answer>

/** The rows of a query. */
export function* select<R extends object = Row>(
  text: string,
  values: readonly SqlValue[] = [],
  { wide = false, locking = false }: { readonly wide?: boolean; readonly locking?: boolean } = {},
): Work<readonly R[]> {
  const answer = yield { text, values, wide, locking }
  return answer.rows as readonly unknown[] as readonly R[]
}

/** The first row of a query, or undefined. */
export function* selectOne<R extends object = Row>(
  text: string,
  values: readonly SqlValue[] = [],
): Work<R | undefined> {
  return (yield* select<R>(text, values))[0]
}

/** Changes rows and gives their number. */
export function* change(text: string, values: readonly SqlValue[] = []): Work<number> {
  return (yield { text, values }).changes
}

/** Values that one statement may carry: the least of the databases' limits is SQLite's 32,766. */
const mostValues = 30_000

/** Inserts rows in as few statements as may be; gives their ids where `ids` is set. */
export function* insert(statement: Insert): Work<readonly number[]> {
  const { rows, columns } = statement
  if (rows.length === 0) return []
  const step = Math.max(1, Math.floor(mostValues / columns.length))
  if (rows.length <= step) return (yield statement).ids
  const ids: number[] = []
  for (let from = 0; from < rows.length; from += step)
    ids.push(...(yield { ...statement, rows: rows.slice(from, from + step) }).ids)
  return ids
}

/**
 * Rows of a query about many values. The text has `(??)` where the list belongs, with values before and behind it. Lists are
 * filled up to a power of two with their last value, so that few different statements are prepared.
 */
export function* selectIn<R extends object = Row>(
  text: string,
  list: readonly SqlValue[],
  {
    before = [],
    after = [],
    wide = false,
    locking = false,
  }: {
    readonly before?: readonly SqlValue[]
    readonly after?: readonly SqlValue[]
    readonly wide?: boolean
    readonly locking?: boolean
  } = {},
): Work<readonly R[]> {
  const rows: R[] = []
  for (let from = 0; from < list.length; from += mostListed) {
    const some = list.slice(from, from + mostListed)
    const length = 2 ** Math.ceil(Math.log2(some.length))
    const filled = [...some, ...Array.from({ length: length - some.length }, () => some.at(-1)!)]
    const found = yield* select<R>(
      text.replace('(??)', `(${filled.map(() => '?').join(', ')})`),
      [...before, ...filled, ...after],
      { wide, locking },
    )
    // A list of one piece, the usual case, needs no copy.
    if (list.length <= mostListed) return found
    for (const row of found) rows.push(row)
  }
  return rows
}

const mostListed = 8192
