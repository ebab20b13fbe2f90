const times = `create_time_since_epoch BIGINT NOT NULL DEFAULT 0,
  last_update_time_since_epoch BIGINT NOT NULL DEFAULT 0`

const properties = (node: string, id: string): string => `CREATE TABLE ${node}Property (
  ${id}_id INT NOT NULL,
  name VARCHAR(255) NOT NULL,
  is_custom_property BOOLEAN NOT NULL,
  int_value INT,
  double_value DOUBLE PRECISION,
  string_value TEXT,
  byte_value BYTEA,
  proto_value BYTEA,
  bool_value BOOLEAN,
  PRIMARY KEY (${id}_id, name, is_custom_property)
)`

const nodeKeys = (node: string): readonly string[] =>
  ['create_time_since_epoch', 'last_update_time_since_epoch', 'external_id'].map(
    (column) => `CREATE INDEX idx_${node}_${column} ON ${node} (${column})`,
  )

// A tree refuses texts of more than 2,704 bytes, which properties may have: as on MySQL their first 255 characters are in it.
const propertyKeys = (node: string): readonly string[] =>
  [
    ['int', 'int_value'],
    ['double', 'double_value'],
    ['string', 'left(string_value, 255)'],
  ].map(
    ([kind, value]) =>
      `CREATE INDEX idx_${node}_property_${kind} ON ${node}Property (name, is_custom_property, ${value})`,
  )

/**
 * The tables of ML Metadata, schema version 10, on PostgreSQL: names without quotes, which PostgreSQL makes lower-case, and the
 * keys and indexes that the other databases have.
 */
export const postgresStatements: readonly string[] = [
  `CREATE TABLE Type (
  id SERIAL PRIMARY KEY,
  name VARCHAR(255) NOT NULL,
  version VARCHAR(255),
  type_kind SMALLINT NOT NULL,
  description TEXT,
  input_type TEXT,
  output_type TEXT,
  external_id VARCHAR(255) UNIQUE
)`,
  `CREATE TABLE TypeProperty (
  type_id INT NOT NULL,
  name VARCHAR(255) NOT NULL,
  data_type INT NULL,
  PRIMARY KEY (type_id, name)
)`,
  `CREATE TABLE ParentType (
  type_id INT NOT NULL,
  parent_type_id INT NOT NULL,
  PRIMARY KEY (type_id, parent_type_id)
)`,
  `CREATE TABLE Artifact (
  id SERIAL PRIMARY KEY,
  type_id INT NOT NULL,
  uri TEXT,
  state INT,
  name VARCHAR(255),
  external_id VARCHAR(255) UNIQUE,
  ${times},
  CONSTRAINT UniqueArtifactTypeName UNIQUE (type_id, name)
)`,
  properties('Artifact', 'artifact'),
  `CREATE TABLE Execution (
  id SERIAL PRIMARY KEY,
  type_id INT NOT NULL,
  last_known_state INT,
  name VARCHAR(255),
  external_id VARCHAR(255) UNIQUE,
  ${times},
  CONSTRAINT UniqueExecutionTypeName UNIQUE (type_id, name)
)`,
  properties('Execution', 'execution'),
  `CREATE TABLE Event (
  id SERIAL PRIMARY KEY,
  artifact_id INT NOT NULL,
  execution_id INT NOT NULL,
  type INT NOT NULL,
  milliseconds_since_epoch BIGINT,
  CONSTRAINT UniqueEvent UNIQUE (artifact_id, execution_id, type)
)`,
  `CREATE TABLE EventPath (
  event_id INT NOT NULL,
  is_index_step BOOLEAN NOT NULL,
  step_index INT,
  step_key TEXT
)`,
  'CREATE TABLE MLMDEnv (schema_version INT PRIMARY KEY)',
  `CREATE TABLE Context (
  id SERIAL PRIMARY KEY,
  type_id INT NOT NULL,
  name VARCHAR(255) NOT NULL,
  external_id VARCHAR(255) UNIQUE,
  ${times},
  UNIQUE (type_id, name)
)`,
  properties('Context', 'context'),
  `CREATE TABLE ParentContext (
  context_id INT NOT NULL,
  parent_context_id INT NOT NULL,
  PRIMARY KEY (context_id, parent_context_id)
)`,
  `CREATE TABLE Association (
  id SERIAL PRIMARY KEY,
  context_id INT NOT NULL,
  execution_id INT NOT NULL,
  UNIQUE (context_id, execution_id)
)`,
  `CREATE TABLE Attribution (
  id SERIAL PRIMARY KEY,
  context_id INT NOT NULL,
  artifact_id INT NOT NULL,
  UNIQUE (context_id, artifact_id)
)`,
  // Found by equality only, and too long for a tree as above.
  'CREATE INDEX idx_artifact_uri ON Artifact USING hash (uri)',
  ...['artifact', 'execution', 'context'].flatMap((node) => [...nodeKeys(node), ...propertyKeys(node)]),
  'CREATE INDEX idx_event_execution_id ON Event (execution_id)',
  'CREATE INDEX idx_parentcontext_parent_context_id ON ParentContext (parent_context_id)',
  'CREATE INDEX idx_type_name ON Type (name)',
  'CREATE INDEX idx_type_external_id ON Type (external_id)',
  'CREATE INDEX idx_eventpath_event_id ON EventPath (event_id)',
]
