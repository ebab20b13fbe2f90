import type { MessageSpec } from '../../base/proto/proto-message.ts'
import { message } from './spec.ts'

// ml_metadata, metadata_store.proto. How clients and servers of ML Metadata are configured.

const connectionModes = { UNKNOWN: 0, READONLY: 1, READWRITE: 2, READWRITE_OPENCREATE: 3 }

const fakeDatabaseConfigSpec: MessageSpec = message('FakeDatabaseConfig', {})
const mySQLDatabaseConfigSpec: MessageSpec = message('MySQLDatabaseConfig', {
  host: [1, 'string'],
  port: [2, 'int64'],
  database: [3, 'string'],
  user: [4, 'string'],
  password: [5, 'string'],
  socket: [6, 'string'],
  sslOptions: [7, () => mySQLDatabaseConfigSSLOptionsSpec],
  skipDbCreation: [8, 'bool'],
})
const mySQLDatabaseConfigSSLOptionsSpec: MessageSpec = message('MySQLDatabaseConfig.SSLOptions', {
  key: [1, 'string'],
  cert: [2, 'string'],
  ca: [3, 'string'],
  capath: [4, 'string'],
  cipher: [5, 'string'],
  verifyServerCert: [6, 'bool'],
})
const sqliteMetadataSourceConfigSpec: MessageSpec = message('SqliteMetadataSourceConfig', {
  filenameUri: [1, 'string'],
  connectionMode: [2, connectionModes],
})
const postgreSQLDatabaseConfigSpec: MessageSpec = message('PostgreSQLDatabaseConfig', {
  host: [1, 'string'],
  hostaddr: [2, 'string'],
  port: [3, 'string'],
  user: [4, 'string'],
  password: [5, 'string'],
  passfile: [6, 'string'],
  dbname: [7, 'string'],
  skipDbCreation: [8, 'bool'],
  ssloption: [9, () => postgreSQLDatabaseConfigSSLOptionsSpec],
})
const postgreSQLDatabaseConfigSSLOptionsSpec: MessageSpec = message('PostgreSQLDatabaseConfig.SSLOptions', {
  sslmode: [1, 'string'],
  sslcert: [2, 'string'],
  sslkey: [3, 'string'],
  sslpassword: [4, 'string'],
  sslrootcert: [5, 'string'],
})
const migrationOptionsSpec: MessageSpec = message('MigrationOptions', {
  enableUpgradeMigration: [3, 'bool'],
  downgradeToSchemaVersion: [2, 'int64'],
})
const retryOptionsSpec: MessageSpec = message('RetryOptions', { maxNumRetries: [1, 'int64'] })
const connectionConfigSpec: MessageSpec = message('ConnectionConfig', {
  fakeDatabase: [1, () => fakeDatabaseConfigSpec, 'oneof:config'],
  mysql: [2, () => mySQLDatabaseConfigSpec, 'oneof:config'],
  sqlite: [3, () => sqliteMetadataSourceConfigSpec, 'oneof:config'],
  postgresql: [5, () => postgreSQLDatabaseConfigSpec, 'oneof:config'],
  retryOptions: [4, () => retryOptionsSpec],
})
const grpcChannelArgumentsSpec: MessageSpec = message('GrpcChannelArguments', {
  maxReceiveMessageLength: [1, 'int64'],
  http2MaxPingStrikes: [2, 'int64'],
})
const metadataStoreClientConfigSpec: MessageSpec = message('MetadataStoreClientConfig', {
  host: [1, 'string'],
  port: [2, 'int64'],
  sslConfig: [3, () => metadataStoreClientConfigSSLConfigSpec],
  channelArguments: [4, () => grpcChannelArgumentsSpec],
  clientTimeoutSec: [5, 'double'],
})
const metadataStoreClientConfigSSLConfigSpec: MessageSpec = message('MetadataStoreClientConfig.SSLConfig', {
  clientKey: [1, 'string'],
  serverCert: [2, 'string'],
  customCa: [3, 'string'],
})
const metadataStoreServerConfigSpec: MessageSpec = message('MetadataStoreServerConfig', {
  connectionConfig: [1, () => connectionConfigSpec],
  migrationOptions: [3, () => migrationOptionsSpec],
  sslConfig: [2, () => metadataStoreServerConfigSSLConfigSpec],
})
const metadataStoreServerConfigSSLConfigSpec: MessageSpec = message('MetadataStoreServerConfig.SSLConfig', {
  serverKey: [1, 'string'],
  serverCert: [2, 'string'],
  customCa: [3, 'string'],
  clientVerify: [4, 'bool'],
})

export const configMessages: readonly MessageSpec[] = [
  fakeDatabaseConfigSpec,
  mySQLDatabaseConfigSpec,
  mySQLDatabaseConfigSSLOptionsSpec,
  sqliteMetadataSourceConfigSpec,
  postgreSQLDatabaseConfigSpec,
  postgreSQLDatabaseConfigSSLOptionsSpec,
  migrationOptionsSpec,
  retryOptionsSpec,
  connectionConfigSpec,
  grpcChannelArgumentsSpec,
  metadataStoreClientConfigSpec,
  metadataStoreClientConfigSSLConfigSpec,
  metadataStoreServerConfigSpec,
  metadataStoreServerConfigSSLConfigSpec,
]
