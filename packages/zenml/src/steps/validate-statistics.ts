import { compareText } from '../base/canonical.ts'
import type {
  Anomalies,
  AnomalyInfo,
  AnomalyReason,
  AnomalySeverity,
  DriftSkewInfo,
} from '../formats/anomalies-proto.ts'
import type { LifecycleStage, Schema, SchemaFeature } from '../formats/schema-proto.ts'
import type { DatasetFeatureStatistics } from '../formats/statistics-proto.ts'
import { type ComparisonKind, compareFeature } from './compare-feature.ts'
import { commonOf, featuresOf, serialisedPath, stepsOf } from './feature-view.ts'
import { datasetReasons } from './validate-dataset.ts'
import { featureReasons } from './validate-feature.ts'

/** What statistics are held against beside the schema. */
export interface ValidationOptions {
  /** The environment of the data, such as `SERVING`: features that the schema does not have in it may be missing. Default none. */
  readonly environment?: string
  /** Statistics of the data before: `drift_comparator` limits the distance from them. */
  readonly previous?: DatasetFeatureStatistics
  /** Statistics of the data that the model serves: `skew_comparator` limits the distance from them. */
  readonly serving?: DatasetFeatureStatistics
  /** How bad features are that the schema does not have. Default `ERROR`. */
  readonly newFeatures?: Exclude<AnomalySeverity, 'UNKNOWN'>
}

/**
 * What the statistics of one data set and a schema do not agree in, by the rules of TensorFlow Data Validation (`schema.cc`,
 * `feature_util.cc` and `metrics.cc` of its sources): features that are missing or new, types, domains, presence, number of values, shapes,
 * unique values, number of examples, and distances from earlier data (drift) and from that of serving (skew). No anomalies: no
 * `anomalyInfo`. Throws `ZEN_VALIDATE_COMPARATOR` where the schema limits a distance that is not measured here.
 *
 * @example
 * const anomalies = validateStatistics(
 *   { numExamples: 2, features: [{ path: { step: ['x'] }, numStats: { commonStats: { numNonMissing: 2 }, max: 7 } }] },
 *   { feature: [{ name: 'x', type: 'INT', intDomain: { max: 5 } }] },
 * )
 * anomalies.anomalyInfo!.get('x')!.description // 'Unexpectedly large value: 7 > 5.'
 */
export function validateStatistics(
  statistics: DatasetFeatureStatistics,
  schema: Schema,
  options: ValidationOptions = {},
): Anomalies {
  const { numExamples: rows = 0 } = statistics
  if (rows === 0) return { baseline: schema, anomalyNameFormat: 'SERIALIZED_PATH', dataMissing: true }
  const found = featuresOf(statistics)
  const known = schemaFeatures(schema)
  const derived = new Set([...(schema.sparseFeature ?? []), ...(schema.weightedFeature ?? [])].map(({ name }) => name))
  const controls = {
    drift: options.previous === undefined ? undefined : featuresOf(options.previous),
    skew: options.serving === undefined ? undefined : featuresOf(options.serving),
  }
  const anomalies = new Map<string, AnomalyInfo>()
  const distances: DriftSkewInfo[] = []
  for (const name of [...new Set([...found.keys(), ...known.keys()])].sort(compareText)) {
    const feature = known.get(name)
    const facts = found.get(name)
    if (feature !== undefined && isOutOfUse(feature.schema)) continue
    const step = feature?.step ?? stepsOf(facts!)
    const add = (reasons: readonly AnomalyReason[], severity: AnomalySeverity = 'ERROR'): void => {
      if (reasons.length > 0) anomalies.set(name, anomalyInfo(reasons, severity, step))
    }
    if (feature === undefined) {
      if (!derived.has(name)) add([newColumn], options.newFeatures)
      continue
    }
    const required = isRequired(feature.schema, schema, options.environment)
    if (facts === undefined) {
      if (required) add([missingColumn])
      continue
    }
    if ((commonOf(facts).numNonMissing ?? 0) === 0) {
      if (required) add([notPresent])
      continue
    }
    const reasons = [
      ...environmentReasons(name, feature.schema, schema, options.environment),
      ...featureReasons(facts, feature.schema, rows, schema.stringDomain ?? []),
    ]
    const measured: { [kind in ComparisonKind]?: DriftSkewInfo['driftMeasurements'] } = {}
    for (const kind of ['drift', 'skew'] as const) {
      const comparator = kind === 'drift' ? feature.schema.driftComparator : feature.schema.skewComparator
      const control = controls[kind]
      if (comparator === undefined || control === undefined) continue
      const comparison = compareFeature(name, facts, control.get(name), comparator, kind)
      reasons.push(...comparison.reasons)
      if (comparison.measurements.length > 0) measured[kind] = comparison.measurements
    }
    add(reasons)
    if (measured.drift !== undefined || measured.skew !== undefined)
      distances.push({
        path: { step },
        ...(measured.drift === undefined ? {} : { driftMeasurements: measured.drift }),
        ...(measured.skew === undefined ? {} : { skewMeasurements: measured.skew }),
      })
  }
  const dataset = datasetReasons(rows, schema.datasetConstraints ?? {}, options.previous)
  return {
    baseline: schema,
    anomalyNameFormat: 'SERIALIZED_PATH',
    ...(anomalies.size === 0 ? {} : { anomalyInfo: anomalies }),
    ...(dataset.length === 0 ? {} : { datasetAnomalyInfo: anomalyInfo(dataset, 'ERROR') }),
    ...(distances.length === 0 ? {} : { driftSkewInfo: distances }),
  }
}

const newColumn: AnomalyReason = {
  type: 'SCHEMA_NEW_COLUMN',
  shortDescription: 'New column',
  description: 'New column (column in data but not in schema)',
}
const missingColumn: AnomalyReason = {
  type: 'SCHEMA_MISSING_COLUMN',
  shortDescription: 'Column dropped',
  description: 'Column is completely missing',
}
const notPresent: AnomalyReason = {
  type: 'FEATURE_TYPE_NOT_PRESENT',
  shortDescription: 'Column dropped',
  description: 'The feature was not present in any examples.',
}

function anomalyInfo(
  reasons: readonly AnomalyReason[],
  severity: AnomalySeverity,
  step?: readonly string[],
): AnomalyInfo {
  return {
    description: reasons.map(({ description }) => description).join(' '),
    severity,
    shortDescription: reasons.length === 1 ? reasons[0]!.shortDescription! : 'Multiple errors',
    reason: reasons,
    ...(step === undefined ? {} : { path: { step } }),
  }
}

interface FeatureAtPath {
  readonly step: readonly string[]
  readonly schema: SchemaFeature
}

/** All features, those inside of structures too, by serialised path. What is inside of one that is out of use is so as well. */
function schemaFeatures(schema: Schema): ReadonlyMap<string, FeatureAtPath> {
  const found = new Map<string, FeatureAtPath>()
  const collect = (features: readonly SchemaFeature[], above: readonly string[], outOfUse: boolean): void => {
    for (const feature of features) {
      const step = [...above, feature.name ?? '']
      const out = outOfUse || isOutOfUse(feature)
      found.set(serialisedPath(step), { step, schema: out ? { ...feature, deprecated: true } : feature })
      collect(feature.structDomain?.feature ?? [], step, out)
    }
  }
  collect(schema.feature ?? [], [], false)
  return found
}

const validated: ReadonlySet<LifecycleStage> = new Set(['UNKNOWN_STAGE', 'BETA', 'PRODUCTION', 'VALIDATION_DERIVED'])

function isOutOfUse({ deprecated = false, lifecycleStage = 'UNKNOWN_STAGE' }: SchemaFeature): boolean {
  return deprecated || !validated.has(lifecycleStage)
}

function isRequired(feature: SchemaFeature, schema: Schema, environment: string | undefined): boolean {
  const { minCount = 0, minFraction = 0 } = feature.presence ?? {}
  return (minCount > 0 || minFraction > 0) && isInEnvironment(feature, schema, environment)
}

function isInEnvironment(feature: SchemaFeature, schema: Schema, environment: string | undefined): boolean {
  if (environment === undefined || (feature.inEnvironment ?? []).includes(environment)) return true
  if ((feature.notInEnvironment ?? []).includes(environment)) return false
  return (schema.defaultEnvironment ?? []).includes(environment)
}

function environmentReasons(
  name: string,
  feature: SchemaFeature,
  schema: Schema,
  environment: string | undefined,
): readonly AnomalyReason[] {
  if (isInEnvironment(feature, schema, environment)) return []
  return [
    {
      type: 'SCHEMA_NEW_COLUMN',
      shortDescription: 'Column missing in environment',
      description: `New column ${name} found in data but not in the environment ${environment} in the schema.`,
    },
  ]
}
