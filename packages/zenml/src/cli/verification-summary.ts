import type { JsonObject } from '../base/json.ts'
import type { Verdict, Verification, VerifiedStep } from '../model/verification.ts'
import { number, shortDigest, table, time } from './table.ts'
import type { Colors } from './terminal.ts'

/** The JSON of a verification, as scripts know it; `recorded` is false where the run is not in the metadata store. */
export function verificationDocument(verification: Verification & { readonly recorded: boolean }): JsonObject {
  const { run, verdict, at, partial, recorded, notes, environment, steps } = verification
  return {
    run,
    verdict,
    at: new Date(at).toISOString(),
    partial,
    recorded,
    notes,
    environment,
    steps: steps as unknown as JsonObject[],
  }
}

/** A verification for people: a line a step, and for each that is not reproduced why. */
export function verificationSummary(verification: Verification, colors: Colors): string {
  const { run, verdict, steps, notes, partial } = verification
  const paint = paintOf(colors)
  const rows = steps.map((step) => [step.name, paint(step.verdict), outputsOf(step), timesOf(step)])
  const lines = ['', table(['STEP', 'VERDICT', 'OUTPUTS', 'EXECUTED'], rows, colors.bold)]
  for (const step of steps) lines.push(...detailsOf(step, colors))
  if (notes.length > 0) lines.push('', ...notes.map((note) => colors.yellow(note)))
  const what = partial ? `${steps.length} of its steps` : 'every step'
  const said = {
    reproduced: `run ${run}: ${what} gave the recorded digests again`,
    differs: `run ${run} is not reproduced`,
    cannot: `run ${run} cannot be verified as a whole`,
  }[verdict]
  lines.push('', `${paint(verdict)}: ${said}`)
  return lines.join('\n')
}

/** `verified 2026-11-25 10:21:49 UTC: reproduced`, for the status of a run. */
export function verificationLine({ at, verdict, notes }: Verification, colors: Colors): string {
  const more = notes.length === 0 ? '' : ` (${notes.length} ${notes.length === 1 ? 'note' : 'notes'}: see --json)`
  return `verified ${time(at)} UTC: ${paintOf(colors)(verdict)}${more}`
}

function paintOf(colors: Colors): (verdict: Verdict) => string {
  return (verdict) => ({ reproduced: colors.green, differs: colors.red, cannot: colors.yellow })[verdict](verdict)
}

function outputsOf({ outputs }: VerifiedStep): string {
  return Object.entries(outputs)
    .map(([output, { recorded, observed }]) =>
      observed === null
        ? `${output} not made`
        : observed === recorded
          ? `${output} ${shortDigest(recorded)}`
          : `${output} ${shortDigest(recorded)} → ${shortDigest(observed)}`,
    )
    .join(', ')
}

function timesOf({ executions }: VerifiedStep): string {
  return executions === 0 ? 'no' : executions === 1 ? 'once' : `${executions} times`
}

function detailsOf({ name, cause, error, outputs, differences, verdict }: VerifiedStep, colors: Colors): string[] {
  const lines: string[] = []
  if (cause !== null) {
    lines.push('', `${colors.bold(name)} (${cause.kind}): ${cause.message}`)
    for (const { what, at, package: from } of cause.calls.slice(0, 10)) {
      lines.push(`  ${what}${at === null ? '' : ` at ${at}`}${from === null ? '' : ` in package ${from}`}`)
    }
  }
  if (error !== null) lines.push('', `${colors.bold(name)}: ${colors.red(error.code)}: ${error.message}`)
  for (const [output, { numeric = [] }] of Object.entries(outputs)) {
    for (const { path, values, differing, maxAbsolute, maxUlp } of numeric) {
      const far =
        maxAbsolute === null || maxUlp === null
          ? 'some are no longer finite'
          : `at most ${number(maxAbsolute)} apart, ${maxUlp} ulp`
      lines.push(`  ${output}/${path}: ${differing} of ${values} numbers differ, ${far}`)
    }
  }
  if (verdict === 'reproduced' && differences.length > 0) {
    const told = differences.slice(0, 5).map(({ field, path }) => `${field} ${path}`)
    lines.push('', `${colors.bold(name)} gave the same although this is not as it was: ${told.join(', ')}`)
  }
  return lines
}
