import type { Change } from './change.ts'
import { newColumns, newIndex, newTable, reshaped } from './made-of.ts'

/** The oldest schema version that is upgraded. */
export const oldestVersion = 5

const nodes = ['Artifact', 'Execution', 'Context'] as const

const times = nodes.flatMap((node) =>
  ['create_time_since_epoch', 'last_update_time_since_epoch'].map((time) =>
    newIndex(`idx_${node.toLowerCase()}_${time}`),
  ),
)

const properties = nodes.flatMap((node) =>
  ['int', 'double', 'string'].map((kind) => newIndex(`idx_${node.toLowerCase()}_property_${kind}`)),
)

/** Columns of the tables that version 9 gives an external id, as they were before. */
const before9 = {
  Type: ['id', 'name', 'version', 'type_kind', 'description', 'input_type', 'output_type'],
  Artifact: ['id', 'type_id', 'uri', 'state', 'name', 'create_time_since_epoch', 'last_update_time_since_epoch'],
  Execution: ['id', 'type_id', 'last_known_state', 'name', 'create_time_since_epoch', 'last_update_time_since_epoch'],
  Context: ['id', 'type_id', 'name', 'create_time_since_epoch', 'last_update_time_since_epoch'],
} as const

/** Of events that are the same but for their id and time the newest stays, and so do its steps, as with Google's library. */
const uniqueEvents: Change = {
  mark: { table: 'Event', index: { sqlite: 'sqlite_autoindex_Event_1', mysql: 'UniqueEvent' } },
  sqlite: [
    ...reshaped(
      'Event',
      ['id', 'artifact_id', 'execution_id', 'type', 'milliseconds_since_epoch'],
      ' WHERE `id` IN (SELECT max(`id`) FROM `EventBeforeUpgrade` GROUP BY `artifact_id`, `execution_id`, `type`)',
    ),
    'DELETE FROM `EventPath` WHERE `event_id` NOT IN (SELECT `id` FROM `Event`)',
  ],
  mysql: [
    'DELETE older FROM `Event` AS older INNER JOIN `Event` AS newer ON newer.artifact_id = older.artifact_id AND newer.execution_id = older.execution_id AND newer.type = older.type AND newer.id > older.id',
    'DELETE FROM `EventPath` WHERE `event_id` NOT IN (SELECT `id` FROM `Event`)',
    'ALTER TABLE `Event` ADD CONSTRAINT `UniqueEvent` UNIQUE (`artifact_id`, `execution_id`, `type`)',
  ],
}

/** The constraint above has an index that makes this one of version 6 superfluous; nothing older than 8 is left with it, so 6 does not make it. */
const noArtifactIndex: Change = {
  mark: { table: 'Event', noIndex: 'idx_event_artifact_id' },
  sqlite: ['DROP INDEX `idx_event_artifact_id`'],
  mysql: ['ALTER TABLE `Event` DROP INDEX `idx_event_artifact_id`'],
}

/**
 * What each schema version changed, in the order to be followed. 6: versions of types, parents of types and contexts,
 * indexes. 7: a
 * column of properties, longer strings on MySQL. 8: events are unique, indexes of properties. 9: external ids. 10: messages and
 * booleans as properties.
 */
export const versionChanges: readonly { readonly version: number; readonly changes: readonly Change[] }[] = [
  {
    version: 6,
    changes: [
      newTable('ParentType'),
      newTable('ParentContext'),
      newColumns(
        'Type',
        ['version VARCHAR(255)', 'description TEXT'],
        ['version VARCHAR(255) AFTER name', 'description TEXT AFTER type_kind'],
      ),
      newIndex('idx_artifact_uri'),
      newIndex('idx_event_execution_id'),
      newIndex('idx_parentcontext_parent_context_id'),
      newIndex('idx_type_name'),
      ...times,
    ],
  },
  {
    version: 7,
    changes: [
      ...nodes.map((node) =>
        newColumns(
          `${node}Property`,
          ['byte_value BLOB'],
          ['byte_value MEDIUMBLOB'],
          ['MODIFY COLUMN string_value MEDIUMTEXT'],
        ),
      ),
      newIndex('idx_eventpath_event_id'),
    ],
  },
  { version: 8, changes: [...properties, uniqueEvents, noArtifactIndex, newIndex('idx_event_execution_id')] },
  {
    version: 9,
    changes: [
      ...Object.entries(before9).map(
        ([table, columns]): Change => ({
          mark: { table, column: 'external_id' },
          sqlite: reshaped(table, columns),
          mysql: [
            // Where a new table has it, by the key's name that it has there.
            `ALTER TABLE \`${table}\` ADD COLUMN external_id VARCHAR(255) AFTER ${table === 'Type' ? 'output_type' : 'name'}, ADD UNIQUE KEY external_id (external_id)`,
          ],
        }),
      ),
      newIndex('idx_artifact_uri'),
      newIndex('idx_type_name'),
      ...times,
      ...Object.keys(before9).map((table) => newIndex(`idx_${table.toLowerCase()}_external_id`)),
    ],
  },
  {
    version: 10,
    changes: nodes.map((node) =>
      newColumns(
        `${node}Property`,
        ['proto_value BLOB', 'bool_value BOOLEAN'],
        ['proto_value MEDIUMBLOB', 'bool_value BOOLEAN'],
      ),
    ),
  },
]

/** Whether a table came after a version. */
export function isNewer(table: string, version: number): boolean {
  return versionChanges.some(
    (one) =>
      one.version > version && one.changes.some(({ mark }) => Object.keys(mark).length === 1 && mark.table === table),
  )
}
