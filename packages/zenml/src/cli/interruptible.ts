import { ZenmlError } from '../base/errors.ts'

/** The result of work; where Ctrl-C ended it, an error that says so in place of the one that stopped it. */
export async function interruptible<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  try {
    return await work
  } catch (error) {
    if (!signal.aborted) throw error
    throw new ZenmlError('ZEN_INTERRUPTED', 'Interrupted; nothing was changed.', { cause: error, exitCode: 1 })
  }
}
