// `zenml/sources`: the types that a package writes a connector with. What is more than a type it is given as `SourceTools`.
export type { ExampleBatch, FeatureKind } from '../formats/batch.ts'
export type { BigQueryDatasource, GcsDatasource, S3Datasource } from '../model/datasource-spec.ts'
export type {
  ConnectOptions,
  ObjectChecksum,
  ObjectConnector,
  ObjectContent,
  ObjectStore,
  RowConnector,
  RowReading,
  StoredObject,
} from '../sources/connector.ts'
export type { RowBatches, RowCell, RowColumn, RowValue } from '../sources/row-batches.ts'
export type { ConnectorMaker, SourceTools } from '../sources/source-package.ts'
