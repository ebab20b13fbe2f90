/** Tells the time; passed in, so that nothing below the composition root reaches for the system's. */
export interface Clock {
  /** Milliseconds since the Unix epoch. */
  now(): number
}

/** The system's clock. */
export const systemClock: Clock = { now: () => Date.now() }
