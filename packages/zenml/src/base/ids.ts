import { randomBytes } from 'node:crypto'

/** Makes names for runs; passed in, so that tests can tell them beforehand. */
export interface Ids {
  /** 16 lower-case hex digits, never given twice. */
  run(): string
}

/** Random ids: 64 bits from the system's generator. */
export const randomIds: Ids = { run: () => randomBytes(8).toString('hex') }
