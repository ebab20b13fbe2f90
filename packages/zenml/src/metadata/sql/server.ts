import { setTimeout as wait } from 'node:timers/promises'
import { ZenmlError } from '../../base/errors.ts'
import type { SqlDatabase } from './database.ts'
import { sessionPool } from './pool.ts'
import type { ServerAnswer, ServerDialect, ServerSession } from './server-session.ts'
import { rowsAreThere, type Trace, trace } from './traces.ts'
import type { Outcome, Statement, Work } from './work.ts'

/** How long a server that was reached before may be away, as while it restarts, and others may be in the way; in milliseconds. */
const usualPatience = 60_000
/** How often a transaction that lost against others is tried again. */
const retries = 20
const connections = 10

/**
 * Runs work on a server, each transaction on a connection of its own.
 *
 * A transaction that lost against others is rolled back and tried again. One whose connection broke before COMMIT was sent has
 * changed nothing and is tried again too. Where COMMIT was sent and not answered, the dialect makes sure that the transaction is
 * over and says what became of it, or its rows do; it is repeated only where it was undone. A transaction that inserted nothing
 * leaves no rows to ask about: on MySQL it is repeated, which writes the same values again. `patience` is in milliseconds.
 */
export function serverDatabase<S extends ServerSession>(
  dialect: ServerDialect<S>,
  patience: number = usualPatience,
): SqlDatabase {
  const pool = sessionPool(dialect.connect, connections)
  const turns = turnsOfLosers()

  const transaction = async <T>(mode: 'read' | 'write', work: () => Work<T>): Promise<T> => {
    let conflicts = 0
    const started = performance.now()
    const away = absence(dialect, patience)
    using turn = turns()
    for (;;) {
      const session = await away.during(() => pool.take())
      const traces: Trace[] = []
      let result: { readonly value: T } | undefined
      try {
        await session.begin(mode)
        result = { value: await drive(dialect, session, work(), traces) }
        await session.end('COMMIT')
        return result.value
      } catch (error) {
        const kind = session.lost ? 'lost' : dialect.kindOf(error)
        if (kind === 'lost') {
          session.destroy()
          if (mode === 'write' && result !== undefined && (await wasCommitted(dialect, session, traces, away)))
            return result.value
          await away.pause(error)
          continue
        }
        await session.end('ROLLBACK').catch(() => session.destroy())
        if (kind === 'other') throw dialect.inPlainWords(error)
        if (++conflicts > retries || performance.now() - started > patience) throw busy(dialect.place, error)
      } finally {
        pool.give(session)
      }
      await turn.take()
      // Jitter keeps two writers from meeting again; it reaches no record.
      await wait(Math.min(1_000, 2 ** conflicts * 5) * (0.5 + Math.random()))
    }
  }

  return {
    type: dialect.type,
    write: (work) => transaction('write', work),
    read: (work) => transaction('read', work),
    [Symbol.asyncDispose]: () => pool.close(),
  }
}

interface Turn extends Disposable {
  /** Waits for one's turn, and keeps it to the end. */
  take(): Promise<void>
}

/** Those that lost against others go one by one: together they would only lose again. */
function turnsOfLosers(): () => Turn {
  let last: Promise<void> = Promise.resolve()
  return () => {
    let pass: (() => void) | undefined
    return {
      async take() {
        if (pass !== undefined) return
        const before = last
        last = new Promise((resolve) => {
          pass = resolve
        })
        await before
      },
      [Symbol.dispose]() {
        pass?.()
      },
    }
  }
}

/** Takes work to its end, statement by statement. */
async function drive<S extends ServerSession, T>(
  dialect: ServerDialect<S>,
  session: S,
  work: Work<T>,
  traces: Trace[],
): Promise<T> {
  let next = work.next()
  while (next.done !== true) {
    const statement = next.value
    if ('batch' in statement) {
      const outcomes = await driveBatch(dialect, session, statement.batch, traces)
      next = work.next({ rows: [], ids: [], changes: 0, outcomes })
      continue
    }
    let answer: ServerAnswer
    try {
      answer = await session.run(statement)
    } catch (error) {
      if (session.lost || dialect.kindOf(error) !== 'other') throw error
      // The work may say in its own words what a taken key means.
      next = work.throw(dialect.inPlainWords(error))
      continue
    }
    trace(traces, statement, answer.first)
    next = work.next(answer)
  }
  return next.value
}

/** Sends several statements at once. Throws where the whole transaction is lost; what else failed is for the work to say. */
async function driveBatch<S extends ServerSession>(
  dialect: ServerDialect<S>,
  session: S,
  statements: readonly Statement[],
  traces: Trace[],
): Promise<readonly Outcome[]> {
  const outcomes: Outcome[] = []
  for (const [index, outcome] of (await session.runAll(statements)).entries()) {
    if ('error' in outcome) {
      if (session.lost || dialect.kindOf(outcome.error) !== 'other') throw outcome.error
      // What failed behind it may have failed because of it.
      return [...outcomes, { error: dialect.inPlainWords(outcome.error) }]
    }
    trace(traces, statements[index]!, outcome.answer.first)
    outcomes.push(outcome)
  }
  return outcomes
}

/** Whether a transaction took effect whose COMMIT was not answered. */
async function wasCommitted<S extends ServerSession>(
  dialect: ServerDialect<S>,
  lost: S,
  traces: readonly Trace[],
  away: Absence,
): Promise<boolean> {
  const uncertain = (cause?: unknown): ZenmlError =>
    new ZenmlError(
      'ZEN_METADATA_UNCERTAIN',
      `The connection to ${dialect.place} broke while a change was saved, and it cannot be found out whether it was.`,
      { next: 'Look at what is recorded before you do it again.', cause, exitCode: 1 },
    )
  const ask = async (): Promise<boolean> => {
    const asking = await dialect.connect()
    try {
      const fate = await dialect.fate(lost, asking)
      if (fate === 'unsure') throw uncertain()
      if (fate === 'undone') return false
      return traces.length === 0 ? fate === 'committed' : await rowsAreThere(dialect, asking, traces)
    } finally {
      asking.destroy()
    }
  }
  try {
    return await away.during(ask)
  } catch (error) {
    // Whoever is told that the server cannot be reached does it again.
    throw error instanceof ZenmlError && error.code === 'ZEN_METADATA_UNCERTAIN' ? error : uncertain(error)
  }
}

interface Absence {
  /** Does something that needs the server, again until it is there. */
  during<T>(work: () => Promise<T>): Promise<T>
  /** Waits before the next try; throws the error where the server has been away for too long. */
  pause(error: unknown): Promise<void>
}

/** Waits for a server that was reached before. */
function absence<S extends ServerSession>(dialect: ServerDialect<S>, patience: number): Absence {
  let since: number | undefined
  let tries = 0
  const pause = async (error: unknown): Promise<void> => {
    since ??= performance.now()
    if (performance.now() - since > patience) throw dialect.inPlainWords(error)
    await wait(Math.min(1_000, 2 ** tries++ * 20) * (0.5 + Math.random()))
  }
  return {
    pause,
    async during(work) {
      for (;;) {
        try {
          return await work()
        } catch (error) {
          if (dialect.kindOf(error) === 'other') throw dialect.inPlainWords(error)
          await pause(error)
        }
      }
    },
  }
}

function busy(place: string, cause: unknown): ZenmlError {
  return new ZenmlError('ZEN_METADATA_BUSY', `Other writers were in the way again and again in ${place}.`, {
    next: 'Try again when they are done.',
    cause,
    exitCode: 1,
  })
}
