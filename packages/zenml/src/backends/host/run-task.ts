import { mkdirSync, readFileSync, renameSync, writeFileSync, writeSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { canonicalJson } from '../../base/canonical.ts'
import { messageOf, ZenmlError } from '../../base/errors.ts'
import type { JsonObject } from '../../base/json.ts'
import { type Random, seededRandom } from '../../base/random.ts'
import { checkIncremental, savePartial } from '../../define/partial.ts'
import { saveOutputs } from '../../define/save-outputs.ts'
import { type AnyStep, isStep, type PartialWork, type PartialWriter } from '../../define/step.ts'
import type { AnyArtifactType } from '../../model/artifact-type.ts'
import type { Failure } from '../../model/run.ts'
import type { SourceFiles } from '../../model/source-files.ts'
import type { StepEvent, StepInput, StepOutput, StepPartial } from '../../model/step-protocol.ts'
import { startTrace, type Trace } from './trace.ts'

const eventDescriptor = 3

/** Runs the step that `directory` holds and leaves `output.json` there. */
export async function runTask(directory: string): Promise<void> {
  const input = JSON.parse(readFileSync(join(directory, 'input.json'), 'utf8')) as StepInput
  const abort = new AbortController()
  process.once('SIGTERM', () => abort.abort(new Error('the run was canceled')))
  watchParent()
  const state = seedGlobals(input.seed, pathToFileURL(join(directory, input.bundle)).href)
  const metrics: { [name: string]: number | number[] } = {}
  const properties: { [output: string]: JsonObject } = {}
  const trace = startTrace(directory, input)
  let usedPrevious = false
  let partial: StepPartial | null = null
  let keeping = false
  const end = (error: Failure | null): void => {
    const output: StepOutput = {
      format: 1,
      status: error === null ? 'complete' : 'failed',
      error,
      metrics: metrics as JsonObject,
      properties,
      usedSeed: state.used,
      usedPrevious,
      // Made of what a strict step must not touch, it could not be believed.
      partial: error === null || trace.violation() !== null ? null : partial,
      ...trace.end(),
    }
    writeFileSync(join(directory, 'output.json.part'), canonicalJson(output as unknown as JsonObject))
    renameSync(join(directory, 'output.json.part'), join(directory, 'output.json'))
  }
  const stopped = (): never => {
    if (partial !== null) end({ code: 'ZEN_STEP_SIGNAL', message: `Step "${input.step}" was ended by SIGTERM.` })
    process.exit(143)
  }
  // Thrown where the step does not wait: in a timer, a listener or a promise that nobody looks at.
  process.on('uncaughtException', (thrown) => {
    // What the abort itself breaks must not cost what is being kept.
    if (abort.signal.aborted) return keeping ? undefined : stopped()
    end(tellFailure(trace.violation() ?? thrown, trace))
    process.exit(1)
  })
  let error: Failure | null = null
  try {
    const step = await loadStep(join(directory, input.bundle))
    state.loading = false
    const directories = Object.fromEntries(
      Object.entries(input.outputs).map(([name, output]) => [name, join(directory, output.path)]),
    )
    const scratch = join(directory, 'scratch')
    mkdirSync(scratch)
    const returned = await step.definition.run({
      inputs: await loadInputs(step, input, directory),
      parameters: input.parameters as never,
      context: {
        name: input.step,
        get seed() {
          state.used = true
          return input.seed
        },
        get random() {
          state.used = true
          return state.random
        },
        previous: async () => {
          if (input.previous === undefined) return undefined
          usedPrevious = true
          return await loadPrevious(step, input.previous, directory)
        },
        partial: async (what: PartialWork, write: PartialWriter) => {
          checkIncremental(step)
          partial = null
          keeping = true
          try {
            await savePartial(step, join(directory, 'partial'), write)
            partial = { done: what.done, unit: what.unit }
          } catch (error) {
            process.stderr.write(`What was made by then could not be kept: ${messageOf(error)}\n`)
          }
          keeping = false
        },
        signal: abort.signal,
        directories,
        scratch,
        progress: (done: number, total: number | null, unit = '') => tell({ kind: 'progress', done, total, unit }),
        metric: (name: string, value: number, at?: number) => {
          record(metrics, name, value, at)
          tell({ kind: 'metric', name, value, at: at ?? null })
        },
        describe: (output: string, facts: JsonObject) => {
          properties[output] = { ...properties[output], ...facts }
        },
      },
    })
    if (abort.signal.aborted) stopped()
    await saveOutputs(step, returned, directories)
    const violation = trace.violation()
    if (violation !== null) throw violation
  } catch (thrown) {
    if (abort.signal.aborted) stopped()
    // Code that caught the refusal, or failed by it, failed for that reason.
    error = tellFailure(trace.violation() ?? thrown, trace)
  }
  end(error)
  // A timer, socket or worker that the step left behind must not hold the run up.
  await flush()
  process.exit(error === null ? 0 : 1)
}

/** Loads a bundle; its default export is the step. */
export async function loadStep(path: string): Promise<AnyStep> {
  const loaded = (await import(pathToFileURL(path).href)) as { readonly default?: unknown }
  if (!isStep(loaded.default)) {
    throw new ZenmlError('ZEN_STEP_EXPORT', "The step's source does not export a step: it must be made with step().")
  }
  return loaded.default
}

async function loadInputs(step: AnyStep, input: StepInput, directory: string): Promise<{ [name: string]: unknown }> {
  const values: { [name: string]: unknown } = {}
  for (const [name, given] of Object.entries(input.inputs)) {
    if (given.kind === 'source') {
      values[name] = { format: given.format, options: given.options, files: given.files } satisfies SourceFiles
      continue
    }
    const port = step.definition.inputs[name] as AnyArtifactType | { readonly optional: AnyArtifactType }
    const type = 'optional' in port ? port.optional : port
    values[name] = await type.materializer.load(join(directory, given.path))
  }
  return values
}

async function loadPrevious(
  step: AnyStep,
  previous: NonNullable<StepInput['previous']>,
  directory: string,
): Promise<{ [output: string]: unknown }> {
  const values: { [output: string]: unknown } = {}
  for (const [output, { path }] of Object.entries(previous)) {
    const type = step.definition.outputs[output] as AnyArtifactType
    values[output] = await type.materializer.load(join(directory, path))
  }
  return values
}

/** Replaces the one global source of chance by the step's own; whether anything asked is part of what was observed. */
function seedGlobals(seed: number, bundle: string): { used: boolean; loading: boolean; readonly random: Random } {
  const global = seededRandom(`global ${seed}`)
  const load = seededRandom('load')
  const state = { used: false, loading: true, random: seededRandom(seed) }
  Math.random = () => {
    // Some packages take a number when they are loaded, for use or not. That is the same for every seed, and so none was used.
    if (state.loading && !String(new Error().stack).includes(bundle)) return load.next()
    state.used = true
    return global.next()
  }
  return state
}

function record(
  metrics: { [name: string]: number | number[] },
  name: string,
  value: number,
  at: number | undefined,
): void {
  if (!Number.isFinite(value)) {
    throw new ZenmlError('ZEN_METRIC', `Metric "${name}" is ${value}; only finite numbers can be recorded.`, {
      next: 'Look for a division by zero or a diverging loss (a smaller learning rate often helps).',
      exitCode: 1,
    })
  }
  if (at === undefined) {
    metrics[name] = value
    return
  }
  const series = metrics[name]
  if (Array.isArray(series)) series.push(value)
  else metrics[name] = [value]
}

/** Live only: what must not be lost is in `output.json`. */
function tell(event: StepEvent): void {
  try {
    writeSync(eventDescriptor, `${JSON.stringify(event)}\n`)
  } catch {
    // Nobody listens, or the pipe is full.
  }
}

/** A step whose runner died must not go on alone. */
function watchParent(): void {
  process.stdin.on('end', () => process.exit(129))
  process.stdin.on('error', () => process.exit(129))
  process.stdin.resume()
  process.stdin.unref()
}

/** Says in the step's log what went wrong, and packs it. */
function tellFailure(thrown: unknown, trace: Trace): Failure {
  const failure = failureOf(thrown, trace)
  process.stderr.write(`${failure.stack ?? failure.message}\n`)
  return failure
}

function failureOf(thrown: unknown, trace: Trace): Failure {
  if (!(thrown instanceof Error)) return { code: 'ZEN_STEP_ERROR', message: `The step threw ${messageOf(thrown)}` }
  const { stack, message } = thrown
  const ours = 'code' in thrown && typeof thrown.code === 'string' && thrown.code.startsWith('ZEN_')
  const code = ours ? (thrown.code as string) : 'ZEN_STEP_ERROR'
  const next = 'next' in thrown && typeof thrown.next === 'string' ? ` ${thrown.next}` : ''
  return {
    code,
    message: `${message}${next}`,
    ...(typeof stack === 'string' ? { stack: trace.stackOf(stack, ours) } : {}),
  }
}

function flush(): Promise<void> {
  return new Promise((resolve) => process.stdout.write('', () => process.stderr.write('', () => resolve())))
}
