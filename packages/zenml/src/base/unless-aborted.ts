/**
 * What some work gives, or the reason of a signal where that comes first: nobody waits for work that does not look at the signal. The work itself goes on.
 *
 * @example
 * const signal = AbortSignal.abort(new Error('stopped'))
 * await unlessAborted(signal, new Promise(() => {})).catch(({ message }) => message) // 'stopped'
 */
export async function unlessAborted<T>(signal: AbortSignal, work: Promise<T>): Promise<T> {
  let stop = (): void => {}
  const aborted = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason)
  })
  signal.addEventListener('abort', stop)
  if (signal.aborted) stop()
  try {
    return await Promise.race([aborted, work])
  } finally {
    signal.removeEventListener('abort', stop)
  }
}
