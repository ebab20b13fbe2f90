import { readFileSync, writeFileSync } from 'node:fs'
import { type Digest, sha256 } from '../../base/digest.ts'
import { ZenmlError } from '../../base/errors.ts'
import { type Problem, problemOf } from './problem.ts'
import { loadStep } from './run-task.ts'

/** Bundles of steps that declare a canary. */
export type CanaryRequest = readonly string[]

/** One answer to each, in order. */
export type CanaryResponse = readonly ({ readonly digest: Digest } | { readonly problem: Problem })[]

/** Computes the canaries of steps. */
export async function measureCanaries(requestFile: string, responseFile: string): Promise<void> {
  const request = JSON.parse(readFileSync(requestFile, 'utf8')) as CanaryRequest
  const response: CanaryResponse[number][] = []
  for (const bundle of request) response.push(await measureOne(bundle))
  writeFileSync(responseFile, JSON.stringify(response))
  process.exit(0)
}

async function measureOne(bundle: string): Promise<CanaryResponse[number]> {
  try {
    const step = await loadStep(bundle)
    const numbers: unknown = await step.definition.canary?.()
    const values = Array.from((numbers ?? []) as ArrayLike<unknown>)
    if (values.length === 0 || !values.every((value) => typeof value === 'number'))
      throw new ZenmlError('ZEN_STEP_CANARY', 'The canary gave no list of numbers.', {
        next: 'Return the numbers that the computation gives, at least one.',
      })
    return { digest: digestOfNumbers(values as number[]) }
  } catch (error) {
    return { problem: problemOf(error) }
  }
}

/** SHA-256 over the numbers as little-endian float64; all NaN are one, whatever bits they have. */
function digestOfNumbers(values: readonly number[]): Digest {
  const bytes = Buffer.alloc(values.length * 8)
  for (const [index, value] of values.entries())
    bytes.writeDoubleLE(Number.isNaN(value) ? Number.NaN : value, index * 8)
  return sha256(bytes)
}
