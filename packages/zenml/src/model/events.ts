import type { Failure, Outcome, RunStatus } from './run.ts'
import type { StepEvent } from './step-protocol.ts'

/** What a run tells while it goes on. */
export type RunEvent =
  | {
      /** Before a run starts: how much of a datasource that lies elsewhere has come. */
      readonly kind: 'source-progress'
      readonly datasource: string
      readonly done: number
      /** Null where it is not known. */
      readonly total: number | null
      readonly unit: 'rows' | 'bytes'
    }
  | { readonly kind: 'run-started'; readonly run: string; readonly pipeline: string; readonly steps: readonly string[] }
  | { readonly kind: 'step-started'; readonly step: string }
  | { readonly kind: 'step-output'; readonly step: string; readonly stream: 'stdout' | 'stderr'; readonly text: string }
  | { readonly kind: 'step-event'; readonly step: string; readonly event: StepEvent }
  | {
      readonly kind: 'step-ended'
      readonly step: string
      readonly outcome: Outcome
      readonly seconds: number
      readonly error: Failure | null
    }
  | { readonly kind: 'note'; readonly message: string }
  | { readonly kind: 'warning'; readonly code: string; readonly message: string }
  | { readonly kind: 'run-ended'; readonly run: string; readonly status: RunStatus; readonly seconds: number }

/** Takes the events of a run. */
export type RunListener = (event: RunEvent) => void
