import { unlessAborted } from '../base/unless-aborted.ts'
import type { RawValue } from './sql-server.ts'

/** What may wait before the connection is paused, whichever comes first. */
const mostRows = 1000
const mostBytes = 4 << 20

/** Rows between a driver that tells of each as it comes and who takes them: the connection is paused while enough wait, however long the rows are. */
export class RowQueue {
  private readonly connection: { pause(): void; resume(): void }
  private waiting: (readonly RawValue[])[] = []
  private bytes = 0
  private isEnded = false
  private failed: { readonly error: unknown } | undefined
  private wake = (): void => {}

  constructor(connection: { pause(): void; resume(): void }) {
    this.connection = connection
  }

  add(row: readonly RawValue[]): void {
    this.waiting.push(row)
    for (const value of row) this.bytes += value === null ? 0 : value.length
    if (!this.isFull) return
    this.connection.pause()
    this.wake()
  }

  end(): void {
    this.isEnded = true
    this.wake()
  }

  fail(error: unknown): void {
    this.failed ??= { error }
    this.wake()
  }

  private get isFull(): boolean {
    return this.waiting.length >= mostRows || this.bytes >= mostBytes
  }

  /** The rows, some at a time, in their order; no more are asked for than are taken. Throws what failed, and the reason of the signal. */
  async *taken(signal: AbortSignal): AsyncGenerator<readonly (readonly RawValue[])[]> {
    for (;;) {
      if (!this.isFull && !this.isEnded && this.failed === undefined)
        await unlessAborted(
          signal,
          new Promise<void>((resolve) => {
            this.wake = resolve
          }),
        )
      if (this.failed !== undefined) throw this.failed.error
      const rows = this.waiting
      this.waiting = []
      this.bytes = 0
      if (rows.length > 0) yield rows
      if (this.isEnded && this.waiting.length === 0) return
      this.connection.resume()
    }
  }
}
