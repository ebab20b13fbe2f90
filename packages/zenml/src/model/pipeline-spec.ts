import type { JsonObject } from '../base/json.ts'
import type { ArtifactName } from './artifact-name.ts'
import type { DatasourceSpec } from './datasource-spec.ts'

/**
 * The declared state of a pipeline: what the YAML says and what a pipeline written in TypeScript compiles to. Plain data; every
 * default that is not a step's own is filled in.
 */
export interface PipelineSpec {
  /** Version of this format. */
  readonly version: 1
  /** 1 to 100 of letters, digits, `.`, `_`, `-`; starts with a letter or digit. */
  readonly name: string
  /** Seed of the run, a whole number from 0 to 2^31 - 1; every step's seed is derived from it. Default 0. */
  readonly seed: number
  /** True: its steps may touch nothing that they do not declare, unless a step says otherwise. No part of any identity. Default false. */
  readonly strict?: boolean
  /** Where its runs are kept; the project's own stores where it is left out. No part of any identity. */
  readonly stores?: StoresSpec
  /** Where steps run. Default local. */
  readonly backend: BackendSpec
  /** By name. */
  readonly datasources: { readonly [name: string]: DatasourceSpec }
  /** What other runs gave, by name. */
  readonly artifacts?: { readonly [name: string]: ArtifactReference }
  /** By name; any order, the inputs make the graph. */
  readonly steps: { readonly [name: string]: StepSpec }
}

/** An artifact that another run gave. Which one that is, is found out when a run is planned, and the digest is recorded. */
export interface ArtifactReference extends ArtifactName {
  /** The artifact type that it must be of. */
  readonly type: string
  /** With `pipeline`: where no complete run has given it yet, the inputs that read it are left out. Default false: that is an error. */
  readonly optional?: boolean
}

/** Stores of a pipeline. Paths are relative to the repository's root and stay inside of it. */
export interface StoresSpec {
  readonly metadata?: { readonly type: 'sqlite'; readonly path: string }
  readonly artifacts?: { readonly type: 'local'; readonly path: string }
}

/** Whether a path is relative and does not leave the folder that it starts from. */
export function staysInside(path: string): boolean {
  if (path === '' || path.includes('\0') || /^([/\\]|[A-Za-z]:)/.test(path)) return false
  let depth = 0
  for (const part of path.split(/[/\\]/)) {
    if (part === '..') depth--
    else if (part !== '' && part !== '.') depth++
    if (depth < 0) return false
  }
  return depth > 0
}

/** Which backend runs the steps. */
export interface BackendSpec {
  readonly type: 'local'
  /** How many steps may run at once, from 1. Default: the number of processors. */
  readonly parallelism?: number
}

/** A step in a pipeline. */
export interface StepSpec {
  /**
   * Where the step's code is: `steps/train.ts#train`, relative to the repository's root, or `zenml/steps#split` in an
   * installed package. The part behind `#` is the name of the export; without it, `default`.
   */
  readonly source: string
  /** As declared; the step's schema validates them and fills in its defaults. */
  readonly parameters: JsonObject
  /** Input name to `step.output`, `datasources.name` or `artifacts.name`. */
  readonly inputs: { readonly [input: string]: string }
  /** Names of the environment variables that the step may see. Default none. */
  readonly environment: readonly string[]
  /** Wall-clock limit in seconds; none by default. */
  readonly timeout?: number
  /** Limit of the JavaScript heap in MiB; Node's own by default. */
  readonly memory?: number
  /** False: always executed, never reused. Default true. */
  readonly cache: boolean
  /** True: fails at the first thing that it touches without declaring it. No part of the identity. Default the pipeline's. */
  readonly strict?: boolean
}

/** Whether a step of a pipeline is strict. */
export function isStrict(spec: Pick<PipelineSpec, 'strict'>, step: Pick<StepSpec, 'strict'>): boolean {
  return step.strict ?? spec.strict ?? false
}

/** A reference to what feeds an input. */
export type InputReference =
  | { readonly kind: 'output'; readonly step: string; readonly output: string }
  | { readonly kind: 'datasource'; readonly name: string }
  | { readonly kind: 'artifact'; readonly name: string }

/** What stands before the dot of a reference that names no step. */
export const reservedNames: readonly string[] = ['datasources', 'artifacts']

/** Reads `step.output`, `datasources.name` or `artifacts.name`; undefined where it is none. */
export function parseInputReference(text: string): InputReference | undefined {
  const dot = text.indexOf('.')
  if (dot < 1 || dot === text.length - 1) return undefined
  const before = text.slice(0, dot)
  const after = text.slice(dot + 1)
  if (before === 'datasources') return { kind: 'datasource', name: after }
  return before === 'artifacts' ? { kind: 'artifact', name: after } : { kind: 'output', step: before, output: after }
}

/** Splits `steps/train.ts#train` into module and export name (`default` where none is given). */
export function parseStepSource(source: string): { readonly module: string; readonly exportName: string } {
  const hash = source.lastIndexOf('#')
  return hash < 0
    ? { module: source, exportName: 'default' }
    : { module: source.slice(0, hash), exportName: source.slice(hash + 1) }
}

/** Rule for the names of pipelines, steps, datasources, inputs and outputs; names of steps also hold no `.`. */
export const namePattern: RegExp = /^[A-Za-z0-9][A-Za-z0-9._-]{0,99}$/
/** Rule for the names of steps, datasources, inputs and outputs: as of pipelines, without dots. */
export const partNamePattern: RegExp = /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/
