import * as z from 'zod'
import { compareText } from '../base/canonical.ts'
import type { Defaulted } from '../base/defaulted.ts'
import { ZenmlError } from '../base/errors.ts'
import { didYouMean } from '../base/nearest.ts'
import { type Step, step } from '../define/step.ts'
import { bytesAt, type Column, type ExampleBatch, rowEnd, rowStart } from '../formats/batch.ts'
import { createExamplesWriter, Examples } from '../formats/examples.ts'
import { selectRows } from '../formats/select-rows.ts'

/** Parameters of `split`. */
export interface SplitParameters {
  /** Share of each split: any names, any positive numbers, which need not sum to 1. Default train 0.8, eval 0.2. */
  ratios: { [split: string]: number }
  /** Features that decide the side; without any, the whole row does. */
  by: string[]
}

const parameters: z.ZodType<SplitParameters, Defaulted<SplitParameters>> = z.strictObject({
  ratios: z
    .record(
      z
        .string()
        .regex(
          /^[A-Za-z0-9][A-Za-z0-9_-]{0,99}$/,
          'up to 100 letters, digits, "_" and "-", beginning with a letter or digit',
        ),
      z.number().positive().max(1e15),
    )
    .refine((ratios) => Object.keys(ratios).length > 0 && Object.keys(ratios).length <= 255, 'from 1 to 255 splits')
    .default({ train: 0.8, eval: 0.2 }),
  by: z.array(z.string()).default([]),
})

/**
 * Splits examples by a seeded hash of the row, or of the features `by`: an example keeps its side as data grows, and equal rows
 * stay together.
 *
 * Throws `ZEN_SPLIT_EMPTY` where a split gets no row, `ZEN_SPLIT_FEATURE` where `by` names a feature that is not there.
 *
 * @example
 * const { examples: parts } = split({ examples }, { ratios: { train: 0.7, eval: 0.2, test: 0.1 } })
 */
export const split: Step<
  { readonly examples: typeof Examples },
  { readonly examples: typeof Examples },
  typeof parameters
> = step({
  name: 'split',
  description: 'Splits examples at random by a seeded hash of each row.',
  inputs: { examples: Examples },
  outputs: { examples: Examples },
  parameters,
  run: async ({ inputs: { examples }, parameters: { ratios, by }, context }) => {
    for (const feature of by) {
      if (!examples.features.has(feature))
        throw new ZenmlError(
          'ZEN_SPLIT_FEATURE',
          `"by" names "${feature}", but the examples have ${[...examples.features.keys()].join(', ')}.${didYouMean(feature, examples.features.keys())}`,
          { exitCode: 1 },
        )
    }
    const names = Object.keys(ratios).sort(compareText)
    const total = names.reduce((sum, name) => sum + ratios[name]!, 0)
    let reached = 0
    const limits = names.map((name) => {
      reached += ratios[name]!
      return reached / total
    })
    const rowsOf = new Map(names.map((name) => [name, 0]))
    const writer = await createExamplesWriter(context.directories.examples)
    try {
      for (const from of examples.splits) {
        for await (const batch of examples.read(from, { signal: context.signal })) {
          const sides = sidesOf(batch, by, context.seed, limits)
          for (const [index, name] of names.entries()) {
            const rows: number[] = []
            for (let row = 0; row < batch.length; row++) if (sides[row] === index) rows.push(row)
            rowsOf.set(name, rowsOf.get(name)! + rows.length)
            if (rows.length > 0) await writer.write(name, selectRows(batch, rows))
          }
        }
      }
      const empty = names.filter((name) => rowsOf.get(name) === 0)
      if (empty.length > 0)
        throw new ZenmlError('ZEN_SPLIT_EMPTY', `No row fell into ${empty.join(', ')}.`, {
          next: 'Raise its share, or use more data.',
          exitCode: 1,
        })
      await writer.finish()
    } catch (error) {
      await writer.abort()
      throw error
    }
    context.describe('examples', {
      splits: Object.fromEntries(rowsOf),
      features: Object.fromEntries(examples.features),
    })
    return {}
  },
})

/** Index of the split of each row: the first whose limit is above the row's hash as a number in [0, 1). */
export function sidesOf(
  batch: ExampleBatch,
  by: readonly string[],
  seed: number,
  limits: readonly number[],
): Uint8Array {
  const columns = [...batch.columns]
    .filter(([name]) => by.length === 0 || by.includes(name))
    .map(([name, column]) => ({ column, salt: hashText(name) }))
  const sides = new Uint8Array(batch.length)
  for (let row = 0; row < batch.length; row++) {
    const place = hashRow(columns, row, seed)
    let side = limits.findIndex((limit) => place < limit)
    if (side < 0) side = limits.length - 1
    sides[row] = side
  }
  return sides
}

const words = new Float64Array(1)
const halves = new Uint32Array(words.buffer)

/**
 * A row as a number in [0, 1): each feature that has values is hashed by itself (name, values), the hashes are added, so that
 * neither the order of features nor absent ones matter, and the sum is mixed with the seed (the finaliser of MurmurHash3).
 */
function hashRow(
  columns: readonly { readonly column: Column; readonly salt: number }[],
  row: number,
  seed: number,
): number {
  let low = 0
  let high = 0
  for (const { column, salt } of columns) {
    const start = rowStart(column, row)
    const end = rowEnd(column, row)
    if (start === end) continue
    let a = salt
    let b = salt ^ 0x9e3779b9
    for (let value = start; value < end; value++) {
      if (column.kind === 'bytes') {
        const bytes = bytesAt(column, value)
        for (let index = 0; index < bytes.length; index++) {
          a = Math.imul(a ^ bytes[index]!, 0x01000193)
          b = Math.imul(b ^ bytes[index]!, 0x85ebca6b) ^ (b >>> 15)
        }
        a = Math.imul(a ^ bytes.length, 0x01000193)
        b = Math.imul(b ^ bytes.length, 0x85ebca6b) ^ (b >>> 15)
        continue
      }
      words[0] = column.values[value]!
      for (const half of halves) {
        a = Math.imul(a ^ half, 0x01000193) ^ (a >>> 13)
        b = Math.imul(b ^ half, 0x85ebca6b) ^ (b >>> 15)
      }
    }
    low = (low + mix(a)) | 0
    high = (high + mix(b)) | 0
  }
  const first = mix(low ^ mix(seed))
  const second = mix(high ^ mix(first ^ seed))
  return ((first >>> 5) * 0x4000000 + (second >>> 6)) / 0x20000000000000
}

function mix(value: number): number {
  let h = value
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b)
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35)
  return h ^ (h >>> 16)
}

function hashText(text: string): number {
  let h = 0x811c9dc5
  for (const byte of Buffer.from(text)) h = Math.imul(h ^ byte, 0x01000193)
  return h
}
