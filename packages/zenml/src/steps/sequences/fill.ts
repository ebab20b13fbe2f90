import { Sum } from '../../base/sum.ts'

/** What stands for a missing value within a session. */
export type Fill = 'forward' | 'zero' | 'mean' | 'interpolate' | 'none'

/**
 * Fills the missing values (NaN) of a session in place. `forward` repeats the last value, so that those before the first stay missing; `mean` is
 * that of the session; `interpolate` is linear in time, and beyond the ends the nearest value. Without any value only `zero` fills.
 */
export function fillSession(values: Float64Array, times: Float64Array, fill: Fill, zero: number): void {
  if (fill === 'forward') {
    for (let at = 1; at < values.length; at++) if (Number.isNaN(values[at])) values[at] = values[at - 1]!
  } else if (fill === 'zero' || fill === 'mean') {
    const value = fill === 'zero' ? zero : meanOf(values)
    for (let at = 0; at < values.length; at++) if (Number.isNaN(values[at])) values[at] = value
  } else if (fill === 'interpolate') interpolate(values, times)
}

function meanOf(values: Float64Array): number {
  const sum = new Sum()
  let count = 0
  for (const value of values) {
    if (Number.isNaN(value)) continue
    sum.add(value)
    count++
  }
  return count === 0 ? Number.NaN : sum.value() / count
}

function interpolate(values: Float64Array, times: Float64Array): void {
  let before = -1
  for (let at = 0; at <= values.length; at++) {
    if (at < values.length && Number.isNaN(values[at])) continue
    const isEnd = at === values.length
    for (let gap = before + 1; gap < at; gap++) {
      if (before < 0 && isEnd) return
      if (before < 0) values[gap] = values[at]!
      else if (isEnd) values[gap] = values[before]!
      else {
        const span = times[at]! - times[before]!
        const part = span === 0 ? 0 : (times[gap]! - times[before]!) / span
        values[gap] = values[before]! * (1 - part) + values[at]! * part
      }
    }
    before = at
  }
}
