import { ZenmlError } from '../base/errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import type { AnyArtifactType } from '../model/artifact-type.ts'
import {
  completeDatasource,
  type DatasourceOptions,
  type DatasourceSpec,
  datasourceFormats,
} from '../model/datasource-spec.ts'
import type { GivenCell, RowsOptions } from '../model/given-rows.ts'
import {
  type ArtifactReference,
  type BackendSpec,
  namePattern,
  partNamePattern,
  reservedNames,
  type StoresSpec,
} from '../model/pipeline-spec.ts'
import type { AnyStep, OptionalPort, OutputPorts, PlacementOptions, Ports, SourcePort } from './step.ts'

/** Stands for an output of a step (or a datasource) while a pipeline is put together. */
export interface Ref<T extends AnyArtifactType | SourcePort = AnyArtifactType> {
  readonly type: T
  /** `step.output` or `datasources.name`. */
  readonly from: string
}

/** A reference to each output of a step. */
export type OutputRefs<O extends OutputPorts> = { readonly [K in keyof O]: Ref<O[K]> }

/** What connects to each input of a step: a reference of the right type. */
export type ConnectedInputs<I extends Ports> = {
  readonly [K in RequiredInputs<I>]: I[K] extends SourcePort
    ? Ref<SourcePort>
    : I[K] extends AnyArtifactType
      ? Ref<I[K]>
      : never
} & { readonly [K in OptionalInputs<I>]?: I[K] extends OptionalPort<infer T> ? Ref<T> : never }

type OptionalInputs<I extends Ports> = {
  [K in keyof I]: I[K] extends OptionalPort<AnyArtifactType> ? K : never
}[keyof I]
type RequiredInputs<I extends Ports> = Exclude<keyof I, OptionalInputs<I>>

/** Options of a pipeline. */
export interface PipelineOptions {
  /** Seed of its runs, from 0 to 2^31 - 1. Default 0. */
  readonly seed?: number
  /** True: no step may touch what it does not declare, unless it is placed with `strict: false`. Default false. */
  readonly strict?: boolean
  /** Where its runs are kept: paths inside of the repository, relative to its root. Default the project's stores. */
  readonly stores?: StoresSpec
  /** Where its steps run. Default local, as many steps at once as there are processors. */
  readonly backend?: BackendSpec
}

/** A step at its place in a pipeline. */
export interface PlacedStep {
  readonly step: AnyStep
  readonly name: string
  readonly parameters: JsonObject
  readonly inputs: { readonly [input: string]: string }
  readonly options: PlacementOptions
}

/** A pipeline: a name and a function that connects steps. */
export interface Pipeline {
  readonly [pipelineBrand]: true
  readonly name: string
  readonly options: PipelineOptions
  /** Puts the graph together; a new one at every call. */
  build(): PipelineGraph
}

/** What `build()` gives: everything the declarative configuration says, but the steps' sources. */
export interface PipelineGraph {
  readonly name: string
  readonly options: PipelineOptions
  readonly datasources: { readonly [name: string]: DatasourceSpec }
  /** By datasource: rows that are still to be read into the artifact that it names then. */
  readonly rows: { readonly [name: string]: RowsOptions }
  readonly artifacts: { readonly [name: string]: ArtifactReference }
  readonly steps: readonly PlacedStep[]
}

/** A registered symbol, so that a pipeline is known across two copies of this module. */
export const pipelineBrand: unique symbol = Symbol.for('zenml.pipeline') as never

/** Whether a value is a pipeline. */
export function isPipeline(value: unknown): value is Pipeline {
  return typeof value === 'object' && value !== null && pipelineBrand in value
}

/** The pipeline that is being put together; steps and datasources take their place in it. */
interface PipelineBuilder {
  place(step: AnyStep, inputs: object, parameters: Json, options: PlacementOptions): OutputRefs<OutputPorts>
  datasource(name: string, spec: DatasourceSpec, rows?: RowsOptions): Ref<SourcePort>
  artifact<T extends AnyArtifactType>(name: string, type: T, from: ArtifactOrigin): Ref<T>
}

const builders: PipelineBuilder[] = []

/** The builder that is at work; throws `ZEN_STEP_OUTSIDE_PIPELINE` outside `pipeline()`. */
export function currentPipeline(what: string): PipelineBuilder {
  const builder = builders.at(-1)
  if (builder === undefined) {
    throw new ZenmlError('ZEN_STEP_OUTSIDE_PIPELINE', `"${what}" was called outside of a pipeline.`, {
      next: 'Call it inside pipeline(name, () => …); to run one step alone, use runStep().',
    })
  }
  return builder
}

/**
 * Declares a pipeline: a function in which steps are called like functions and their outputs passed on.
 *
 * @example
 * export default pipeline('penguins', () => {
 *   const source = datasource('penguins', { path: 'data/penguins.csv' })
 *   const { examples } = snapshot({ source })
 *   const { examples: parts } = split({ examples }, { ratios: { train: 0.8, test: 0.2 } })
 * })
 */
// @__NO_SIDE_EFFECTS__
export function pipeline(name: string, connect: () => void, options: PipelineOptions = {}): Pipeline {
  return Object.freeze({
    [pipelineBrand]: true as const,
    name,
    options,
    build: () => build(name, connect, options),
  })
}

/**
 * Names data that lies outside, or rows that the module itself gives; the snapshot step reads it. A path is relative to the repository's root, or
 * `package:NAME/PATH` in an installed package. Rows are read when a run is planned, and are an artifact from there on.
 *
 * @example
 * pipeline('penguins', () => {
 *   const source = datasource('penguins', { path: 'package:vega-datasets/data/penguins.json' })
 *   snapshot({ source })
 *   const islands = datasource('islands', { rows: [{ name: 'Biscoe', area: 9.5 }, { name: 'Dream', area: null }] })
 *   snapshot({ source: islands }, {}, { name: 'islands' })
 * })
 */
export function datasource<R extends { readonly [K in keyof R]: GivenCell }>(
  name: string,
  options: DatasourceOptions | RowsOptions<R>,
): Ref<SourcePort> {
  if ('rows' in options) {
    const { version, rows: _rows, schema: _schema, ...others } = options
    const [other] = Object.keys(others)
    if (other !== undefined)
      throw new ZenmlError('ZEN_CONFIG_SOURCE', `Datasource "${name}" has rows, and "${other}" beside them.`, {
        next: 'Give rows, schema and version, or a datasource of another type.',
      })
    const spec: DatasourceSpec = { type: 'artifact', ...(version === undefined ? {} : { version }) }
    return currentPipeline(name).datasource(name, spec, options as RowsOptions<unknown> as RowsOptions)
  }
  const spec = completeDatasource(options)
  if (spec === undefined) {
    const place = 'url' in options ? options.url : 'path' in options ? options.path : name
    throw new ZenmlError('ZEN_SOURCE_FORMAT', `The format of "${place}" is not told by its name.`, {
      next: `Add format: one of ${datasourceFormats.join(', ')}.`,
    })
  }
  return currentPipeline(name).datasource(name, spec)
}

/** Where an artifact comes from: a digest or `RUN/step.output`, or the newest complete run of a pipeline. */
export type ArtifactOrigin =
  | { readonly artifact: string }
  | {
      readonly pipeline: string
      /** `step.output` */
      readonly output: string
      /** Whether the inputs that read it are left out as long as no complete run has given it. Default false: that is an error. */
      readonly optional?: boolean
    }

/**
 * Names an artifact that another run gave, of a type. Which one that is, is found out when a run is planned; the run records its digest, and is made
 * again from that.
 *
 * @example
 * pipeline('check', () => {
 *   const evaluation = artifact('evaluation', Evaluation, { pipeline: 'penguins', output: 'evaluate.evaluation' })
 *   const baseline = artifact('baseline', Evaluation, { pipeline: 'check', output: 'evaluate.evaluation', optional: true })
 *   gate({ evaluation, baseline }, { atLeast: { accuracy: 0.9 } })
 * })
 */
export function artifact<T extends AnyArtifactType>(name: string, type: T, from: ArtifactOrigin): Ref<T> {
  return currentPipeline(name).artifact(name, type, from)
}

function build(name: string, connect: () => void, options: PipelineOptions): PipelineGraph {
  checkName('pipeline', name, namePattern)
  const datasources = new Map<string, DatasourceSpec>()
  const given = new Map<string, RowsOptions>()
  const steps = new Map<string, PlacedStep>()
  const artifacts = new Map<string, ArtifactReference>()

  builders.push({
    place(step, inputs, parameters, placement) {
      const placedName = placement.name ?? step.definition.name
      checkName('step', placedName, partNamePattern)
      if (reservedNames.includes(placedName))
        throw new ZenmlError('ZEN_NAME_RESERVED', `"${placedName}" cannot be the name of a step.`)
      if (steps.has(placedName)) {
        throw new ZenmlError('ZEN_STEP_TWICE', `Two steps of pipeline "${name}" are named "${placedName}".`, {
          next: 'Give one of them another name: step(inputs, parameters, { name: "…" }).',
        })
      }
      if (!isJsonObject(parameters))
        throw new ZenmlError('ZEN_PARAMETERS', `The parameters of step "${placedName}" must be an object.`)
      const connected = connections(step, placedName, inputs as { [input: string]: Ref | Ref<SourcePort> | undefined })
      steps.set(placedName, { step, name: placedName, parameters, inputs: connected, options: placement })
      const outputs = step.definition.outputs as OutputPorts
      return Object.fromEntries(
        Object.entries(outputs).map(([output, type]) => [output, { type, from: `${placedName}.${output}` }]),
      )
    },
    datasource(sourceName, spec, rows) {
      checkName('datasource', sourceName, partNamePattern)
      if (datasources.has(sourceName))
        throw new ZenmlError('ZEN_SOURCE_TWICE', `Two datasources are named "${sourceName}".`)
      datasources.set(sourceName, spec)
      if (rows !== undefined) given.set(sourceName, rows)
      return { type: { name: 'Source', source: true }, from: `datasources.${sourceName}` }
    },
    artifact(artifactName, type, from) {
      checkName('artifact', artifactName, partNamePattern)
      if (artifacts.has(artifactName))
        throw new ZenmlError('ZEN_ARTIFACT_TWICE', `Two artifacts are named "${artifactName}".`)
      artifacts.set(artifactName, { type: type.name, ...from })
      return { type, from: `artifacts.${artifactName}` }
    },
  })
  try {
    connect()
  } finally {
    builders.pop()
  }
  return {
    name,
    options,
    datasources: Object.fromEntries(datasources),
    rows: Object.fromEntries(given),
    artifacts: Object.fromEntries(artifacts),
    steps: [...steps.values()],
  }
}

/** Checks each edge as the types already do, for callers that have none (plain JavaScript, casts). */
function connections(
  step: AnyStep,
  placedName: string,
  inputs: { readonly [input: string]: Ref | Ref<SourcePort> | undefined },
): { [input: string]: string } {
  const declared: Ports = step.definition.inputs ?? {}
  const connected: { [input: string]: string } = {}
  for (const [input, port] of Object.entries(declared)) {
    const ref = inputs[input]
    const expected = portType(port)
    if (ref === undefined) {
      if ('optional' in port) continue
      throw new ZenmlError(
        'ZEN_INPUT_MISSING',
        `Input "${input}" of step "${placedName}" is not connected; it takes ${expected}.`,
      )
    }
    if (ref.type?.name !== expected) {
      const given = ref.type?.name ?? typeof ref
      throw new ZenmlError(
        'ZEN_EDGE_TYPE',
        `Input "${input}" of step "${placedName}" takes ${expected}, but ${ref.from ?? 'it'} is ${given}.`,
        {
          facts: { step: placedName, input, expected, given },
        },
      )
    }
    connected[input] = ref.from
  }
  for (const input of Object.keys(inputs)) {
    if (!(input in declared)) {
      const names = Object.keys(declared).join(', ')
      throw new ZenmlError(
        'ZEN_INPUT_UNKNOWN',
        `Step "${placedName}" has no input "${input}"; it has ${names || 'none'}.`,
      )
    }
  }
  return connected
}

/** The name of the artifact type that a port takes. */
export function portType(port: Ports[string]): string {
  return 'optional' in port ? port.optional.name : port.name
}

function checkName(kind: string, name: string, pattern: RegExp): void {
  if (pattern.test(name)) return
  throw new ZenmlError(
    'ZEN_NAME',
    `"${name}" cannot be the name of a ${kind}: use letters, digits, "_" and "-", starting with a letter or digit.`,
  )
}
