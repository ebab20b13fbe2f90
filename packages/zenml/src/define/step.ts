import type { Json, JsonObject } from '../base/json.ts'
import type { Random } from '../base/random.ts'
import type { AnyArtifactType, Loaded, Saved } from '../model/artifact-type.ts'
import type { SourceFiles } from '../model/source-files.ts'
import { type ConnectedInputs, currentPipeline, type OutputRefs } from './pipeline.ts'

/** Checks parameters and fills in defaults. Any Zod schema is one; so is any Standard Schema with a JSON Schema beside it. */
export interface ParameterSchema<Output> {
  readonly '~standard': {
    readonly version: 1
    readonly vendor: string
    validate(value: unknown): ParameterResult<Output> | Promise<ParameterResult<Output>>
    readonly types?: { readonly input: unknown; readonly output: Output } | undefined
  }
}

type ParameterResult<Output> =
  | { readonly value: Output; readonly issues?: undefined }
  | { readonly issues: readonly { readonly message: string; readonly path?: readonly unknown[] | undefined }[] }

/** Parameters as one writes them: those with a default may be left out. */
export type ParameterInput<S> = S extends { readonly '~standard': { readonly types?: infer T } }
  ? NonNullable<T> extends { readonly input: infer I }
    ? I
    : never
  : never

/** Parameters as the step gets them. */
export type ParameterOutput<S> = S extends { readonly '~standard': { readonly types?: infer T } }
  ? NonNullable<T> extends { readonly output: infer O }
    ? O
    : never
  : never

/** The inputs, outputs or both of a step, by name. */
export interface Ports {
  readonly [name: string]: AnyArtifactType | OptionalPort<AnyArtifactType> | SourcePort
}

/** An input that may be left unconnected. */
export interface OptionalPort<T extends AnyArtifactType> {
  readonly optional: T
}

/** An input that takes a datasource: raw files, read by the step that makes the snapshot. */
export interface SourcePort {
  readonly name: 'Source'
  readonly source: true
}

/** Marks an input that takes a datasource. */
export const Source: SourcePort = { name: 'Source', source: true }

/**
 * Marks an input that may be left unconnected; the step gets `undefined` then.
 *
 * @example
 * const describe = step({
 *   name: 'describe',
 *   inputs: { examples: Examples, schema: optional(Schema) },
 *   outputs: { text: JsonArtifact },
 *   run: ({ inputs }) => ({ text: inputs.schema === undefined ? 'no schema' : 'a schema' }),
 * })
 */
// @__NO_SIDE_EFFECTS__
export function optional<T extends AnyArtifactType>(type: T): OptionalPort<T> {
  return { optional: type }
}

/** What a step is given for each input. */
export type InputValues<I extends Ports> = {
  readonly [K in keyof I]: I[K] extends OptionalPort<infer T>
    ? Loaded<T> | undefined
    : I[K] extends SourcePort
      ? SourceFiles
      : I[K] extends AnyArtifactType
        ? Loaded<I[K]>
        : never
}

/** What a step returns for each output; one that it wrote to `context.directories` itself may be left out. */
export type OutputValues<O extends OutputPorts> = { readonly [K in keyof O]?: Saved<O[K]> }

/** The outputs of a step, by name. */
export interface OutputPorts {
  readonly [name: string]: AnyArtifactType
}

/** What a step is given beside its inputs and parameters. */
export interface StepContext<O extends OutputPorts = OutputPorts> {
  /** The step's name in the pipeline. */
  readonly name: string
  /** The step's seed, a whole number in [0, 2^31): derived from the run's seed and the step's name. Using it is recorded. */
  readonly seed: number
  /** A random sequence from the seed. Using it is recorded. `Math.random` is seeded too. */
  readonly random: Random
  /** Aborted when the run is canceled or the step's time is over. */
  readonly signal: AbortSignal
  /**
   * For a step that is `incremental`: what an earlier execution gave whose code, packages, parameters, environment and other inputs were the
   * same; undefined where there is none. A short cut and no more: what the step gives must be the same without it, and `verify` runs it so.
   */
  previous(): Promise<{ readonly [K in keyof O]: Loaded<O[K]> } | undefined>
  /**
   * For a step that is `incremental` and cannot go on: keeps what it has made, although the step fails, for the next execution to take from
   * `previous()`. `write` gets an empty directory for each output and gives the outputs as `run` does: all that the next execution may take over,
   * with what this one took over itself. The last call counts. What cannot be written is told in the log and not thrown, as the step fails for
   * another reason. When `signal` is aborted, 5 seconds are left. Throws `ZEN_STEP_PARTIAL` for a step that is not incremental.
   *
   * @example
   * const sums = step({
   *   name: 'sums',
   *   inputs: { numbers: JsonArtifact },
   *   outputs: { sums: JsonArtifact },
   *   incremental: ['numbers'],
   *   run: async ({ context }) => {
   *     await context.partial({ done: 1, unit: 'sums' }, () => ({ sums: [3] }))
   *     throw new Error('no second sum')
   *   },
   * })
   */
  partial(
    what: PartialWork,
    write: (
      directories: {
        readonly [K in keyof O]: string
      },
    ) => OutputValues<O> | undefined | Promise<OutputValues<O> | undefined>,
  ): Promise<void>
  /** A directory for each output, for steps that write files themselves. */
  readonly directories: { readonly [K in keyof O]: string }
  /** An empty directory of the step's own, gone when it ends. */
  readonly scratch: string
  /** Tells how far the step is: `done` of `total` (null where unknown) units. */
  progress(done: number, total: number | null, unit?: string): void
  /** Records a number; `at` is its position in a series, such as the epoch. Shown live, kept with the execution. */
  metric(name: string, value: number, at?: number): void
  /** Adds facts to an output (row counts, headline metrics), kept in the metadata store. */
  describe(output: keyof O & string, facts: JsonObject): void
}

/** How much of its work a step keeps, for messages: so many of a unit (`items`). */
export interface PartialWork {
  readonly done: number
  readonly unit: string
}

/** Writes partial results into a directory for each output, or gives them, by output. */
export type PartialWriter = (directories: {
  readonly [output: string]: string
}) => { readonly [output: string]: unknown } | undefined | Promise<{ readonly [output: string]: unknown } | undefined>

/** The work of a step. */
export interface StepWork<I extends Ports, O extends OutputPorts, P> {
  readonly inputs: InputValues<I>
  readonly parameters: P
  readonly context: StepContext<O>
}

/** What one declares of a step. */
export interface StepDefinition<I extends Ports, O extends OutputPorts, S extends ParameterSchema<unknown>> {
  /** Name in a pipeline unless the pipeline gives another. */
  readonly name: string
  /** One sentence for people. */
  readonly description?: string
  readonly inputs?: I
  readonly outputs: O
  /** A Zod schema of the parameters, with defaults. */
  readonly parameters?: S
  /**
   * Inputs whose items are worked on one by one, each without regard to the others: the step may then take over from `context.previous()` what
   * it gave for items that are still the same. Default none.
   */
  readonly incremental?: readonly (keyof I & string)[]
  /**
   * A small computation by the same arithmetic as the step's own, for steps that depend on native code or on instructions that not every processor
   * has. The bits of its numbers are part of the step's identity: where they differ, results of the other machine are not reused.
   */
  canary?(): ArrayLike<number> | Promise<ArrayLike<number>>
  run(work: StepWork<I, O, ParameterOutput<S>>): OutputValues<O> | undefined | Promise<OutputValues<O> | undefined>
}

/** Options of a step at its place in a pipeline. */
export interface PlacementOptions {
  /** Name in the pipeline; default the step's own. Two steps never share one. */
  readonly name?: string
  /** Names of environment variables that the step may see. Default none. */
  readonly environment?: readonly string[]
  /** Wall-clock limit in seconds. Default none. */
  readonly timeout?: number
  /** Limit of the JavaScript heap in MiB. Default Node's own. */
  readonly memory?: number
  /** False: executed in every run. Default true. */
  readonly cache?: boolean
  /** True: fails at the first thing that it touches without declaring it (files, network, clock …). Default the pipeline's. */
  readonly strict?: boolean
}

/** A step: called inside `pipeline()` it takes its place in the graph; `definition.run` is the plain function. */
export interface Step<
  I extends Ports = Ports,
  O extends OutputPorts = OutputPorts,
  S extends ParameterSchema<unknown> = ParameterSchema<unknown>,
> {
  (...given: StepArguments<I, S>): OutputRefs<O>
  readonly [stepBrand]: true
  readonly definition: StepDefinition<I, O, S>
}

/** Parameters may be left out where each of them has a default. */
export type StepArguments<I extends Ports, S> =
  {} extends ConnectedInputs<I>
    ? [inputs?: ConnectedInputs<I>, parameters?: ParameterInput<S>, options?: PlacementOptions]
    : {} extends ParameterInput<S>
      ? [inputs: ConnectedInputs<I>, parameters?: ParameterInput<S>, options?: PlacementOptions]
      : [inputs: ConnectedInputs<I>, parameters: ParameterInput<S>, options?: PlacementOptions]

/** A registered symbol, so that a step is known across two copies of this module (the CLI's and a bundle's). */
export const stepBrand: unique symbol = Symbol.for('zenml.step') as never

/** Any step, whatever its ports and parameters. */
// biome-ignore lint/suspicious/noExplicitAny: steps of all kinds stand side by side
export type AnyStep = Step<any, any, any>

/** Whether a value is a step. */
export function isStep(value: unknown): value is AnyStep {
  return typeof value === 'function' && stepBrand in value
}

/** Schema of a step that takes no parameters: the third type argument of its `Step` type. */
export type NoParameters = typeof noParameters

/** The schema of a step without parameters: an empty object, nothing else. */
export const noParameters: ParameterSchema<{}> & {
  readonly '~standard': { readonly types?: { readonly input: {}; readonly output: {} } | undefined }
} = {
  '~standard': {
    version: 1,
    vendor: 'zenml',
    validate: (value) => {
      const keys = typeof value === 'object' && value !== null ? Object.keys(value) : []
      if (keys.length === 0) return { value: {} }
      return {
        issues: keys.map((key) => ({
          message: `Unrecognized key: "${key}". This step takes no parameters.`,
          path: [],
        })),
      }
    },
  },
}

/**
 * Declares a step: its inputs, outputs and parameters, and the function that does the work. A step knows nothing of stores,
 * caching or processes; `runStep` runs one alone in a test.
 *
 * @example
 * const count = step({
 *   name: 'count',
 *   inputs: { examples: Examples },
 *   outputs: { rows: JsonArtifact },
 *   parameters: z.object({ split: z.string().default('train') }),
 *   run: async ({ inputs, parameters }) => ({ rows: { count: inputs.examples.rows(parameters.split) } }),
 * })
 */
// @__NO_SIDE_EFFECTS__
export function step<
  const I extends Ports = {},
  const O extends OutputPorts = OutputPorts,
  S extends ParameterSchema<unknown> = typeof noParameters,
>(definition: StepDefinition<I, O, S>): Step<I, O, S> {
  function place(
    inputs?: ConnectedInputs<I>,
    parameters?: ParameterInput<S>,
    options?: PlacementOptions,
  ): OutputRefs<O> {
    const refs = currentPipeline(definition.name).place(
      placed as never,
      inputs ?? {},
      (parameters ?? {}) as Json,
      options ?? {},
    )
    return refs as OutputRefs<O>
  }
  const placed = Object.assign(place, { [stepBrand]: true as const, definition: Object.freeze({ ...definition }) })
  return placed as unknown as Step<I, O, S>
}
