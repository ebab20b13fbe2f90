import { relative } from 'node:path'
import type { Json } from '../base/json.ts'
import { type RunRecord, type StepRecord, workDone } from '../model/run.ts'
import type { Project } from '../project/open-project.ts'
import type { Nondeterminism } from '../run/nondeterminism.ts'
import { nondeterminismLines } from './explain-text.ts'
import { bytes, duration, number, shortDigest, table, time } from './table.ts'
import type { CliEnvironment, Colors } from './terminal.ts'
import { verificationLine } from './verification-summary.ts'

type Variables = { readonly [name: string]: string | undefined }

/** What a user wants to see when a run has ended: what became of it, splits, metrics, where things are, what to do next. */
export function runSummary(
  run: RunRecord,
  project: Project,
  colors: Colors,
  { directory, environment }: CliEnvironment,
  nondeterminism: readonly Nondeterminism[],
): string {
  const reused = run.steps.filter(({ outcome }) => outcome === 'reused').length
  const seconds = duration(((run.endedAt ?? run.startedAt) - run.startedAt) / 1000)
  const what =
    reused === run.steps.length
      ? `every step reused (${reused} of ${reused}); nothing had changed`
      : `${reused} of ${run.steps.length} steps reused`
  const color = run.status === 'complete' ? colors.green : colors.red
  const lines = ['', `${color(run.status)}: run ${run.id} of ${run.pipeline}, ${what}, ${seconds}`]
  if (run.error !== null) lines.push(`${colors.red(run.error.code)}: ${run.error.message}`, ...logHint(run))
  lines.push(...nondeterminismLines(nondeterminism, colors))
  const splits = splitRows(run)
  if (splits.length > 0) lines.push('', table(['SPLIT', 'ROWS'], splits, colors.bold))
  const metrics = headlineMetrics(run)
  if (metrics.length > 0) lines.push('', table(['METRIC', 'VALUE', 'STEP'], metrics, colors.bold))
  const view = relative(directory, `${project.workspace.viewDirectory}/${run.pipeline}/${run.id}`) || '.'
  lines.push('', `Artifacts:  ${view}`, `Code:       ${pinLine(run)}`)
  if (run.status === 'complete') lines.push('', colors.bold('Next'), ...nextLines(run, environment))
  return lines.join('\n')
}

/** A run with all its steps. */
export function runDetails(run: RunRecord, colors: Colors, nondeterminism: readonly Nondeterminism[]): string {
  const took = run.endedAt === null ? '' : `, ${duration((run.endedAt - run.startedAt) / 1000)}`
  const lines = [
    `Run ${colors.bold(run.id)} of pipeline ${colors.bold(run.pipeline)}: ${run.status}${took}`,
    `Started ${time(run.startedAt)} UTC, seed ${run.seed}, code ${pinLine(run)}`,
  ]
  if (run.rerunOf !== null) lines.push(`Made run ${run.rerunOf} again`)
  if (run.verification !== null) lines.push(verificationLine(run.verification, colors))
  if (run.error !== null) lines.push(`${colors.red(run.error.code)}: ${run.error.message}`)
  for (const { name, kept } of run.steps)
    if (kept !== null) lines.push(`Step "${name}" kept the results of ${workDone(kept)}: a later run takes them over.`)
  lines.push(...nondeterminismLines(nondeterminism, colors))
  const steps = run.steps.map((step) => [
    step.name,
    step.outcome ?? 'running',
    stepTime(step),
    step.source,
    step.reusedFrom === null ? '' : String(step.reusedFrom),
  ])
  lines.push('', table(['STEP', 'OUTCOME', 'TOOK', 'SOURCE', 'REUSED FROM'], steps, colors.bold))
  const outputs = run.steps.flatMap((step) =>
    Object.entries(step.outputs).map(([output, { type, size, digest }]) => [
      `${step.name}.${output}`,
      type,
      bytes(size),
      shortDigest(digest),
    ]),
  )
  if (outputs.length > 0) lines.push('', table(['OUTPUT', 'TYPE', 'SIZE', 'DIGEST'], outputs, colors.bold))
  const metrics = headlineMetrics(run)
  if (metrics.length > 0) lines.push('', table(['METRIC', 'VALUE', 'STEP'], metrics, colors.bold))
  return lines.join('\n')
}

function stepTime({ outcome, startedAt, endedAt }: StepRecord): string {
  if (outcome === 'reused' || startedAt === null || endedAt === null) return ''
  return duration((endedAt - startedAt) / 1000)
}

function pinLine({ code }: RunRecord): string {
  if (code.tree === null)
    return code.archive === undefined || code.archive === null
      ? 'not pinned (no git repository)'
      : `no git repository; sources kept as ${shortDigest(code.archive)}`
  const commit = code.commit === null ? 'no commit yet' : code.commit.slice(0, 10)
  return code.dirty ? `${commit} with uncommitted changes, kept as ${code.ref}` : commit
}

/** Rows by split of the last step that tells them: data is split once, and later steps pass the splits on. */
function splitRows(run: RunRecord): string[][] {
  for (const step of run.steps) {
    for (const { properties } of Object.values(step.outputs)) {
      const splits = properties['splits']
      if (isRecord(splits) && Object.keys(splits).length > 1)
        return Object.entries(splits).map(([split, rows]) => [split, String(rows)])
    }
  }
  return []
}

/** Single numbers that steps reported; series (one value an epoch) by their last value. */
function headlineMetrics(run: RunRecord): string[][] {
  return run.steps.flatMap((step) =>
    Object.entries(step.metrics).flatMap(([name, value]) => {
      const last = Array.isArray(value) ? value.at(-1) : value
      return typeof last === 'number' ? [[name, number(last), step.name]] : []
    }),
  )
}

function logHint(run: RunRecord): string[] {
  return run.steps.some(({ outcome }) => outcome === 'failed')
    ? [`Mend it and run again: the steps that completed are reused.`]
    : []
}

function nextLines(run: RunRecord, environment: Variables): string[] {
  // Whoever came by npm has the command in the project, not on the path.
  const zenml = environment['npm_command'] === undefined ? 'zenml' : 'npx zenml'
  const id = run.id.slice(0, 6)
  const last = run.steps.at(-1)
  const output = last === undefined ? undefined : Object.keys(last.outputs)[0]
  const lines = [
    `  ${zenml} pipeline status ${id}    all steps with their outputs`,
    `  ${zenml} pipeline explain ${id}   why each step was executed or reused`,
    `  ${zenml} pipeline config ${id}    the pinned configuration of this run`,
  ]
  if (last !== undefined && output !== undefined)
    lines.push(`  ${zenml} artifact lineage ${id}/${last.name}.${output}    what it was made from`)
  return lines
}

function isRecord(value: Json | undefined): value is { readonly [key: string]: Json } {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
