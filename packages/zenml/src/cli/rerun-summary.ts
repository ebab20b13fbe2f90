import type { Comparison } from '../run/comparison.ts'
import type { Colors } from './terminal.ts'

/** How a rerun stands beside the run that it made again, for people. */
export function comparisonLines({ with: id, compared, differing, missing }: Comparison, colors: Colors): string[] {
  const lines: string[] = []
  if (differing.length > 0) {
    lines.push(
      colors.red(`${differing.length} of ${compared} outputs differ from run ${id}: ${differing.join(', ')}.`),
      `"zenml pipeline verify ${id}" finds the cause.`,
    )
  } else if (missing.length === 0) {
    lines.push(colors.green(`Reproduced: all ${compared} outputs have the digests of run ${id}.`))
  }
  if (missing.length > 0) lines.push(colors.yellow(`Not made again: ${missing.join(', ')}.`))
  return ['', ...lines]
}
