import { constants, copyFile, mkdir, rename, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { canonicalJson } from '../base/canonical.ts'
import type { FeatureKind } from './batch.ts'
import type { ExamplesReader } from './examples-reader.ts'
import { type ExamplesSummary, shardName, summaryFile } from './examples-writer.ts'

/** A split of examples that becomes part of another. */
export interface SplitPart {
  readonly examples: ExamplesReader
  readonly split: string
  /** True: its files are taken away, not copied. Default false. */
  readonly move?: boolean
}

/**
 * Writes examples of one split that has the rows of several splits in order: their shards as they are, so that it takes no longer than copying the
 * files. Its shards end elsewhere than those of the same rows from `createExamplesWriter`. `features` are those of all parts, with their kinds.
 */
export async function concatenateExamples(
  directory: string,
  split: string,
  parts: readonly SplitPart[],
  features: { readonly [feature: string]: FeatureKind },
): Promise<void> {
  const shards = parts.flatMap(({ examples, split: from, move = false }) =>
    examples.shards(from).map((path, index) => ({ path, move, rows: examples.shardRows(from)[index]! })),
  )
  const folder = join(directory, `Split-${split}`)
  await mkdir(folder, { recursive: true })
  for (const [index, { path, move }] of shards.entries()) {
    const target = join(folder, shardName(index, shards.length))
    if (move) await rename(path, target)
    else await copyFile(path, target, constants.COPYFILE_FICLONE)
  }
  const counts = shards.map(({ rows }) => rows)
  const summary: ExamplesSummary = {
    format: 1,
    features,
    splits: { [split]: { rows: counts.reduce((sum, rows) => sum + rows, 0), shards: counts } },
  }
  await writeFile(join(directory, summaryFile), `${canonicalJson(summary as never)}\n`, { flag: 'wx' })
}
