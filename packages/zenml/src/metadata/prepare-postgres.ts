import type { Client } from 'pg'
import { systemCode } from '../base/errors.ts'
import { schemaVersion, simpleTypes } from './schema-10.ts'
import { postgresStatements } from './schema-10-postgres.ts'
import { checkSchema, columnsByTable, type SchemaFacts } from './schema-check.ts'
import { placeOf, type ServerLocation } from './sql/location.ts'
import { connectPostgres } from './sql/postgres.ts'
import { postgresError } from './sql/postgres-errors.ts'

/** Makes sure that a database of PostgreSQL has the schema of ML Metadata; throws as `openDatabase` does. */
export async function preparePostgres(location: ServerLocation): Promise<void> {
  try {
    const client = await connectOrCreate(location)
    try {
      if (!(await isReady(client, location))) await mend(client, location)
    } finally {
      await client.end()
    }
  } catch (error) {
    throw postgresError(location, error)
  }
}

async function connectOrCreate(location: ServerLocation): Promise<Client> {
  try {
    return await connectPostgres(location, location.database)
  } catch (error) {
    if (systemCode(error) !== '3D000') throw error
  }
  const client = await connectPostgres(location, 'postgres')
  try {
    await client.query(
      `CREATE DATABASE ${client.escapeIdentifier(location.database)} ENCODING 'UTF8' TEMPLATE template0`,
    )
  } catch (error) {
    // Somebody else was first.
    if (!['42P04', '23505'].includes(systemCode(error) ?? '')) throw error
  } finally {
    await client.end()
  }
  return await connectPostgres(location, location.database)
}

/** Google's library knows PostgreSQL only since this version, so an older one is nothing that it wrote. */
function check(location: ServerLocation, facts: SchemaFacts): 'empty' | 'whole' {
  return checkSchema(
    placeOf(location),
    facts,
    `ML Metadata on PostgreSQL began with version ${schemaVersion}, so there is no upgrade: restore it from a backup, or name another database.`,
  )
}

async function isReady(client: Client, location: ServerLocation): Promise<boolean> {
  return check(location, await factsOf(client)) === 'whole' && (await missingTypes(client)).length === 0
}

async function factsOf(client: Client): Promise<SchemaFacts> {
  const { rows } = await client.query(`SELECT c.relname AS "table", a.attname AS "column" FROM pg_class c
    JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid
    WHERE n.nspname = current_schema() AND c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped`)
  const columns = columnsByTable(rows)
  const versions = columns.has('MLMDEnv') ? (await client.query('SELECT schema_version FROM MLMDEnv')).rows : []
  return { columns, versions: versions.map(({ schema_version }) => schema_version as number) }
}

/** Makes what is missing while nobody else does. All of it is one transaction, so there is no half of a schema. */
async function mend(client: Client, location: ServerLocation): Promise<void> {
  await client.query('BEGIN')
  await client.query('SELECT pg_advisory_xact_lock($1)', [lock])
  if (check(location, await factsOf(client)) === 'empty') {
    for (const statement of postgresStatements) await client.query(statement)
    await client.query('INSERT INTO MLMDEnv (schema_version) VALUES ($1)', [schemaVersion])
  }
  for (const { name, kind } of await missingTypes(client))
    await client.query('INSERT INTO Type (name, type_kind) VALUES ($1, $2)', [name, kind])
  await client.query('COMMIT')
}

/** "zenml" as a number; locks belong to a database. */
const lock = 0x7a656e6d6c

async function missingTypes(client: Client): Promise<typeof simpleTypes> {
  const { rows } = await client.query(`SELECT name, type_kind FROM Type WHERE name LIKE 'mlmd.%' AND version IS NULL`)
  const found = new Set(rows.map(({ name, type_kind }) => `${type_kind} ${name}`))
  return simpleTypes.filter(({ name, kind }) => !found.has(`${kind} ${name}`))
}
