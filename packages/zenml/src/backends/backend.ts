import type { Failure } from '../model/run.ts'
import type { StepEvent, StepOutput } from '../model/step-protocol.ts'

/** One step, ready to run: a directory with `input.json`, bundle, inputs and empty outputs (see model/step-protocol.ts). */
export interface StepTask {
  readonly step: string
  /** Absolute path of the step's directory. */
  readonly directory: string
  /** The environment variables that the step declares, with their values. */
  readonly variables: { readonly [name: string]: string }
  /** Wall-clock limit in seconds. */
  readonly timeout?: number
  /** Limit of the JavaScript heap in MiB. */
  readonly memory?: number
}

/** Where a step's output goes while it runs. */
export interface StepHooks {
  readonly signal: AbortSignal
  /** Takes what the step printed; a promise asks to wait with the next. */
  onOutput(stream: 'stdout' | 'stderr', chunk: Uint8Array): Promise<void> | undefined
  onEvent(event: StepEvent): void
}

/** How a step ended. */
export type StepResult =
  | { readonly kind: 'complete'; readonly output: StepOutput }
  | { readonly kind: 'failed'; readonly because: Failure; readonly output: StepOutput | null }
  | { readonly kind: 'canceled'; readonly output: StepOutput | null }

/** Runs steps somewhere. */
export interface Backend {
  /** `local` … */
  readonly name: string
  /** Runs one step to its end; a step that fails is a result, not an exception. */
  execute(task: StepTask, hooks: StepHooks): Promise<StepResult>
}
