import { readFile } from 'node:fs/promises'
import { extname, join } from 'node:path'
import { compareText } from '../base/canonical.ts'
import { isJsonObject, type Json } from '../base/json.ts'
import type { NumericDifference } from '../model/verification.ts'
import { openExamples } from './examples-reader.ts'
import { listTree } from './file-tree.ts'

/**
 * How far apart the numbers of two versions of an artifact are, file by file: examples feature by feature, JSON files number by number, and
 * `.bin` files of a model as little-endian float32. Only where the rest is alike (same files, rows, lengths, keys) are numbers comparable:
 * what is not is left out, and so is what is the same.
 *
 * @example
 * await numericDifferences('Evaluation', before, after)
 * // [{ path: 'evaluation.json', values: 41, differing: 1, maxAbsolute: 2.2e-16, maxUlp: 1 }]
 */
export async function numericDifferences(type: string, before: string, after: string): Promise<NumericDifference[]> {
  if (type === 'Examples') return await compareExamples(before, after)
  const [left, right] = await Promise.all([listTree(before, { linked: false }), listTree(after, { linked: false })])
  const found: NumericDifference[] = []
  for (const path of left.filter((name) => right.includes(name))) {
    const [a, b] = await Promise.all([readFile(join(before, path)), readFile(join(after, path))])
    if (a.equals(b)) continue
    const counter = new Counter()
    const alike =
      extname(path) === '.json'
        ? compareJson(parse(a), parse(b), counter)
        : extname(path) === '.bin' && a.length === b.length && a.length % 4 === 0
          ? compareFloats(a, b, counter)
          : false
    if (alike && counter.differing > 0) found.push(counter.result(path))
  }
  return found
}

/** Gathers the numbers of one file or feature. */
class Counter {
  values = 0
  differing = 0
  private absolute: number | null = 0
  private ulp: number | null = 0

  add(a: number, b: number, distance: (a: number, b: number) => number): void {
    this.values++
    if (Object.is(a, b)) return
    this.differing++
    if (!Number.isFinite(a) || !Number.isFinite(b)) {
      this.absolute = null
      this.ulp = null
      return
    }
    if (this.absolute !== null) this.absolute = Math.max(this.absolute, Math.abs(a - b))
    if (this.ulp !== null) this.ulp = Math.max(this.ulp, distance(a, b))
  }

  result(path: string): NumericDifference {
    return {
      path,
      values: this.values,
      differing: this.differing,
      maxAbsolute: this.absolute,
      maxUlp: this.ulp,
    }
  }
}

const words = new DataView(new ArrayBuffer(8))

/** How many float32 numbers lie between two of them, the second included. */
export function ulp32(a: number, b: number): number {
  const order = (value: number): number => {
    words.setFloat32(0, value)
    const bits = words.getInt32(0)
    return bits < 0 ? -(bits & 0x7fffffff) : bits
  }
  return Math.abs(order(a) - order(b))
}

/** How many float64 numbers lie between two of them, the second included; as a double, so exact up to 2^53. */
export function ulp64(a: number, b: number): number {
  const order = (value: number): bigint => {
    words.setFloat64(0, value)
    const bits = words.getBigInt64(0)
    return bits < 0n ? -(bits & 0x7fffffffffffffffn) : bits
  }
  const distance = order(a) - order(b)
  return Number(distance < 0n ? -distance : distance)
}

function parse(bytes: Uint8Array): Json | undefined {
  try {
    return JSON.parse(Buffer.from(bytes).toString('utf8')) as Json
  } catch {
    // No JSON in spite of its name: nothing to compare number by number.
    return undefined
  }
}

/** Whether two values are alike but for numbers, which are counted. */
function compareJson(a: Json | undefined, b: Json | undefined, counter: Counter): boolean {
  if (typeof a === 'number' && typeof b === 'number') {
    counter.add(a, b, ulp64)
    return true
  }
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item: Json, index) => compareJson(item, (b as Json[])[index], counter))
  if (isJsonObject(a) && isJsonObject(b)) {
    const keys = Object.keys(a)
    return (
      keys.length === Object.keys(b).length &&
      keys.every((key) => Object.hasOwn(b, key) && compareJson(a[key], b[key], counter))
    )
  }
  return a !== undefined && a === b
}

function compareFloats(a: Buffer, b: Buffer, counter: Counter): boolean {
  for (let at = 0; at < a.length; at += 4) counter.add(a.readFloatLE(at), b.readFloatLE(at), ulp32)
  return true
}

async function compareExamples(before: string, after: string): Promise<NumericDifference[]> {
  const [left, right] = await Promise.all([openExamples(before), openExamples(after)])
  const found: NumericDifference[] = []
  const floats = [...left.features].filter(([name, kind]) => kind === 'float' && right.features.get(name) === 'float')
  for (const split of left.splits) {
    if (!right.splits.includes(split) || left.rows(split) !== right.rows(split)) continue
    for (const [feature] of floats) {
      const counter = new Counter()
      // The same rows of both in each batch.
      const options = { columns: [feature], batchSize: 4096 }
      const others = right.read(split, options)[Symbol.asyncIterator]()
      let alike = true
      for await (const batch of left.read(split, options)) {
        const other = (await others.next()).value as typeof batch | undefined
        const [a, b] = [batch.columns.get(feature), other?.columns.get(feature)]
        if (a?.kind !== 'float' || b?.kind !== 'float' || a.values.length !== b.values.length) {
          alike = false
          break
        }
        for (const [index, value] of a.values.entries()) counter.add(value, b.values[index]!, ulp32)
      }
      await others.return?.(undefined)
      if (alike && counter.differing > 0) found.push(counter.result(`Split-${split}#${feature}`))
    }
  }
  return found.sort((a, b) => compareText(a.path, b.path))
}
