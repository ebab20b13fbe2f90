import type { Digest } from '../base/digest.ts'
import type { RunRecords } from '../metadata/run-records.ts'
import type { PriorExecution } from '../metadata/step-facts.ts'

/** How many executions are read at once: the newest one will do nearly always, and thousands may have the same key. */
const together = 20

/**
 * All completed executions with a key, newest first, read as far as they are wanted.
 *
 * @example
 * for await (const prior of priorsOf(records, identity.key)) if (await isWhole(prior)) return prior
 */
export async function* priorsOf(records: Pick<RunRecords, 'findByKeys'>, key: Digest): AsyncGenerator<PriorExecution> {
  let before: number | undefined
  for (;;) {
    const options = { limit: together, ...(before === undefined ? {} : { before }) }
    const priors = (await records.findByKeys([key], options)).get(key) ?? []
    yield* priors
    if (priors.length < together) return
    before = priors.at(-1)!.execution
  }
}
