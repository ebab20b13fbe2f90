import type { ExamplesReader } from '../formats/examples-reader.ts'
import type { DatasetFeatureStatisticsList } from '../formats/statistics-proto.ts'
import type { StatisticsBySplit } from '../formats/types.ts'
import { SplitStatistics } from './feature-statistics.ts'

/** Statistics of examples, and what of them is not exact. */
export interface ExamplesStatistics {
  readonly statistics: StatisticsBySplit
  /** Features so large that ranks, or counts of texts, are estimated. */
  readonly estimated: readonly string[]
}

/** Options of `statisticsOf`. */
export interface ExamplesStatisticsOptions {
  readonly signal?: AbortSignal | undefined
  /** Told after each batch: rows read of a split, and how many it has. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined
}

/** Reads all examples and gathers the statistics of each split, in bounded memory. */
export async function statisticsOf(
  examples: ExamplesReader,
  { signal, onProgress }: ExamplesStatisticsOptions = {},
): Promise<ExamplesStatistics> {
  const estimated = new Set<string>()
  const statistics: { [split: string]: DatasetFeatureStatisticsList } = {}
  for (const split of examples.splits) {
    const gathered = new SplitStatistics(examples.features)
    let done = 0
    for await (const batch of examples.read(split, signal === undefined ? {} : { signal })) {
      gathered.add(batch)
      done += batch.length
      onProgress?.(done, examples.rows(split))
    }
    statistics[split] = { datasets: [gathered.finish()] }
    for (const name of gathered.estimated) estimated.add(name)
  }
  return { statistics, estimated: [...estimated] }
}
