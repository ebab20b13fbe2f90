/**
 * Lets at most `limit` pieces of work go on at once; the others wait in the order in which they came.
 *
 * @example
 * const slots = workSlots(2)
 * await Promise.all(files.map((file) => slots(() => read(file))))
 */
export function workSlots(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  let free = limit
  const waiting: (() => void)[] = []
  return async (work) => {
    if (free > 0) free--
    else await new Promise<void>((resolve) => waiting.push(resolve))
    try {
      return await work()
    } finally {
      const next = waiting.shift()
      if (next === undefined) free++
      else next()
    }
  }
}
