const times = `create_time_since_epoch BIGINT NOT NULL DEFAULT 0,
  last_update_time_since_epoch BIGINT NOT NULL DEFAULT 0`

const timeKeys = (node: string): string => `KEY idx_${node}_create_time_since_epoch (create_time_since_epoch),
  KEY idx_${node}_last_update_time_since_epoch (last_update_time_since_epoch),
  KEY idx_${node}_external_id (external_id)`

const properties = (node: string, id: string): string => `CREATE TABLE IF NOT EXISTS ${node}Property (
  ${id}_id INT NOT NULL,
  name VARCHAR(255) NOT NULL,
  is_custom_property TINYINT(1) NOT NULL,
  int_value INT,
  double_value DOUBLE,
  string_value MEDIUMTEXT,
  byte_value MEDIUMBLOB,
  proto_value MEDIUMBLOB,
  bool_value BOOLEAN,
  PRIMARY KEY (${id}_id, name, is_custom_property),
  KEY idx_${id}_property_int (name, is_custom_property, int_value),
  KEY idx_${id}_property_double (name, is_custom_property, double_value),
  KEY idx_${id}_property_string (name, is_custom_property, string_value(255))
)`

/**
 * The tables of ML Metadata, schema version 10, on MySQL and MariaDB, with the keys that Google's library adds afterwards, so that
 * `SHOW CREATE TABLE` is the same and a table that is there is whole. In the order in which that library makes them.
 */
export const mysqlStatements: readonly string[] = [
  `CREATE TABLE IF NOT EXISTS Type (
  id INT PRIMARY KEY AUTO_INCREMENT,
  name VARCHAR(255) NOT NULL,
  version VARCHAR(255),
  type_kind TINYINT(1) NOT NULL,
  description TEXT,
  input_type TEXT,
  output_type TEXT,
  external_id VARCHAR(255) UNIQUE,
  KEY idx_type_name (name),
  KEY idx_type_external_id (external_id)
)`,
  `CREATE TABLE IF NOT EXISTS TypeProperty (
  type_id INT NOT NULL,
  name VARCHAR(255) NOT NULL,
  data_type INT NULL,
  PRIMARY KEY (type_id, name)
)`,
  `CREATE TABLE IF NOT EXISTS ParentType (
  type_id INT NOT NULL,
  parent_type_id INT NOT NULL,
  PRIMARY KEY (type_id, parent_type_id)
)`,
  `CREATE TABLE IF NOT EXISTS Artifact (
  id INT PRIMARY KEY AUTO_INCREMENT,
  type_id INT NOT NULL,
  uri TEXT,
  state INT,
  name VARCHAR(255),
  external_id VARCHAR(255) UNIQUE,
  ${times},
  CONSTRAINT UniqueArtifactTypeName UNIQUE (type_id, name),
  KEY idx_artifact_uri (uri(255)),
  ${timeKeys('artifact')}
)`,
  properties('Artifact', 'artifact'),
  `CREATE TABLE IF NOT EXISTS Execution (
  id INT PRIMARY KEY AUTO_INCREMENT,
  type_id INT NOT NULL,
  last_known_state INT,
  name VARCHAR(255),
  external_id VARCHAR(255) UNIQUE,
  ${times},
  CONSTRAINT UniqueExecutionTypeName UNIQUE (type_id, name),
  ${timeKeys('execution')}
)`,
  properties('Execution', 'execution'),
  `CREATE TABLE IF NOT EXISTS Event (
  id INT PRIMARY KEY AUTO_INCREMENT,
  artifact_id INT NOT NULL,
  execution_id INT NOT NULL,
  type INT NOT NULL,
  milliseconds_since_epoch BIGINT,
  CONSTRAINT UniqueEvent UNIQUE (artifact_id, execution_id, type),
  KEY idx_event_execution_id (execution_id)
)`,
  `CREATE TABLE IF NOT EXISTS EventPath (
  event_id INT NOT NULL,
  is_index_step TINYINT(1) NOT NULL,
  step_index INT,
  step_key TEXT,
  KEY idx_eventpath_event_id (event_id)
)`,
  `CREATE TABLE IF NOT EXISTS MLMDEnv (
  schema_version INT PRIMARY KEY
)`,
  `CREATE TABLE IF NOT EXISTS Context (
  id INT PRIMARY KEY AUTO_INCREMENT,
  type_id INT NOT NULL,
  name VARCHAR(255) NOT NULL,
  external_id VARCHAR(255) UNIQUE,
  ${times},
  UNIQUE (type_id, name),
  ${timeKeys('context')}
)`,
  properties('Context', 'context'),
  `CREATE TABLE IF NOT EXISTS ParentContext (
  context_id INT NOT NULL,
  parent_context_id INT NOT NULL,
  PRIMARY KEY (context_id, parent_context_id),
  KEY idx_parentcontext_parent_context_id (parent_context_id)
)`,
  `CREATE TABLE IF NOT EXISTS Association (
  id INT PRIMARY KEY AUTO_INCREMENT,
  context_id INT NOT NULL,
  execution_id INT NOT NULL,
  UNIQUE (context_id, execution_id)
)`,
  `CREATE TABLE IF NOT EXISTS Attribution (
  id INT PRIMARY KEY AUTO_INCREMENT,
  context_id INT NOT NULL,
  artifact_id INT NOT NULL,
  UNIQUE (context_id, artifact_id)
)`,
]
