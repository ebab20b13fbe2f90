import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { schemaTables } from '../../src/metadata/schema-check.ts'
import { connectMysql } from '../../src/metadata/sql/mysql.ts'
import { administer, type FreshDatabase } from './databases.ts'
import { samples } from './samples.ts'

const id = 'id INT PRIMARY KEY AUTO_INCREMENT'
const times =
  'create_time_since_epoch BIGINT NOT NULL DEFAULT 0, last_update_time_since_epoch BIGINT NOT NULL DEFAULT 0'
const nodes = ['Artifact', 'Execution', 'Context'] as const

/** The tables and keys that Google's library made on MySQL in a new database of schema version 5 to 9. */
export function olderStatements(version: number): readonly string[] {
  const since = (first: number, text: string): string => (version >= first ? text : '')
  const external = since(9, 'external_id VARCHAR(255) UNIQUE,')
  const properties = nodes.map(
    (node) => `CREATE TABLE ${node}Property (
      ${node.toLowerCase()}_id INT NOT NULL, name VARCHAR(255) NOT NULL, is_custom_property TINYINT(1) NOT NULL,
      int_value INT, double_value DOUBLE, string_value ${version >= 7 ? 'MEDIUMTEXT, byte_value MEDIUMBLOB' : 'TEXT'},
      PRIMARY KEY (${node.toLowerCase()}_id, name, is_custom_property))`,
  )
  const statements = [
    `CREATE TABLE Type (${id}, name VARCHAR(255) NOT NULL, ${since(6, 'version VARCHAR(255),')}
      type_kind TINYINT(1) NOT NULL, ${since(6, 'description TEXT,')} input_type TEXT, output_type TEXT
      ${since(9, ', external_id VARCHAR(255) UNIQUE')})`,
    'CREATE TABLE TypeProperty (type_id INT NOT NULL, name VARCHAR(255) NOT NULL, data_type INT NULL, PRIMARY KEY (type_id, name))',
    since(
      6,
      'CREATE TABLE ParentType (type_id INT NOT NULL, parent_type_id INT NOT NULL, PRIMARY KEY (type_id, parent_type_id))',
    ),
    `CREATE TABLE Artifact (${id}, type_id INT NOT NULL, uri TEXT, state INT, name VARCHAR(255), ${external} ${times},
      CONSTRAINT UniqueArtifactTypeName UNIQUE (type_id, name))`,
    `CREATE TABLE Execution (${id}, type_id INT NOT NULL, last_known_state INT, name VARCHAR(255), ${external} ${times},
      CONSTRAINT UniqueExecutionTypeName UNIQUE (type_id, name))`,
    `CREATE TABLE Context (${id}, type_id INT NOT NULL, name VARCHAR(255) NOT NULL, ${external} ${times}, UNIQUE (type_id, name))`,
    ...properties,
    `CREATE TABLE Event (${id}, artifact_id INT NOT NULL, execution_id INT NOT NULL, type INT NOT NULL, milliseconds_since_epoch BIGINT
      ${since(8, ', CONSTRAINT UniqueEvent UNIQUE (artifact_id, execution_id, type)')})`,
    'CREATE TABLE EventPath (event_id INT NOT NULL, is_index_step TINYINT(1) NOT NULL, step_index INT, step_key TEXT)',
    'CREATE TABLE MLMDEnv (schema_version INTEGER PRIMARY KEY)',
    since(
      6,
      'CREATE TABLE ParentContext (context_id INT NOT NULL, parent_context_id INT NOT NULL, PRIMARY KEY (context_id, parent_context_id))',
    ),
    `CREATE TABLE Association (${id}, context_id INT NOT NULL, execution_id INT NOT NULL, UNIQUE (context_id, execution_id))`,
    `CREATE TABLE Attribution (${id}, context_id INT NOT NULL, artifact_id INT NOT NULL, UNIQUE (context_id, artifact_id))`,
    since(6, 'ALTER TABLE Artifact ADD INDEX idx_artifact_uri (uri(255))'),
    ...nodes.flatMap((node) =>
      ['create_time_since_epoch', 'last_update_time_since_epoch'].map((time) =>
        since(6, `ALTER TABLE ${node} ADD INDEX idx_${node.toLowerCase()}_${time} (${time})`),
      ),
    ),
    version === 6 || version === 7 ? 'ALTER TABLE Event ADD INDEX idx_event_artifact_id (artifact_id)' : '',
    since(6, 'ALTER TABLE Event ADD INDEX idx_event_execution_id (execution_id)'),
    since(6, 'ALTER TABLE ParentContext ADD INDEX idx_parentcontext_parent_context_id (parent_context_id)'),
    since(6, 'ALTER TABLE Type ADD INDEX idx_type_name (name)'),
    since(7, 'ALTER TABLE EventPath ADD INDEX idx_eventpath_event_id (event_id)'),
    ...nodes.flatMap((node) =>
      ['int_value', 'double_value', 'string_value'].map((value) =>
        since(
          8,
          `ALTER TABLE ${node}Property ADD INDEX idx_${node.toLowerCase()}_property_${value.split('_')[0]}
            (name, is_custom_property, ${value}${value === 'string_value' ? '(255)' : ''})`,
        ),
      ),
    ),
    ...['Type', ...nodes].map((table) =>
      since(9, `ALTER TABLE ${table} ADD INDEX idx_${table.toLowerCase()}_external_id (external_id)`),
    ),
  ]
  return statements.filter((statement) => statement !== '')
}

/** Makes a database of an older version that holds the rows of a sample. */
export async function fillOlder(database: FreshDatabase, version: number, sample: string): Promise<void> {
  const { location } = database
  await administer(
    location,
    undefined,
    `CREATE DATABASE ${location.database} CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci`,
  )
  const source = new Sqlite(join(samples, sample), { readonly: true })
  const connection = await connectMysql(location, location.database)
  try {
    await connection.query(`SET SESSION sql_mode = 'STRICT_ALL_TABLES'`)
    for (const statement of olderStatements(version)) await connection.query(statement)
    const tables = source.prepare(`SELECT name FROM sqlite_master WHERE type = 'table'`).pluck().all() as string[]
    for (const table of tables.filter((name) => schemaTables.includes(name) && name !== 'MLMDEnv')) {
      const columns = source.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(table) as string[]
      const rows = source.prepare(`SELECT * FROM ${table} ORDER BY rowid`).raw().all() as unknown[][]
      for (let from = 0; from < rows.length; from += 500)
        await connection.query('INSERT INTO ?? (??) VALUES ?', [table, columns, rows.slice(from, from + 500)])
    }
    await connection.query('INSERT INTO MLMDEnv VALUES (?)', [version])
  } finally {
    await connection.end()
    source.close()
  }
}

/** The names of the copies of a database. */
export async function backupsOf({ location }: FreshDatabase): Promise<readonly string[]> {
  const rows = await administer(
    location,
    undefined,
    'SELECT schema_name AS name FROM information_schema.schemata WHERE schema_name LIKE ?',
    [`${location.database.replaceAll('_', '\\_')}\\_zenml\\_backup%`],
  )
  return rows.map(({ name }) => name as string).sort()
}

/** Drops the copies of a database at the end. */
export function droppingBackups(database: FreshDatabase): AsyncDisposable {
  return {
    async [Symbol.asyncDispose]() {
      for (const name of await backupsOf(database))
        await administer(database.location, undefined, `DROP DATABASE ${name}`)
    },
  }
}
