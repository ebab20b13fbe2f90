import os from 'node:os'
import type { Call, Taps } from './tap.ts'
import type { Ledger } from './trace-ledger.ts'

/** Watches the clocks: `Date`, `performance`, `process.hrtime` and the uptimes. */
export function watchClocks(taps: Taps, ledger: Ledger): void {
  const clock =
    (prefix: string) =>
    (name: string): ((args: readonly unknown[], below: Call) => void) => {
      const counter = ledger.counter('clock', `${prefix}.${name}`)
      return (_args, below) => void ledger.hit(counter, below)
    }
  taps.methods(Date, ['now'], clock('Date'))
  const prototype = Object.getPrototypeOf(performance) as object
  taps.methods(
    prototype,
    ['now', 'mark', 'measure', 'toJSON', 'eventLoopUtilization', 'timerify'],
    clock('performance'),
  )
  taps.getter(prototype, 'timeOrigin', clock('performance')('timeOrigin'))
  taps.methods(process.hrtime, ['bigint'], clock('process.hrtime'))
  taps.methods(process, ['hrtime', 'uptime', 'cpuUsage'], clock('process'))
  taps.methods(os, ['uptime'], clock('os'))
  watchDate(taps, ledger)
}

/** `new Date()` and `Date()` read the clock; a date of something given does not. */
function watchDate(taps: Taps, ledger: Ledger): void {
  const Original = Date
  const counter = ledger.counter('clock', 'new Date()')
  function Watched(...args: unknown[]): unknown {
    if ((args.length === 0 || new.target === undefined) && taps.idle)
      taps.quietly(() => ledger.hit(counter, Watched as Call))
    if (new.target === undefined) return Original()
    // A class that extends Date keeps its own prototype.
    return Reflect.construct(Original, args, new.target === (Watched as unknown) ? Original : new.target)
  }
  Object.defineProperties(Watched, Object.getOwnPropertyDescriptors(Original))
  Object.defineProperty(Original.prototype, 'constructor', { value: Watched, writable: true, configurable: true })
  globalThis.Date = Watched as unknown as DateConstructor
}
