import { type ArtifactType, artifactType } from '../model/artifact-type.ts'
import { type Anomalies as AnomaliesMessage, decodeAnomalies, encodeAnomalies } from './anomalies-proto.ts'
import { loadBySplit, saveBySplit } from './by-split.ts'

/** Anomalies by split. */
export interface AnomaliesBySplit {
  readonly [split: string]: AnomaliesMessage
}

/** What statistics and a schema do not agree in, by split, each as `Split-<name>/SchemaDiff.pb` as TensorFlow Extended's ExampleValidator writes it. */
export const Anomalies: ArtifactType<'Anomalies', AnomaliesBySplit, AnomaliesBySplit> = /* @__PURE__ */ artifactType(
  'Anomalies',
  {
    save: (anomalies: AnomaliesBySplit, directory: string) =>
      saveBySplit(anomalies, 'SchemaDiff.pb', encodeAnomalies, directory),
    load: (directory) => loadBySplit(directory, 'SchemaDiff.pb', decodeAnomalies, 'Anomalies'),
  },
)
