import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { askHost } from '../backends/ask-host.ts'
import type { DescribeResponse } from '../backends/host/describe.ts'
import { digestOf } from '../base/canonical.ts'
import { hexOf } from '../base/digest.ts'
import type { ErrorCode } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import { type StepBundle, writeBundle } from '../code/bundle.ts'
import { keepAnswer, readAnswer } from '../environment/kept-answer.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import type { StepDescriptor } from '../model/step-descriptor.ts'
import type { Workspace } from './workspace.ts'

/** A step to ask about. */
export interface StepQuestion {
  readonly step: string
  readonly bundle: StepBundle
  readonly parameters: JsonObject
  /** Direct and indirect packages with their versions: another version may declare something else. */
  readonly packages: JsonObject
}

/** What a step declares, and its parameters with defaults filled in. */
export interface DescribedStep {
  readonly descriptor: StepDescriptor
  readonly parameters: JsonObject
}

/** The answers, and what is wrong with the steps that have none. */
export interface Descriptions {
  readonly described: ReadonlyMap<string, DescribedStep>
  readonly problems: readonly Diagnostic[]
}

/** Part of each cache name: a change of what is asked or answered makes old answers unreadable. */
const answerFormat = 2

/**
 * Asks each step what it declares and whether it accepts its parameters. Answers are kept by the digest of the step's code,
 * packages and parameters, so that a run in which nothing changed loads no user code at all.
 */
export async function describeSteps(
  workspace: Workspace,
  questions: readonly StepQuestion[],
  signal?: AbortSignal,
): Promise<Descriptions> {
  const directory = join(workspace.cacheDirectory, 'steps')
  const described = new Map<string, DescribedStep>()
  const problems: Diagnostic[] = []
  const open: { question: StepQuestion; file: string }[] = []
  await Promise.all(
    questions.map(async (question) => {
      const key = digestOf([
        answerFormat,
        workspace.nodeFacts.node,
        question.bundle.digest,
        question.packages,
        question.parameters,
      ])
      const file = join(directory, `${hexOf(key)}.json`)
      const known = await readAnswer<DescribedStep>(file)
      if (known === undefined) open.push({ question, file })
      else described.set(question.step, known)
    }),
  )
  if (open.length === 0) return { described, problems }

  open.sort((a, b) => questions.indexOf(a.question) - questions.indexOf(b.question))
  const bundles = await mkdtemp(join(workspace.temporaryDirectory, `describe-${process.pid}-`))
  try {
    const request = await Promise.all(
      open.map(async ({ question }, index) => {
        const place = join(bundles, String(index))
        await mkdir(place)
        await writeBundle(question.bundle, place)
        return { bundle: join(place, 'step.mjs'), parameters: question.parameters }
      }),
    )
    const response = await askHost<DescribeResponse>(
      {
        host: workspace.host,
        node: workspace.node,
        directory: workspace.temporaryDirectory,
        ...(signal === undefined ? {} : { signal }),
      },
      'describe',
      request,
    )
    await Promise.all(
      open.map(async ({ question, file }, index) => {
        const answer = response[index]!
        if (answer.descriptor === null || answer.problem !== null || answer.parameters === null) {
          problems.push(...diagnosticsOf(question.step, answer.problem!))
          return
        }
        const known = { descriptor: answer.descriptor, parameters: answer.parameters }
        described.set(question.step, known)
        await keepAnswer(file, known)
      }),
    )
  } finally {
    await rm(bundles, { recursive: true, force: true })
  }
  return { described, problems }
}

/** One diagnostic for each parameter that does not fit, or one for the step as a whole. */
function diagnosticsOf(step: string, problem: NonNullable<DescribeResponse[number]['problem']>): Diagnostic[] {
  const code = problem.code as ErrorCode
  const misfits = problem.facts['problems']
  if (code !== 'ZEN_PARAMETERS' || !Array.isArray(misfits)) {
    const message = problem.next === null ? problem.message : `${problem.message} ${problem.next}`
    return [{ code, message: `Step "${step}": ${message}`, path: `steps.${step}.source` }]
  }
  return (misfits as { path: string; message: string }[]).map(({ path, message }) => ({
    code,
    message: `Step "${step}"${path === '' ? '' : `, parameter ${path}`}: ${message}`,
    path: path === '' ? `steps.${step}.parameters` : `steps.${step}.parameters.${path}`,
  }))
}
