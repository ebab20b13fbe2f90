import { stat } from 'node:fs/promises'
import { resolve } from 'node:path'
import { ZenmlError } from '../../base/errors.ts'
import { readSchema, type Schema } from '../../formats/schema-proto.ts'
import { openProject, type Project } from '../../project/open-project.ts'
import { openSchema, openStatistics } from '../../project/open-statistics.ts'
import { type DistanceLimits, withLimits } from '../../steps/drift.ts'
import { listAnomalies, validateSplits } from '../../steps/validate-splits.ts'
import { anomaliesDocument, anomaliesText, distancesOf } from '../anomalies-document.ts'
import type { CommandFunction } from '../command.ts'
import { interruptible } from '../interruptible.ts'

export const command: CommandFunction = async ({ cli, terminal, args, options, signal }) => {
  const given = options as { readonly [name: string]: string | undefined }
  if (given['schema'] === undefined)
    throw new ZenmlError('ZEN_USAGE', '--schema is missing: what the data is held against.', {
      next: 'Give a file, RUN/step.output or a snapshot; "zenml datasource schema" makes one.',
    })
  const drift = limitsOf(given, 'drift', 'baseline')
  const skew = limitsOf(given, 'skew', 'servingSplit')
  const severity = given['newFeatures'] ?? 'error'
  if (severity !== 'error' && severity !== 'warning')
    throw new ZenmlError('ZEN_USAGE', `--new-features takes error or warning, not "${severity}".`)
  await using project = await openProject(cli.directory)
  const work = async () => {
    const schema = await schemaFrom(project, resolve(cli.directory, given['schema']!), given['schema']!, signal)
    const current = await openStatistics(project, args[0]!, signal)
    const { baseline } = given
    const earlier = baseline === undefined ? undefined : await openStatistics(project, baseline, signal)
    return { schema, current, earlier }
  }
  const { schema, current, earlier } = await interruptible(signal, work())
  const anomalies = validateSplits(current.statistics, withLimits(withLimits(schema, 'drift', drift), 'skew', skew), {
    splits: options['split'] as readonly string[] | undefined,
    servingSplit: given['servingSplit'],
    baseline: earlier?.statistics,
    newFeatures: severity === 'error' ? 'ERROR' : 'WARNING',
    ...(given['environment'] === undefined ? {} : { environment: given['environment'] }),
  })
  const found = listAnomalies(anomalies)
  const distances = distancesOf(anomalies)
  const { bold, red, yellow } = terminal.colors
  terminal.result(
    {
      artifact: current.digest,
      baseline: earlier?.digest ?? null,
      splits: Object.keys(anomalies),
      ...anomaliesDocument(found, distances),
    },
    () => anomaliesText(Object.keys(anomalies), found, distances, { bold, red, yellow }),
  )
  return found.length === 0 ? 0 : 1
}

/** A file where there is one, else what the reference names. */
async function schemaFrom(project: Project, file: string, given: string, signal: AbortSignal): Promise<Schema> {
  const found = await stat(file).catch(() => undefined)
  if (found?.isFile() === true) return await readSchema(file, given)
  if (/\.(pbtxt|textproto)$/.test(given))
    throw new ZenmlError('ZEN_SCHEMA_MISSING', `There is no file ${given}.`, {
      next: `Make one with "zenml datasource schema SNAPSHOT --write ${given}".`,
    })
  return (await openSchema(project, given, { signal })).schema
}

function limitsOf(
  given: { readonly [name: string]: string | undefined },
  name: 'drift' | 'skew',
  needed: 'baseline' | 'servingSplit',
): DistanceLimits {
  const text = given[name]
  if (text === undefined) return {}
  const limits: { linf?: number; js?: number } = {}
  for (const part of text.split(',')) {
    const match = /^\s*(linf|js)\s*=\s*(\d*\.?\d+)\s*$/.exec(part)
    const value = Number(match?.[2])
    const key = match?.[1] as keyof DistanceLimits | undefined
    if (key === undefined || value > 1 || limits[key] !== undefined)
      throw new ZenmlError(
        'ZEN_USAGE',
        `--${name} takes linf=NUMBER, js=NUMBER or both with a comma, from 0 to 1, not "${text}".`,
      )
    limits[key] = value
  }
  if (given[needed] === undefined)
    throw new ZenmlError(
      'ZEN_USAGE',
      `--${name} needs ${needed === 'baseline' ? '--baseline SNAPSHOT' : '--serving-split NAME'}: there is nothing to measure from.`,
    )
  return limits
}
