import type { JsonObject } from '../base/json.ts'

/** What a step declares, without its code: enough to check a pipeline and to show the step. Plain data. */
export interface StepDescriptor {
  readonly name: string
  readonly description?: string
  /** Input name to artifact type; a type that ends in `?` may be left unconnected. */
  readonly inputs: { readonly [name: string]: string }
  /** Output name to artifact type. */
  readonly outputs: { readonly [name: string]: string }
  /** Artifact type to its simple type of ML Metadata, for the types above that have one. */
  readonly bases: { readonly [type: string]: string }
  /** Inputs whose items it works on one by one; left out where there are none. */
  readonly incremental?: readonly string[]
  /** Whether it computes something to tell machines apart whose arithmetic differs. */
  readonly canary: boolean
  /** JSON Schema (2020-12) of the parameters as one writes them (defaults optional). */
  readonly parameters: JsonObject
}
