import { createWriteStream, type WriteStream } from 'node:fs'
import { join } from 'node:path'
import { finished } from 'node:stream/promises'
import type { StepResult } from '../backends/backend.ts'
import { canonicalJson } from '../base/canonical.ts'
import type { Digest } from '../base/digest.ts'
import { messageOf, ZenmlError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import { keepLoaded } from '../environment/lockfile.ts'
import type { PartialResults, PreviousExecution, StepEnd } from '../metadata/step-facts.ts'
import type { StoredArtifact } from '../model/artifact.ts'
import type { RunListener } from '../model/events.ts'
import type { Identity, ObservedLeaf } from '../model/fingerprint.ts'
import { type Failure, workDone } from '../model/run.ts'
import type { StepOutput } from '../model/step-protocol.ts'
import type { Touch } from '../model/touch.ts'
import { presentDigest } from '../sources/resolve-source.ts'
import { observe } from './identify-step.ts'
import type { Plan, PlannedStep } from './plan.ts'
import { layOutStep } from './step-directory.ts'
import type { Workspace } from './workspace.ts'

/** What an execution needs. */
export interface Execution {
  readonly directory: string
  readonly plan: Plan
  readonly step: PlannedStep
  readonly identity: Identity
  readonly inputs: { readonly [input: string]: StoredArtifact }
  /** Of a step that works item by item: an earlier execution whose results for items that are still the same it may take over. */
  readonly previous?: PreviousExecution | undefined
  /** Whether what such a step has made is kept where it does not complete. Default false. */
  readonly keepPartial?: boolean
  readonly signal: AbortSignal
  readonly onEvent: RunListener
}

/**
 * Executes one step on the backend and stores what it gave. A failure of the step is a result; what it left is thrown away.
 */
export async function executeStep(workspace: Workspace, execution: Execution): Promise<StepEnd> {
  const { step, identity, directory } = execution
  const bases = step.descriptor.bases
  const ended = (rest: Partial<StepEnd> & Pick<StepEnd, 'outcome'>): StepEnd => ({
    endedAt: workspace.clock.now(),
    identity,
    outputs: {},
    bases,
    log: null,
    metrics: {},
    touches: [],
    error: null,
    ...rest,
  })
  let log: Digest | null = null
  try {
    const { outputs } = await layOutStep(
      directory,
      execution.plan,
      step,
      execution.inputs,
      workspace,
      execution.previous?.outputs,
    )
    await keepBundle(workspace, execution)
    const result = await runLogged(workspace, execution)
    log = (await workspace.artifacts.putFile(join(directory, 'log'), { move: true })).digest
    if (result.kind === 'canceled')
      return ended({ outcome: 'canceled', log, ...(await keepPartial(workspace, execution, result.output)) })
    if (result.kind === 'failed')
      return ended({
        outcome: 'failed',
        log,
        ...(await keepPartial(workspace, execution, result.output)),
        metrics: result.output?.metrics ?? {},
        touches: result.output?.touches ?? [],
        error: result.because,
      })
    await checkSources(workspace, execution)
    await keepLoaded({ ...workspace, packages: step.bundle.packages }, result.output.loaded)
    const stored: { [output: string]: StoredArtifact } = {}
    for (const [output, type] of Object.entries(step.descriptor.outputs)) {
      const properties = result.output.properties[output] ?? {}
      stored[output] = await workspace.artifacts.put(type, outputs[output]!, {
        move: true,
        properties,
        signal: execution.signal,
      })
    }
    return ended({
      outcome: 'executed',
      log,
      outputs: stored,
      metrics: result.output.metrics,
      touches: allTouches(execution, result.output),
      identity: observe(identity, observedBy(execution, result.output)),
    })
  } catch (error) {
    if (execution.signal.aborted) return ended({ outcome: 'canceled', log })
    return ended({ outcome: 'failed', log, error: failureOf(error) })
  }
}

/** What a step made of files that were written to meanwhile must not be kept under the content that they had before. */
async function checkSources({ fileDigests }: Workspace, { plan, step }: Execution): Promise<void> {
  for (const from of Object.values(step.inputs)) {
    if (from.kind !== 'datasource') continue
    const { format, files, digest, staged } = plan.sources.get(from.name)!
    if (staged !== undefined || (await presentDigest(format, files, fileDigests)) === digest) continue
    throw new ZenmlError(
      'ZEN_SOURCE_CHANGED',
      `The files of datasource "${from.name}" were written to while step "${step.name}" read them; nothing of it is kept.`,
      { facts: { datasource: from.name, step: step.name }, next: 'Run again when they stay as they are.', exitCode: 1 },
    )
  }
}

/** What was taken over from an earlier execution stands on what that one was seen to depend on. */
function observedBy({ step, previous }: Execution, output: StepOutput): ObservedLeaf {
  const observed = output.usedPrevious ? previous?.observed : undefined
  return {
    seed: output.usedSeed || (observed?.seed ?? null) !== null ? step.seed : null,
    files: { ...observed?.files, ...output.observed.files },
  }
}

function allTouches({ previous }: Execution, { usedPrevious, touches: now }: StepOutput): readonly Touch[] {
  const before = usedPrevious ? (previous?.touches ?? []) : []
  if (before.length === 0) return now
  const known = new Set(now.map((touch) => canonicalJson(touch as unknown as JsonObject)))
  return [...now, ...before.filter((touch) => !known.has(canonicalJson(touch as unknown as JsonObject)))]
}

/** Stores what a step that did not complete has kept, and says so; that this fails is told, since the step failed for another reason. */
async function keepPartial(
  workspace: Workspace,
  execution: Execution,
  output: StepOutput | null,
): Promise<{ readonly partial?: PartialResults }> {
  const { step, directory, onEvent } = execution
  if (execution.keepPartial !== true || !output?.partial) return {}
  const { done, unit } = output.partial
  const kept = workDone({ done, unit })
  try {
    await keepLoaded({ ...workspace, packages: step.bundle.packages }, output.loaded)
    const outputs: { [output: string]: StoredArtifact } = {}
    // The run may be canceled already: this must be done all the same.
    for (const [name, type] of Object.entries(step.descriptor.outputs))
      outputs[name] = await workspace.artifacts.put(type, join(directory, 'partial', name), { move: true })
    const message = `Step "${step.name}" keeps the results of ${kept}: the next run goes on from there.`
    onEvent({ kind: 'note', message })
    return {
      partial: { done, unit, outputs, observed: observedBy(execution, output), touches: allTouches(execution, output) },
    }
  } catch (error) {
    const message = `Step "${step.name}" could not keep the results of ${kept}: ${messageOf(error)}`
    onEvent({ kind: 'warning', code: 'ZEN_STEP_PARTIAL', message })
    return {}
  }
}

/** What is hashed is what is run, and it is kept: the bundle is stored under the digest that the identity holds. */
async function keepBundle(workspace: Workspace, { step }: Execution): Promise<void> {
  await Promise.all([...step.bundle.contents.values()].map((bytes) => workspace.artifacts.putBlob(bytes)))
}

async function runLogged(workspace: Workspace, { directory, step, signal, onEvent }: Execution): Promise<StepResult> {
  const log = createWriteStream(join(directory, 'log'))
  // A full disk ends the log, not our process; that the log is not whole is told when the step has ended.
  let broken = false
  log.on('error', () => {
    broken = true
  })
  const decoders = { stdout: new TextDecoder(), stderr: new TextDecoder() }
  try {
    return await workspace.backend.execute(
      {
        step: step.name,
        directory,
        variables: step.variables,
        ...(step.spec.timeout === undefined ? {} : { timeout: step.spec.timeout }),
        ...(step.spec.memory === undefined ? {} : { memory: step.spec.memory }),
      },
      {
        signal,
        onOutput: (stream, chunk) => {
          const full = !broken && !log.write(chunk)
          onEvent({
            kind: 'step-output',
            step: step.name,
            stream,
            text: decoders[stream].decode(chunk, { stream: true }),
          })
          return full ? drained(log) : undefined
        },
        onEvent: (event) => onEvent({ kind: 'step-event', step: step.name, event }),
      },
    )
  } finally {
    // Rejects where the disk was full meanwhile.
    await finished(log.end())
  }
}

/** When a log takes more, or never will. */
function drained(log: WriteStream): Promise<void> {
  return new Promise((resolve) => log.once('drain', resolve).once('close', resolve))
}

/** Packs an error that is not the step's own: the store is full, an input is damaged … */
export function failureOf(error: unknown): Failure {
  const code = error instanceof ZenmlError ? error.code : 'ZEN_RUN_ERROR'
  const next = error instanceof ZenmlError && error.next !== undefined ? ` ${error.next}` : ''
  const stack = error instanceof Error && !(error instanceof ZenmlError) ? error.stack : undefined
  return { code, message: `${messageOf(error)}${next}`, ...(stack === undefined ? {} : { stack }) }
}
