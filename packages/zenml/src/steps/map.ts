import { setImmediate } from 'node:timers/promises'
import { messageOf, ZenmlError } from '../base/errors.ts'
import { didYouMean } from '../base/nearest.ts'
import { type Random, seededRandom } from '../base/random.ts'
import { unlessAborted } from '../base/unless-aborted.ts'
import {
  type InputValues,
  type ParameterOutput,
  type ParameterSchema,
  type Ports,
  type Step,
  step,
} from '../define/step.ts'
import type { ExampleBatch, FeatureKind } from '../formats/batch.ts'
import { batchOf, type Cell, type ExampleObject, Examples, type ExamplesReader } from '../formats/examples.ts'
import { ItemIndex } from '../formats/item-index.ts'
import { type Item, readItems } from './map-items.ts'
import { MapResults, type PreviousResults } from './map-results.ts'

/** A row that an item gives. */
export interface MappedRow {
  readonly [feature: string]: Cell
}

/** What the function of a map is given beside its item or items. */
export interface MapWork<I extends Ports, P> {
  /** The further inputs, the same for every item. */
  readonly inputs: InputValues<I>
  readonly parameters: P
  /** Chance of this item: from the step's seed and the item's content, wherever it stands. Using it is recorded. */
  readonly random: Random
  readonly signal: AbortSignal
}

interface MapCommon<I extends Ports, S extends ParameterSchema<unknown>> {
  /** Name in a pipeline unless the pipeline gives another. */
  readonly name: string
  readonly description?: string
  /** Further inputs beside `examples`. */
  readonly inputs?: I
  readonly parameters?: S
  /** Features that the function sees; a change of another one makes no item anew. Default all. */
  readonly columns?: readonly string[]
  /** Features of the rows that it gives, with their kinds. */
  readonly features: { readonly [feature: string]: FeatureKind }
  /** How many items are worked on at once, for functions that wait. Default 1. The order of the results is that of the items. */
  readonly concurrency?: number
}

/** What one declares of a map over rows. */
export interface MapDefinition<I extends Ports, S extends ParameterSchema<unknown>> extends MapCommon<I, S> {
  /** A row, several, or none for one item. */
  run(
    work: { readonly item: ExampleObject } & MapWork<I, ParameterOutput<S>>,
  ): MappedRow | readonly MappedRow[] | Promise<MappedRow | readonly MappedRow[]>
}

/** What one declares of a map over groups of rows. */
export interface MapBatchesDefinition<I extends Ports, S extends ParameterSchema<unknown>> extends MapCommon<I, S> {
  /**
   * Rows of a group, on average: a group ends by the content of its last row, so that a row more or less changes one group and not all behind it.
   * None has more than four times as many.
   */
  readonly rows: number
  /** Rows for the items of one group. */
  run(
    work: { readonly items: readonly ExampleObject[] } & MapWork<I, ParameterOutput<S>>,
  ): readonly MappedRow[] | Promise<readonly MappedRow[]>
}

/** The inputs of a map: examples, and the further ones. */
export type MapInputs<I extends Ports> = I & { readonly examples: typeof Examples }

/** The outputs of a map: what its items gave, and which items these were. */
export interface MapOutputs {
  readonly [name: string]: typeof Examples | typeof ItemIndex
  readonly examples: typeof Examples
  readonly items: typeof ItemIndex
}

/**
 * A step that works on the rows of a snapshot one by one. Results are kept by the content of the item: when one document of ten thousand
 * changes, the function is called for that one, and the others are taken over from the last execution with the same code, packages, parameters,
 * environment and further inputs. Equal items are worked on once. `pipeline verify` calls the function for every item and compares.
 * When it fails or is stopped, what it has made is kept, and the next execution goes on from there.
 *
 * Memory: about 200 bytes an item. Throws `ZEN_MAP_ITEM` with the item's place where the function throws, `ZEN_MAP_FEATURE` for a
 * feature of a result that is not declared, `ZEN_EXAMPLES_COLUMN` for one of `columns` that the examples do not have.
 *
 * @example
 * const countWords = map({
 *   name: 'countWords',
 *   columns: ['text'],
 *   features: { words: 'int' },
 *   run: ({ item }) => ({ words: String(item.text).split(/\s+/).length }),
 * })
 */
// @__NO_SIDE_EFFECTS__
export function map<const I extends Ports = {}, S extends ParameterSchema<unknown> = ParameterSchema<{}>>(
  definition: MapDefinition<I, S>,
): Step<MapInputs<I>, MapOutputs, S> {
  return mapStep(definition, 1, (items, work) => definition.run(added(work, { item: items[0]! })))
}

/**
 * A step that works on the rows of a snapshot in groups, for functions that are cheaper for many rows than for each: models, services. As
 * `map`, with groups for items.
 *
 * @example
 * const embed = mapBatches({
 *   name: 'embed',
 *   rows: 64,
 *   features: { length: 'int' },
 *   run: ({ items }) => items.map((item) => ({ length: String(item.text).length })),
 * })
 */
// @__NO_SIDE_EFFECTS__
export function mapBatches<const I extends Ports = {}, S extends ParameterSchema<unknown> = ParameterSchema<{}>>(
  definition: MapBatchesDefinition<I, S>,
): Step<MapInputs<I>, MapOutputs, S> {
  const { rows } = definition
  if (!Number.isSafeInteger(rows) || rows < 1) throw new RangeError(`rows must be a whole number from 1, not ${rows}`)
  return mapStep(definition, rows, (items, work) => definition.run(added(work, { items })))
}

/** Keeps `random` a getter: only asking for it is a use of the seed. */
function added<W extends object, A extends object>(work: W, more: A): W & A {
  return Object.defineProperties({ ...more }, Object.getOwnPropertyDescriptors(work)) as W & A
}

/** How many rows lie between two reports of progress. */
const progressRows = 500

type ItemFunction<I extends Ports, P> = (
  items: readonly ExampleObject[],
  work: MapWork<I, P>,
) => MappedRow | readonly MappedRow[] | Promise<MappedRow | readonly MappedRow[]>

function mapStep<I extends Ports, S extends ParameterSchema<unknown>>(
  definition: MapCommon<I, S>,
  group: number,
  call: ItemFunction<I, ParameterOutput<S>>,
): Step<MapInputs<I>, MapOutputs, S> {
  const { name, description, inputs: further, parameters: schema, columns, features, concurrency = 1 } = definition
  const made = step({
    name,
    ...(description === undefined ? {} : { description }),
    inputs: { ...further, examples: Examples } as Ports,
    outputs: { examples: Examples, items: ItemIndex },
    ...(schema === undefined ? {} : { parameters: schema }),
    incremental: ['examples'],
    run: async ({ inputs, parameters, context }) => {
      const { examples, ...rest } = inputs as unknown as { readonly examples: ExamplesReader }
      const { signal } = context
      const results = await MapResults.open(context.scratch, (await context.previous()) as PreviousResults | undefined)
      const make = async ({ digest, row, rows }: Item, split: string): Promise<void> => {
        signal.throwIfAborted()
        const work: MapWork<I, ParameterOutput<S>> = {
          inputs: rest as InputValues<I>,
          parameters: parameters as ParameterOutput<S>,
          get random() {
            return seededRandom(`map ${context.seed} ${digest.toString('hex')}`)
          },
          signal,
        }
        let given: ExampleBatch
        try {
          given = batchOf(declared(await call(rows(), work), features), features)
        } catch (error) {
          throw signal.aborted ? error : failedAt(`split "${split}", row ${row}`, error)
        }
        await results.give(digest, given)
        // A function that never waits must not keep the process from hearing that it is to stop.
        await setImmediate()
      }
      const makeAll = async (): ReturnType<typeof results.write> => {
        const total = examples.splits.reduce((sum, split) => sum + examples.rows(split), 0)
        let done = 0
        let told = 0
        for (const split of examples.splits) {
          results.startSplit(split)
          const open: Item[] = []
          for await (const item of readItems(examples, split, { columns, group, signal })) {
            if (!results.take(item.digest)) open.push(item)
            if (open.length >= concurrency * 8) await forEach(open.splice(0), concurrency, (some) => make(some, split))
            done += item.length
            if (done - told < progressRows) continue
            told = done
            context.progress(done, total, 'rows')
          }
          await forEach(open, concurrency, (some) => make(some, split))
        }
        return await results.write(context.directories['examples']!, features, signal)
      }
      const {
        items,
        made: calls,
        kept,
      } = await unlessAborted(signal, makeAll()).catch(async (error) => {
        if (results.itemsMade > 0) {
          const what = { done: results.itemsThere, unit: group === 1 ? 'items' : 'groups' }
          await context.partial(what, async (directories) => {
            return { items: await results.writePartial(directories['examples']!, features) } as never
          })
        }
        await results.abort()
        throw error
      })
      context.metric('itemsMade', calls)
      context.metric('itemsKept', kept)
      return { items } as never
    },
  })
  return made as unknown as Step<MapInputs<I>, MapOutputs, S>
}

/** Works on all, so many at once; the first failure ends it when those under way have ended. */
async function forEach<T>(all: readonly T[], concurrency: number, work: (one: T) => Promise<void>): Promise<void> {
  let next = 0
  let failed = false
  const worker = async (): Promise<void> => {
    while (next < all.length && !failed) {
      try {
        await work(all[next++]!)
      } catch (error) {
        failed = true
        throw error
      }
    }
  }
  const ends = await Promise.allSettled(Array.from({ length: Math.min(concurrency, all.length) }, worker))
  for (const end of ends) if (end.status === 'rejected') throw end.reason
}

/** The rows that an item gave, all of whose features are declared. */
function declared(
  given: MappedRow | readonly MappedRow[],
  features: { readonly [feature: string]: FeatureKind },
): readonly MappedRow[] {
  const rows = (Array.isArray(given) ? given : [given]) as readonly MappedRow[]
  for (const row of rows) {
    if (typeof row !== 'object' || row === null)
      throw new ZenmlError('ZEN_MAP_FEATURE', 'The function of a map gives a row, or a list of rows.', { exitCode: 1 })
    for (const name of Object.keys(row)) {
      if (!Object.hasOwn(features, name))
        throw new ZenmlError(
          'ZEN_MAP_FEATURE',
          `It gave the feature "${name}", which is not declared.${didYouMean(name, Object.keys(features))}`,
          { facts: { feature: name }, next: 'Name it, with its kind, in "features" of the map.', exitCode: 1 },
        )
    }
  }
  return rows
}

function failedAt(place: string, error: unknown): ZenmlError {
  const next = error instanceof ZenmlError && error.next !== undefined ? { next: error.next } : {}
  const failure = new ZenmlError('ZEN_MAP_ITEM', `${place}: ${messageOf(error)}`, {
    facts: { place },
    exitCode: 1,
    cause: error,
    ...next,
  })
  // The line of the user's function, not ours.
  if (error instanceof Error && error.stack !== undefined) failure.stack = error.stack
  return failure
}
