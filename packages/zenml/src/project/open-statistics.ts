import type { Digest } from '../base/digest.ts'
import { openExamples } from '../formats/examples.ts'
import { Schema, Statistics, type StatisticsBySplit } from '../formats/types.ts'
import { statisticsOf } from '../steps/examples-statistics.ts'
import { type InferenceOptions, schemaOfSplits } from '../steps/schema.ts'
import { type OpenArtifact, openArtifact } from './open-artifact.ts'
import type { Project } from './open-project.ts'

/** Statistics of an artifact. */
export interface OpenStatistics {
  readonly digest: Digest
  readonly type: 'Examples' | 'Statistics'
  readonly statistics: StatisticsBySplit
  /** Features so large that ranks, or counts of texts, are estimated. */
  readonly estimated: readonly string[]
}

/** A schema of an artifact. */
export interface OpenSchema {
  readonly digest: Digest
  /** Of a Schema it is recorded, of others inferred now. */
  readonly type: string
  readonly schema: Schema
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
  return await statisticsIn(artifact, signal)
}

/**
 * The schema that a reference names: of a Schema artifact as a run recorded it, of Examples or Statistics inferred now by the same code as
 * the step `inferSchema`.
 */
export async function openSchema(
  project: Project,
  reference: string,
  options: InferenceOptions & { readonly signal?: AbortSignal | undefined } = {},
): Promise<OpenSchema> {
  await using artifact = await openArtifact(project, reference, ['Examples', 'Statistics', 'Schema'])
  const { digest, type, directory } = artifact
  if (type === 'Schema') return { digest, type, schema: await Schema.materializer.load(directory) }
  const { statistics } = await statisticsIn(artifact, options.signal)
  return { digest, type, schema: schemaOfSplits(statistics, options) }
}

async function statisticsIn(artifact: OpenArtifact, signal: AbortSignal | undefined): Promise<OpenStatistics> {
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
