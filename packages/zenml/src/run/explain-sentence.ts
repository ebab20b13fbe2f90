import type { JsonObject } from '../base/json.ts'
import type { PipelineSpec } from '../model/pipeline-spec.ts'
import type { RunRecord, StepRecord } from '../model/run.ts'

/** What a sentence needs of a change. */
interface Told {
  readonly field: string
  readonly before: unknown
  readonly after: unknown
  readonly reason: string
  readonly because?: Upstream
}

/** A step that gave something else, and why. */
export interface Upstream {
  readonly step: string
  readonly reason: string
  /** Where the change began, if that is yet another step. */
  readonly origin?: { readonly step: string; readonly reason: string }
}

/** Changes that one sentence holds; more are counted. */
const most = 3

/**
 * What stands behind "because". What an execution was seen to do that the other did not is told only where nothing else changed: it
 * mostly follows from the rest. Where the first input's change began goes last.
 */
export function because(changes: readonly Told[], since = ''): string {
  const told = tellingOf(changes)
  const named = told.slice(0, most).map(({ reason }) => reason)
  if (told.length > most) named.push(`${told.length - most} more changes`)
  const list = named.length < 2 ? named.join('') : `${named.slice(0, -1).join(', ')} and ${named.at(-1)}`
  const origin = originOf(changes)
  return [list, since].filter((part) => part !== '').join(' ') + (origin === undefined ? '' : `: ${origin.reason}`)
}

/** Where the change of the first input began, however many steps lie between. */
export function originOf(changes: readonly Told[]): { readonly step: string; readonly reason: string } | undefined {
  const upstream = tellingOf(changes)
    .slice(0, most)
    .find((change) => change.because !== undefined)?.because
  return upstream?.origin ?? upstream
}

function tellingOf(changes: readonly Told[]): readonly Told[] {
  const own = changes.filter((change) => !follows(change))
  return own.length === 0 ? changes : own
}

function follows({ field, before, after }: Told): boolean {
  // A file that both have read, and that is another now, is a reason of its own.
  return (field === 'observed' || field === 'seed') && (before === null || after === null)
}

/** Enough of a run's id to name it in a sentence. */
export function shortRun(id: string): string {
  return id.slice(0, 6)
}

/** What a run or plan says of its datasources. */
export interface SourceFacts {
  readonly spec: PipelineSpec
  readonly sources: { readonly [name: string]: { readonly commit?: string | null } }
}

/** Why an input from a datasource is another: its content, or the way it is declared. */
export function datasourceWords(name: string, before: SourceFacts, after: SourceFacts): string {
  const [was, is] = [before, after].map(({ sources }) => sources[name]?.commit ?? null)
  if (is !== null && was !== is)
    return `datasource ${name} is used as of commit ${is}${was === null ? '' : ` instead of ${was}`}`
  const [first = {}, second = {}] = [before, after].map(
    ({ spec: { datasources } }) => datasources[name] as unknown as JsonObject | undefined,
  )
  const others = [...new Set([...Object.keys(first), ...Object.keys(second)])].filter(
    (key) => JSON.stringify(first[key]) !== JSON.stringify(second[key]),
  )
  return others.length === 0
    ? `the content of datasource ${name} changed`
    : `datasource ${name} is declared otherwise: ${others.join(', ')}`
}

/** Why a run reuses nothing. */
export function noReuseWords({ rerunOf }: RunRecord): string {
  return rerunOf === null
    ? 'the run was told to reuse nothing (--no-cache)'
    : `the run makes run ${shortRun(rerunOf)} again and reuses nothing`
}

/** Why a step of a run did not run. */
export function notRun(run: RunRecord, step: StepRecord): string {
  if (step.outcome === null) return `${step.name} has not ended yet.`
  const failed = run.steps.filter(({ outcome }) => outcome === 'failed').map(({ name }) => name)
  if (step.outcome === 'skipped' && failed.length > 0)
    return `${step.name} did not run because ${failed.join(' and ')} failed.`
  return `${step.name} did not run: it was ${step.outcome}.`
}
