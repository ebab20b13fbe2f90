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

/**
 * Works on all items, at most `limit` at once; the results stand in the order of the items. After a failure nothing more is begun; the first one is
 * thrown when those under way have ended.
 *
 * @example
 * await mapSlots([3, 1, 2], 2, async (item) => item * 2) // [6, 2, 4]
 */
export async function mapSlots<T, R>(
  items: readonly T[],
  limit: number,
  work: (item: T, index: number) => Promise<R>,
): Promise<R[]> {
  const results = new Array<R>(items.length)
  let next = 0
  const worker = async (): Promise<void> => {
    while (next < items.length) {
      const index = next++
      try {
        results[index] = await work(items[index]!, index)
      } catch (error) {
        next = items.length
        throw error
      }
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: Math.min(limit, items.length) }, worker))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
  return results
}
