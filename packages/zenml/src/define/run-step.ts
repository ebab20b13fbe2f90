import { mkdir, mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ZenmlError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import { seededRandom } from '../base/random.ts'
import type { AnyArtifactType, Loaded } from '../model/artifact-type.ts'
import { checkIncremental, partialDirectories, savePartial } from './partial.ts'
import { saveOutputs } from './save-outputs.ts'
import {
  type AnyStep,
  type InputValues,
  noParameters,
  type OutputPorts,
  type ParameterInput,
  type ParameterSchema,
  type PartialWriter,
  type Ports,
  type Step,
} from './step.ts'
import { unknownParameters } from './unknown-parameters.ts'

/** What `runStep` gives back: each output as the next step would get it. */
export interface StepTrial<O extends OutputPorts> extends AsyncDisposable {
  readonly outputs: { readonly [K in keyof O]: Loaded<O[K]> }
  /** The directory of each output. */
  readonly directories: { readonly [K in keyof O]: string }
  readonly metrics: readonly { readonly name: string; readonly value: number; readonly at: number | null }[]
  readonly properties: { readonly [output: string]: JsonObject }
  /** Removes the outputs. */
  dispose(): Promise<void>
}

/** What `runStep` is given. */
export interface TrialOptions<I extends Ports, S> {
  readonly inputs: InputValues<I>
  readonly parameters?: ParameterInput<S>
  /** Default 0. */
  readonly seed?: number
  /** What an earlier trial gave, for an incremental step. Default nothing. */
  readonly previous?: { readonly [output: string]: unknown }
  readonly signal?: AbortSignal
  /** Called with what an incremental step keeps when it cannot go on, as the next one's `previous`; it is gone when `runStep` has ended. */
  onPartial?(outputs: { readonly [output: string]: unknown }): void | Promise<void>
}

/**
 * Runs one step alone, in this process and without stores: for unit tests. Outputs are saved and loaded by their
 * materializers, as between two steps of a run.
 *
 * Throws `ZEN_PARAMETERS` where the parameters do not fit the step's schema, `ZEN_OUTPUT_MISSING` where it leaves one out.
 *
 * @example
 * const double = step({
 *   name: 'double',
 *   inputs: { number: JsonArtifact },
 *   outputs: { doubled: JsonArtifact },
 *   run: ({ inputs }) => ({ doubled: Number(inputs.number) * 2 }),
 * })
 * await using trial = await runStep(double, { inputs: { number: 21 } })
 * trial.outputs.doubled // 42
 */
export async function runStep<I extends Ports, O extends OutputPorts, S extends ParameterSchema<unknown>>(
  step: Step<I, O, S>,
  options: TrialOptions<I, S>,
): Promise<StepTrial<O>> {
  const { definition } = step
  const parameters = await validateParameters(step, options.parameters ?? {})
  const root = await mkdtemp(join(tmpdir(), 'zenml-step-'))
  const dispose = (): Promise<void> => rm(root, { recursive: true, force: true })
  try {
    const directories: { [name: string]: string } = {}
    for (const name of Object.keys(definition.outputs)) {
      directories[name] = join(root, 'outputs', name)
      await mkdir(directories[name], { recursive: true })
    }
    const scratch = join(root, 'scratch')
    await mkdir(scratch)
    const metrics: { name: string; value: number; at: number | null }[] = []
    const properties: { [output: string]: JsonObject } = {}
    const seed = options.seed ?? 0
    const returned = await definition.run({
      inputs: options.inputs,
      parameters: parameters as never,
      context: {
        name: definition.name,
        seed,
        random: seededRandom(seed),
        signal: options.signal ?? new AbortController().signal,
        previous: async () => options.previous as never,
        partial: async (_what, write) => {
          checkIncremental(step)
          const folder = join(root, 'partial')
          await savePartial(step, folder, write as PartialWriter)
          await options.onPartial?.(await loadOutputs(step, partialDirectories(step, folder)))
        },
        directories: directories as never,
        scratch,
        progress: () => undefined,
        metric: (name, value, at) => void metrics.push({ name, value, at: at ?? null }),
        describe: (output, facts) => {
          properties[output] = { ...properties[output], ...facts }
        },
      },
    })
    await saveOutputs(step, returned as { [name: string]: unknown } | undefined, directories)
    const outputs = await loadOutputs(step, directories)
    const trial = { outputs, directories, metrics, properties, dispose, [Symbol.asyncDispose]: dispose }
    return trial as unknown as StepTrial<O>
  } catch (error) {
    await dispose()
    throw error
  }
}

async function loadOutputs(
  step: AnyStep,
  directories: { readonly [name: string]: string },
): Promise<{ [name: string]: unknown }> {
  const outputs: { [name: string]: unknown } = {}
  for (const [name, type] of Object.entries<AnyArtifactType>(step.definition.outputs))
    outputs[name] = await type.materializer.load(directories[name]!)
  return outputs
}

/** Validates parameters by the step's schema and fills in defaults; throws `ZEN_PARAMETERS` with every problem. */
export async function validateParameters(step: AnyStep, given: unknown): Promise<JsonObject> {
  const { definition } = step
  const schema = (definition.parameters ?? noParameters) as ParameterSchema<unknown>
  const result = await schema['~standard'].validate(given)
  const problems =
    result.issues === undefined
      ? unknownParameters(schema, given, result.value)
      : result.issues.map((issue) => {
          const path = (issue.path ?? []).map((part) =>
            String(typeof part === 'object' && part !== null && 'key' in part ? part.key : part),
          )
          return { path: path.join('.'), message: issue.message }
        })
  if (result.issues !== undefined || problems.length > 0) {
    const text = problems.map(({ path, message }) => (path === '' ? message : `${path}: ${message}`)).join('; ')
    throw new ZenmlError('ZEN_PARAMETERS', `The parameters of step "${definition.name}" do not fit: ${text}`, {
      facts: { problems: problems.map((problem) => ({ ...problem })) },
    })
  }
  return result.value as JsonObject
}
