import type { Digest } from '../base/digest.ts'
import { openExamples } from '../formats/examples.ts'
import { Statistics, type StatisticsBySplit } from '../formats/types.ts'
import { statisticsOf } from '../steps/examples-statistics.ts'
import { openArtifact } from './open-artifact.ts'
import type { Project } from './open-project.ts'

/** Statistics of an artifact. */
export interface OpenStatistics {
  readonly digest: Digest
  readonly type: 'Examples' | 'Statistics'
  readonly statistics: StatisticsBySplit
  /** Features so large that ranks, or counts of texts, are estimated. */
  readonly estimated: readonly string[]
}

/**
 * The statistics that a reference names: of a Statistics artifact as a run recorded them, of Examples computed now by the same code as
 * the step `statistics`. See `resolveReference` for references.
 */
export async function openStatistics(
  project: Project,
  reference: string,
  signal?: AbortSignal,
): Promise<OpenStatistics> {
  await using artifact = await openArtifact(project, reference, ['Examples', 'Statistics'])
  const { digest, directory, properties } = artifact
  if (artifact.type === 'Examples')
    return { digest, type: 'Examples', ...(await statisticsOf(await openExamples(directory), { signal })) }
  const { estimated } = properties
  return {
    digest,
    type: 'Statistics',
    statistics: await Statistics.materializer.load(directory),
    estimated: Array.isArray(estimated) ? estimated.map(String) : [],
  }
}
