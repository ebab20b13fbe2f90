import type { ServerSession } from './server-session.ts'

/** Connections that are kept for the next transaction. */
export interface Pool<S extends ServerSession> {
  /** A connection for one user at a time; waits where all are in use. */
  take(): Promise<S>
  /** Gives a connection back; one that was lost is dropped. */
  give(session: S): void
  /** Closes all, after those in use were given back; nobody is given one afterwards, as a closed file cannot be read. */
  close(): Promise<void>
}

/** Keeps up to `most` connections. */
export function sessionPool<S extends ServerSession>(connect: () => Promise<S>, most: number): Pool<S> {
  const idle: S[] = []
  const waiting: (() => void)[] = []
  let used = 0
  let whenUnused: (() => void) | undefined
  let closed = false
  const next = (): void => {
    used--
    waiting.shift()?.()
    if (used === 0) whenUnused?.()
  }
  return {
    async take() {
      if (closed) throw new Error('The metadata store is closed.')
      while (used >= most) await new Promise<void>((resolve) => waiting.push(resolve))
      used++
      // The one that was used last is the likeliest to be alive.
      for (let session = idle.pop(); session !== undefined; session = idle.pop()) {
        if (!session.lost) return session
        session.destroy()
      }
      try {
        return await connect()
      } catch (error) {
        next()
        throw error
      }
    },
    give(session) {
      if (session.lost) session.destroy()
      else idle.push(session)
      next()
    },
    async close() {
      closed = true
      if (used > 0)
        await new Promise<void>((resolve) => {
          whenUnused = resolve
        })
      await Promise.all(idle.splice(0).map((session) => session.close()))
    },
  }
}
