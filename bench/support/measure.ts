import { spawnSync } from 'node:child_process'

/** A row for budgets.json: the name of a bar and the measured value. */
export interface BenchRow {
  readonly bar: string
  readonly value: number
}

/** Wall milliseconds of a command; throws where it fails. */
export function wall(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): number {
  const started = process.hrtime.bigint()
  const { status, stderr } = spawnSync(command, args, {
    ...options,
    stdio: ['ignore', 'ignore', 'pipe'],
    encoding: 'utf8',
  })
  const ended = process.hrtime.bigint()
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${stderr}`)
  return Number(ended - started) / 1e6
}

/** The median. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle]! : (sorted[middle - 1]! + sorted[middle]!) / 2
}

/** Runs several measurements in turn (A B C A B C …) after one warm-up, so that a drift of the machine meets all alike. */
export function interleaved<Name extends string>(
  rounds: number,
  measures: { readonly [name in Name]: () => number },
): { [name in Name]: number[] } {
  const names = Object.keys(measures) as Name[]
  const results = Object.fromEntries(names.map((name) => [name, [] as number[]])) as { [name in Name]: number[] }
  for (const name of names) measures[name]()
  for (let round = 0; round < rounds; round++) for (const name of names) results[name].push(measures[name]())
  return results
}

/** Two digits behind the point. */
export function round(value: number): number {
  return Math.round(value * 100) / 100
}
