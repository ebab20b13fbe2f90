import { decodeMessage } from '../base/proto/decode.ts'
import { encodeMessage } from '../base/proto/encode.ts'
import type { MessageValue, UnknownField } from '../base/proto/proto-message.ts'
import type { Result } from '../base/result.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import { anomaliesSpec, type anomalyTypes } from './anomalies-specs.ts'
import type { Path } from './derived-feature-proto.ts'
import type { Schema } from './schema-proto.ts'
import { printText } from './text-print.ts'
import { parseText } from './text-proto.ts'

// tensorflow_metadata.proto.v0, anomalies.proto.

interface Message {
  /** Comments of the text form, by place. */
  readonly comments?: { readonly [place: string]: readonly string[] }
  /** Fields of the binary form that this version does not know, kept for writing. */
  readonly unknownFields?: readonly UnknownField[]
}

/** What statistics and a schema do not agree in. */
export interface Anomalies extends Message {
  /** The schema that the statistics were held against. */
  readonly baseline?: Schema
  readonly baselineV1?: Schema
  /** SERIALIZED_PATH: keys of `anomalyInfo` are paths, a step with `.`, `(`, `)` or `'` in it in single quotes. */
  readonly anomalyNameFormat?: 'UNKNOWN' | 'SERIALIZED_PATH'
  /** By feature. */
  readonly anomalyInfo?: ReadonlyMap<string, AnomalyInfo>
  /** Of the data set as a whole. */
  readonly datasetAnomalyInfo?: AnomalyInfo
  /** There were no examples, so that nothing else could be said. */
  readonly dataMissing?: boolean
  /** All distances that were measured, also those below their thresholds. */
  readonly driftSkewInfo?: readonly DriftSkewInfo[]
}

/** How bad an anomaly is. */
export type AnomalySeverity = 'UNKNOWN' | 'WARNING' | 'ERROR'

/** Why something is an anomaly. */
export type AnomalyType = keyof typeof anomalyTypes

/** The anomalies of one feature. */
export interface AnomalyInfo extends Message {
  readonly path?: Path
  readonly severity?: AnomalySeverity
  readonly description?: string
  /** That of the only reason, or "Multiple errors". */
  readonly shortDescription?: string
  readonly diffRegions?: readonly DiffRegion[]
  readonly reason?: readonly AnomalyReason[]
}

/** One reason. */
export interface AnomalyReason extends Message {
  readonly type?: AnomalyType
  readonly shortDescription?: string
  readonly description?: string
}

/** Distances of a feature's distribution from an earlier one (drift) and from one of serving (skew). */
export interface DriftSkewInfo extends Message {
  readonly path?: Path
  readonly driftMeasurements?: readonly DistanceMeasurement[]
  readonly skewMeasurements?: readonly DistanceMeasurement[]
}

/** A distance and the threshold that it was held against. */
export interface DistanceMeasurement extends Message {
  readonly type?: 'UNKNOWN' | 'L_INFTY' | 'JENSEN_SHANNON_DIVERGENCE'
  readonly value?: number
  readonly threshold?: number
}

/** A region of the comparison of two schemas as text: one of the five. */
export interface DiffRegion extends Message {
  readonly unchanged?: {
    readonly leftStart?: number
    readonly rightStart?: number
    readonly contents?: readonly string[]
  }
  readonly removed?: { readonly start?: number; readonly contents?: readonly string[] }
  readonly added?: { readonly start?: number; readonly contents?: readonly string[] }
  readonly changed?: {
    readonly leftStart?: number
    readonly leftContents?: readonly string[]
    readonly rightStart?: number
    readonly rightContents?: readonly string[]
  }
  readonly hidden?: { readonly leftStart?: number; readonly rightStart?: number; readonly size?: number }
}

/**
 * Encodes anomalies as a `SchemaDiff.pb` holds them; equal anomalies are equal bytes. Throws `ZEN_PROTO_VALUE`.
 *
 * @example
 * encodeAnomalies({ dataMissing: true }) // Uint8Array.of(24, 1)
 */
export function encodeAnomalies(anomalies: Anomalies): Uint8Array {
  return encodeMessage(anomaliesSpec, anomalies as MessageValue)
}

/**
 * Decodes the bytes of a `SchemaDiff.pb`; throws `ZEN_PROTO_CORRUPT`.
 *
 * @example
 * decodeAnomalies(Uint8Array.of(24, 1)) // { dataMissing: true }
 */
export function decodeAnomalies(bytes: Uint8Array): Anomalies {
  return decodeMessage(anomaliesSpec, bytes) as Anomalies
}

/**
 * Reads the text form of anomalies; all that is wrong with it is told with line and column.
 *
 * @example
 * parseAnomalies('data_missing: true') // { ok: true, value: { dataMissing: true } }
 */
export function parseAnomalies(text: string, file?: string): Result<Anomalies, readonly Diagnostic[]> {
  return parseText(anomaliesSpec, text, file, 'ZEN_ANOMALIES_TEXT') as Result<Anomalies, readonly Diagnostic[]>
}

/**
 * Writes anomalies as text, laid out as TensorFlow Data Validation does.
 *
 * @example
 * printAnomalies({ dataMissing: true }) // 'data_missing: true\n'
 */
export function printAnomalies(anomalies: Anomalies): string {
  return printText(anomaliesSpec, anomalies as MessageValue)
}
