import { setTimeout as wait } from 'node:timers/promises'
import type { Database, Statement } from 'better-sqlite3'
import { systemCode, ZenmlError } from '../../base/errors.ts'
import { type SqlDatabase, SqlError } from './database.ts'
import type { Answer, Insert, Outcome, Row, Statement as SqlStatement, SqlValue, Work } from './work.ts'

/** How long SQLite itself waits for another writer, in milliseconds; retries with growing pauses come on top. */
export const busyTimeout = 5_000
const retries = 12

/**
 * Runs work on SQLite. Writers that come while the event loop is busy share one transaction, a savepoint each, so that many of
 * them cost one write to the disk; each is answered after that write.
 */
export function sqliteDatabase(database: Database): SqlDatabase {
  const run = statementRunner(database)
  const waiting: Waiting[] = []
  let flushing: Promise<void> | undefined

  const flush = async (): Promise<void> => {
    // Those that were asked for in this turn of the event loop come along.
    await Promise.resolve()
    try {
      while (waiting.length > 0) {
        const group = waiting.splice(0, mostTogether)
        try {
          await retrying(() => {
            for (const one of group) one.result = undefined
            database
              .transaction(() => {
                if (group.length === 1) group[0]!.result = { value: drive(run, group[0]!.work()) }
                else
                  for (const one of group)
                    one.result = settle(() => database.transaction(() => drive(run, one.work()))())
              })
              .immediate()
          })
        } catch (error) {
          for (const one of group) one.reject(error)
          continue
        }
        for (const { result, resolve, reject } of group)
          if ('error' in result!) reject(result.error)
          else resolve(result!.value)
      }
    } finally {
      // At once: who is answered now and writes again must not be left waiting for a flush that is over.
      flushing = undefined
    }
    // At once: a writer that was just answered and writes again must not wait for a flush that is over.
    flushing = undefined
  }

  return {
    type: 'sqlite',
    write: <T>(work: () => Work<T>) =>
      new Promise<T>((resolve, reject) => {
        waiting.push({ work, resolve: resolve as (value: unknown) => void, reject, result: undefined })
        flushing ??= flush()
      }),
    read: (work) => retrying(() => database.transaction(() => drive(run, work())).deferred()),
    async [Symbol.asyncDispose]() {
      await flushing
      database.close()
    },
  }
}

interface Waiting {
  readonly work: () => Work<unknown>
  readonly resolve: (value: unknown) => void
  readonly reject: (error: unknown) => void
  result: { readonly value: unknown } | { readonly error: unknown } | undefined
}

/** So many writers share a transaction at most, so that none waits long. */
const mostTogether = 64

/** The outcome of one of several: its own error is its own, but one that ends the whole transaction is everybody's. */
function settle(work: () => unknown): NonNullable<Waiting['result']> {
  try {
    return { value: work() }
  } catch (error) {
    if (isBusy(error) || /^SQLITE_(FULL|IOERR|NOMEM|CORRUPT)/.test(codeOf(error))) throw error
    return { error }
  }
}

/** Takes work to its end, statement by statement, without a pause. */
function drive<T>(run: (statement: SqlStatement) => Answer, work: Work<T>): T {
  let next = work.next()
  while (next.done !== true) {
    if ('batch' in next.value) {
      next = work.next({ rows: [], ids: [], changes: 0, outcomes: outcomesOf(run, next.value.batch) })
      continue
    }
    let answer: Answer
    try {
      answer = run(next.value)
    } catch (error) {
      // The work may say in its own words what a taken key means.
      next = work.throw(error)
      continue
    }
    next = work.next(answer)
  }
  return next.value
}

/** One after the other, up to the first that fails. */
function outcomesOf(run: (statement: SqlStatement) => Answer, statements: readonly SqlStatement[]): readonly Outcome[] {
  const outcomes: Outcome[] = []
  for (const statement of statements) {
    try {
      outcomes.push({ answer: run(statement) })
    } catch (error) {
      outcomes.push({ error })
      break
    }
  }
  return outcomes
}

/** Runs statements, each prepared once. */
function statementRunner(database: Database): (statement: SqlStatement) => Answer {
  const prepared = new Map<string, Statement>()
  const prepare = (text: string, wide: boolean): Statement => {
    const key = wide ? `${text}\0wide` : text
    let statement = prepared.get(key)
    if (statement === undefined) {
      statement = database.prepare(text)
      if (wide && statement.reader) statement.safeIntegers(true)
      if (prepared.size >= mostPrepared) prepared.clear()
      prepared.set(key, statement)
    }
    return statement
  }
  return (statement) => {
    try {
      if ('table' in statement) {
        const { changes, lastInsertRowid } = prepare(insertText(statement), false).run(
          ...statement.rows.flatMap((row) => row.map(bound)),
        )
        // Ids of one statement follow one another: this transaction is the only writer.
        const first = Number(lastInsertRowid) - statement.rows.length + 1
        return { rows: [], ids: statement.ids ? statement.rows.map((_row, index) => first + index) : [], changes }
      }
      const { text, values, wide = false } = statement
      const ready = prepare(text, wide)
      if (!ready.reader) return { rows: [], ids: [], changes: ready.run(...values.map(bound)).changes }
      const rows = ready.all(...values.map(bound)) as Row[]
      return { rows: wide ? rows.map(narrowed) : rows, ids: [], changes: 0 }
    } catch (error) {
      throw inPlainWords(error)
    }
  }
}

const mostPrepared = 500

function insertText({ table, columns, rows, onConflict = 'fail' }: Insert): string {
  const row = `(${columns.map(() => '?').join(', ')})`
  const conflict =
    onConflict === 'fail'
      ? ''
      : onConflict === 'ignore'
        ? ' ON CONFLICT DO NOTHING'
        : ` ON CONFLICT (${onConflict.keys.join(', ')}) DO UPDATE SET ${onConflict.update.map((column) => `${column} = excluded.${column}`).join(', ')}`
  return `INSERT INTO ${table} (${columns.join(', ')}) VALUES ${rows.map(() => row).join(', ')}${conflict}`
}

function bound(value: SqlValue): null | number | bigint | string | Uint8Array {
  if (typeof value === 'boolean') return value ? 1 : 0
  // better-sqlite3 binds numbers beyond 32 bits as floating ones, which an expression would not make whole again.
  if (typeof value === 'number' && Number.isSafeInteger(value) && Math.abs(value) > 0x7fffffff) return BigInt(value)
  return value
}

function narrowed(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([column, value]) => [
      column,
      typeof value === 'bigint' && Number.isSafeInteger(Number(value)) ? Number(value) : value,
    ]),
  )
}

function inPlainWords(error: unknown): unknown {
  const code = codeOf(error)
  if (/^SQLITE_CONSTRAINT_(UNIQUE|PRIMARYKEY)/.test(code)) return new SqlError('unique', error)
  if (code === 'SQLITE_ERROR' && /no such (table|column)/.test(String(error))) return new SqlError('missing', error)
  return error
}

function codeOf(error: unknown): string {
  return systemCode(error) ?? ''
}

function isBusy(error: unknown): boolean {
  return /^SQLITE_(BUSY|LOCKED)/.test(codeOf(error))
}

/** Tries again while others write. */
export async function retrying<T>(work: () => T): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return work()
    } catch (error) {
      if (!isBusy(error)) throw error
      if (attempt > retries) {
        throw new ZenmlError('ZEN_METADATA_BUSY', 'The metadata store stayed locked by other writers.', {
          next: 'Try again when they are done.',
          cause: error,
          exitCode: 1,
        })
      }
      // Jitter keeps two writers from meeting again; it reaches no record.
      await wait(attempt * 20 * (0.5 + Math.random()))
    }
  }
}
