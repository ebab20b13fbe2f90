import Sqlite, { type Database } from 'better-sqlite3'
import { schemaStatements } from '../../../src/metadata/schema-10.ts'

/** The rows of a small database, as statements that every kind of database takes. */
export const worldStatements = [
  `INSERT INTO Type (id, name, version, type_kind) VALUES
    (20, 'Model', NULL, 1), (21, 'Trainer', NULL, 0), (22, 'pipeline', NULL, 2), (23, 'run', NULL, 2), (24, 'Data', NULL, 1), (25, 'Model', '2', 1)`,
  `INSERT INTO Artifact (id, type_id, uri, state, name, external_id, create_time_since_epoch, last_update_time_since_epoch) VALUES
    (1, 20, 'gs://a/Model', 2, 'alpha', 'x1', 100, 200),
    (2, 24, '', NULL, NULL, NULL, 110, 210),
    (3, 25, 'gs://a/model_%', 1, 'Alpha', NULL, 120, 220),
    (4, 24, 'gs://a/[x]*?!', 4, 'größe', NULL, 5000000000, 5000000000),
    (5, 24, 'back\\slash', 0, 'alpha ', NULL, 130, 230)`,
  `INSERT INTO ArtifactProperty (artifact_id, name, is_custom_property, int_value, double_value, string_value, bool_value) VALUES
    (1, 'span', FALSE, 3, NULL, NULL, NULL),
    (2, 'span', FALSE, 5, NULL, NULL, NULL),
    (3, 'span', FALSE, NULL, 2.5, NULL, NULL),
    (1, 'span', TRUE, 7, NULL, NULL, NULL),
    (1, 'my prop', TRUE, NULL, NULL, 'yes', NULL),
    (3, 'my prop', TRUE, NULL, NULL, 'Yes', NULL),
    (1, 'flag', FALSE, NULL, NULL, NULL, TRUE),
    (2, 'flag', FALSE, NULL, NULL, NULL, FALSE),
    (4, '0', FALSE, NULL, -0.5, NULL, NULL)`,
  `INSERT INTO Execution (id, type_id, last_known_state, name, external_id, create_time_since_epoch, last_update_time_since_epoch) VALUES
    (1, 21, 2, 'first', 'e1', 100, 100), (2, 21, 3, 'second', NULL, 100, 100), (3, 21, NULL, NULL, NULL, 100, 100)`,
  `INSERT INTO Event (id, artifact_id, execution_id, type, milliseconds_since_epoch) VALUES
    (1, 1, 1, 4, 1000), (2, 1, 2, 3, 2000), (3, 2, 2, 4, 3000)`,
  `INSERT INTO Context (id, type_id, name, external_id, create_time_since_epoch, last_update_time_since_epoch) VALUES
    (1, 22, 'pipe', NULL, 1, 1), (2, 23, 'run1', NULL, 2, 2), (3, 23, 'run2', 'c3', 3, 3)`,
  `INSERT INTO ParentContext (context_id, parent_context_id) VALUES (2, 1), (3, 1)`,
  `INSERT INTO Attribution (id, context_id, artifact_id) VALUES (1, 1, 1), (2, 2, 1), (3, 2, 2)`,
  `INSERT INTO Association (id, context_id, execution_id) VALUES (1, 1, 1), (2, 2, 2), (3, 3, 2)`,
] as const

/** A small database in memory. */
export function world(): Database {
  const database = new Sqlite(':memory:')
  for (const statement of [...schemaStatements, ...worldStatements]) database.exec(statement)
  return database
}
