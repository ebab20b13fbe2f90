import * as z from 'zod'
import type { Defaulted } from '../base/defaulted.ts'
import { ZenmlError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import { didYouMean } from '../base/nearest.ts'
import { type OptionalPort, optional, type Step, step } from '../define/step.ts'
import { Evaluation, type EvaluationData } from '../formats/evaluation.ts'
import { JsonArtifact } from '../formats/types.ts'

/** Parameters of `gate`. */
export interface GateParameters {
  /** Metrics that must be at least so much, such as `{ accuracy: 0.9 }`. */
  atLeast: { [metric: string]: number }
  /** Metrics that may be at most so much, such as `{ rmse: 12 }`. */
  atMost: { [metric: string]: number }
  /** Metrics that may be so much worse than those of the baseline; 0: as good as it. */
  noWorseThanBaseline: { [metric: string]: number }
  /** Where there is no baseline: `fail`, or `pass` those checks, for the first run of a pipeline that is compared with the one before. Default fail. */
  withoutBaseline: 'fail' | 'pass'
  /** Whether every slice is checked too, beside the whole. Default false. */
  slices: boolean
  /** Slices of fewer rows are passed over. Default 1. */
  sliceRows: number
  /** `fail` ends the run where a check fails; `mark` records it and goes on. Default fail. */
  action: 'fail' | 'mark'
}

const limits = z.record(z.string(), z.number()).default({})
const parameters: z.ZodType<GateParameters, Defaulted<GateParameters>> = z
  .strictObject({
    atLeast: limits,
    atMost: limits,
    noWorseThanBaseline: z.record(z.string(), z.number().min(0)).default({}),
    withoutBaseline: z.enum(['fail', 'pass']).default('fail'),
    slices: z.boolean().default(false),
    sliceRows: z.int().min(1).default(1),
    action: z.enum(['fail', 'mark']).default('fail'),
  })
  .refine(
    ({ atLeast, atMost, noWorseThanBaseline }) =>
      Object.keys({ ...atLeast, ...atMost, ...noWorseThanBaseline }).length > 0,
    'name a metric in atLeast, atMost or noWorseThanBaseline: a gate without any lets everything through',
  )

/** A check of the gate, as its verdict tells it. */
export interface GateCheck extends JsonObject {
  /** `overall`, or `feature=value`. */
  readonly of: string
  readonly metric: string
  readonly rule: 'at least' | 'at most' | 'no worse than the baseline by'
  readonly limit: number
  /** Null: the metric cannot be told of these rows. */
  readonly value: number | null
  /** Of the baseline, where the rule is about it. */
  readonly baseline: number | null
  readonly passed: boolean
}

/** Metrics of which less is better. */
const costs: ReadonlySet<string> = new Set(['logLoss', 'calibrationError', 'mae', 'rmse', 'bias'])

/**
 * Lets a model through where its evaluation is good enough, by itself or beside a baseline's: fails the run, or marks it. A metric that cannot be
 * told (null) does not pass; `bias` is looked at without its sign.
 *
 * Throws `ZEN_GATE_FAILED` with every check that failed, `ZEN_GATE_METRIC` for a metric that the evaluation does not have, `ZEN_GATE_SLICES` where `slices` is
 * true and it has none, `ZEN_GATE_BASELINE` where there is no baseline to compare with, unless `withoutBaseline` lets that pass.
 *
 * @example
 * const { verdict } = gate({ evaluation }, { atLeast: { accuracy: 0.9 }, slices: true })
 */
export const gate: Step<
  { readonly evaluation: typeof Evaluation; readonly baseline: OptionalPort<typeof Evaluation> },
  { readonly verdict: typeof JsonArtifact },
  typeof parameters
> = step({
  name: 'gate',
  description: 'Lets a model through where its evaluation is good enough.',
  inputs: { evaluation: Evaluation, baseline: optional(Evaluation) },
  outputs: { verdict: JsonArtifact },
  parameters,
  run: ({ inputs: { evaluation, baseline }, parameters, context }) => {
    const asked = baseline === undefined ? withoutBaseline(parameters) : parameters
    const checks = partsOf(evaluation, asked).flatMap((part) =>
      checksOf(part, baseline, part.slice === null ? asked : withoutRanking(asked, evaluation)),
    )
    const failed = checks.filter(({ passed }) => !passed)
    context.metric('checks', checks.length)
    context.metric('failedChecks', failed.length)
    context.describe('verdict', { passed: failed.length === 0 })
    for (const check of failed) console.warn(sentence(check))
    if (failed.length > 0 && asked.action === 'fail')
      throw new ZenmlError('ZEN_GATE_FAILED', failed.map(sentence).join('; '), {
        facts: { checks: failed },
        next: 'Improve the model, or change the limits knowingly.',
        exitCode: 1,
      })
    return { verdict: { passed: failed.length === 0, checks } }
  },
})

/** What is checked where there is nothing to compare with. */
function withoutBaseline(asked: GateParameters): GateParameters {
  const metrics = Object.keys(asked.noWorseThanBaseline)
  if (metrics.length === 0) return asked
  if (asked.withoutBaseline === 'fail')
    throw new ZenmlError('ZEN_GATE_BASELINE', 'noWorseThanBaseline is asked for, but the gate has no baseline.', {
      next: 'Connect the input "baseline" to the evaluation of another model on the same split.',
      exitCode: 1,
    })
  console.warn(`There is no baseline yet: ${metrics.sort().join(', ')} passed without one.`)
  return { ...asked, noWorseThanBaseline: {} }
}

interface Part {
  readonly of: string
  readonly slice: { readonly feature: string; readonly value: string } | null
  readonly report: object
}

/** What is told of all rows: a ranking too. */
function wholeOf({ overall, ranking }: EvaluationData): object {
  return { ...overall, ...ranking?.metrics }
}

function partsOf(evaluation: EvaluationData, asked: GateParameters): Part[] {
  const { slices } = evaluation
  const whole: Part = { of: 'overall', slice: null, report: wholeOf(evaluation) }
  if (!asked.slices) return [whole]
  // A gate that was asked to look at slices would pass them all unseen.
  if (slices.length === 0)
    throw new ZenmlError('ZEN_GATE_SLICES', 'The gate is to check slices, but the evaluation has none.', {
      next: 'Name features in "slices" of the step that evaluates, or leave out "slices" of the gate.',
      exitCode: 1,
    })
  return [
    whole,
    ...slices
      .filter(({ report }) => report.rows >= asked.sliceRows)
      .map(({ feature, value, report }) => ({ of: `${feature}=${value}`, slice: { feature, value }, report })),
  ]
}

/** Of a slice no ranking is told: its queries would be cut apart. */
function withoutRanking(asked: GateParameters, { ranking }: EvaluationData): GateParameters {
  const left = (limits: { readonly [metric: string]: number }): { [metric: string]: number } =>
    Object.fromEntries(Object.entries(limits).filter(([metric]) => !Object.hasOwn(ranking?.metrics ?? {}, metric)))
  const { atLeast, atMost, noWorseThanBaseline } = asked
  return {
    ...asked,
    atLeast: left(atLeast),
    atMost: left(atMost),
    noWorseThanBaseline: left(noWorseThanBaseline),
  }
}

function checksOf(
  { of, slice, report }: Part,
  baseline: EvaluationData | undefined,
  asked: GateParameters,
): GateCheck[] {
  const checks: GateCheck[] = []
  for (const [metric, limit] of sorted(asked.atLeast)) {
    const value = metricOf(report, metric)
    checks.push({
      of,
      metric,
      rule: 'at least',
      limit,
      value,
      baseline: null,
      passed: value !== null && value >= limit,
    })
  }
  for (const [metric, limit] of sorted(asked.atMost)) {
    const value = metricOf(report, metric)
    checks.push({ of, metric, rule: 'at most', limit, value, baseline: null, passed: value !== null && value <= limit })
  }
  for (const [metric, limit] of sorted(asked.noWorseThanBaseline)) {
    const value = metricOf(report, metric)
    const other =
      slice === null
        ? wholeOf(baseline!)
        : baseline!.slices.find((one) => one.feature === slice.feature && one.value === slice.value)?.report
    // A slice that the baseline does not have has nothing to be worse than.
    if (other === undefined) continue
    const before = metricOf(other, metric)
    const worse = value === null || before === null ? null : costs.has(metric) ? value - before : before - value
    checks.push({
      of,
      metric,
      rule: 'no worse than the baseline by',
      limit,
      value,
      baseline: before,
      passed: worse !== null && worse <= limit,
    })
  }
  return checks
}

function metricOf(report: object, metric: string): number | null {
  const numbers = Object.entries(report).filter(([, value]) => typeof value === 'number' || value === null)
  const found = numbers.find(([name]) => name === metric)
  if (found === undefined) {
    const names = numbers.map(([name]) => name)
    throw new ZenmlError(
      'ZEN_GATE_METRIC',
      `The evaluation has no metric "${metric}"; it has ${names.join(', ')}.${didYouMean(metric, names)}`,
      { facts: { metric }, exitCode: 1 },
    )
  }
  const value = found[1] as number | null
  return metric === 'bias' && value !== null ? Math.abs(value) : value
}

function sorted(limits: { readonly [metric: string]: number }): [string, number][] {
  return Object.entries(limits).sort(([a], [b]) => (a < b ? -1 : 1))
}

function sentence({ of, metric, rule, limit, value, baseline }: GateCheck): string {
  const said = `${of}: ${metric} is ${value ?? 'not to be told'}`
  if (rule === 'no worse than the baseline by')
    return `${said} beside ${baseline ?? 'none'} of the baseline, and may be worse by ${limit} at most`
  return `${said}, and must be ${rule} ${limit}`
}
