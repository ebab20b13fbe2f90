import { existsSync, readFileSync } from 'node:fs'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { ZenmlError } from '../../src/base/errors.ts'
import { metadataService } from '../../src/metadata/api/service.ts'
import { openDatabase } from '../../src/metadata/open.ts'
import { simpleTypes } from '../../src/metadata/schema-10.ts'
import { mysqlStatements } from '../../src/metadata/schema-10-mysql.ts'
import { schemaTables } from '../../src/metadata/schema-check.ts'
import type { ServerLocation } from '../../src/metadata/sql/location.ts'
import { mysqlError } from '../../src/metadata/sql/mysql-errors.ts'
import { postgresError } from '../../src/metadata/sql/postgres-errors.ts'
import { change, select } from '../../src/metadata/sql/work.ts'
import { administer, type FreshDatabase, freshDatabase, isRunning, runningServers } from '../support/databases.ts'
import { startServer } from '../support/servers.ts'

const golden = fileURLToPath(
  new URL('../../../../../shared/mlmd/samples/golden_v10_mariadb_utf8mb4.sql', import.meta.url),
)

async function prepared(location: ServerLocation): Promise<void> {
  await using _opened = await openDatabase(location)
}

/** What the server says about each table, without the counters. */
async function tablesOf(database: FreshDatabase): Promise<{ readonly [table: string]: string }> {
  const tables: { [table: string]: string } = {}
  for (const table of schemaTables)
    tables[table] = (await database.sql(`SHOW CREATE TABLE ${table}`))[0]['Create Table'].replace(
      / AUTO_INCREMENT=\d+/,
      '',
    )
  return tables
}

/** The statements of a dump, one by one. */
function statementsOf(dump: string): readonly string[] {
  return dump.split(/;\r?\n/).filter((statement) => !/^(\s|--.*|\/\*.*)*$/.test(statement))
}

it.skipIf(!isRunning('mysql') || !existsSync(golden))(
  "each table on MariaDB is that of Google's library (skipped without a server or ../shared)",
  async () => {
    const expected = Object.fromEntries(
      [...readFileSync(golden, 'utf8').matchAll(/^(CREATE TABLE `(\w+)` [^;]*);/gm)].map(([, text, table]) => [
        table!,
        text!.replace(/ AUTO_INCREMENT=\d+/, ''),
      ]),
    )
    await using likeTheirs = freshDatabase('mysql')
    const { location } = likeTheirs
    const collation = 'CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci'
    await administer(location, undefined, `CREATE DATABASE ${location.database} ${collation}`)
    await prepared(location)
    expect(await tablesOf(likeTheirs)).toEqual(expected)
    // A database that we made ourselves tells names apart by case, and differs in nothing else.
    await using ours = freshDatabase('mysql')
    await prepared(ours.location)
    const binary = Object.entries(expected).map(([table, text]) => [
      table,
      text.replace('utf8mb4_general_ci', 'utf8mb4_bin'),
    ])
    expect(await tablesOf(ours)).toEqual(Object.fromEntries(binary))
  },
)

it.skipIf(!isRunning('mysql') || !existsSync(golden))(
  "a dump of a MariaDB database that Google's library wrote opens (skipped without a server or ../shared)",
  async () => {
    await using database = freshDatabase('mysql')
    const { location } = database
    await administer(location, undefined, `CREATE DATABASE ${location.database} CHARACTER SET utf8mb4`)
    for (const statement of statementsOf(readFileSync(golden, 'utf8')).filter((text) =>
      /^\s*(DROP|CREATE|INSERT)/m.test(text),
    ))
      await database.sql(statement.replace(/^[\s\S]*?(?=^(?:DROP|CREATE|INSERT) )/m, ''))
    await using opened = await openDatabase(location)
    const rows = await opened.read(() =>
      select<{ name: string; bool_value: number | null; proto_value: Uint8Array | null; double_value: number | null }>(
        'SELECT name, bool_value, proto_value, double_value FROM ArtifactProperty ORDER BY artifact_id, name',
      ),
    )
    expect(rows.length).toBeGreaterThan(5)
    expect(rows.some(({ bool_value }) => bool_value === 1)).toBe(true)
    const proto = rows.find(({ proto_value }) => proto_value !== null)!
    expect(Buffer.from(proto.proto_value!).toString()).toMatch(/^[A-Za-z0-9+/]+=*$/)
    expect(await opened.read(() => select('SELECT name, type_kind FROM Type WHERE id < 10 ORDER BY id'))).toEqual(
      simpleTypes.map(({ name, kind }) => ({ name, type_kind: kind })),
    )
  },
)

it.skipIf(!isRunning('postgres'))(
  'PostgreSQL has the tables, keys and indexes of the others (skipped without a server)',
  async () => {
    await using database = freshDatabase('postgres')
    await prepared(database.location)
    const columns = await database.sql(
      'SELECT table_name, column_name, data_type FROM information_schema.columns WHERE table_schema = current_schema()',
    )
    const typeOf = (table: string, column: string): string | undefined =>
      columns.find(({ table_name, column_name }) => table_name === table && column_name === column)?.data_type
    expect(new Set(columns.map(({ table_name }) => table_name))).toEqual(
      new Set(schemaTables.map((table) => table.toLowerCase())),
    )
    expect(typeOf('artifactproperty', 'proto_value')).toBe('bytea')
    expect(typeOf('artifactproperty', 'is_custom_property')).toBe('boolean')
    expect(typeOf('execution', 'create_time_since_epoch')).toBe('bigint')
    expect(typeOf('execution', 'id')).toBe('integer')
    const indexes = (await database.sql('SELECT indexname FROM pg_indexes WHERE schemaname = current_schema()')).map(
      ({ indexname }) => indexname as string,
    )
    const named = mysqlStatements.flatMap((text) => [...text.matchAll(/KEY (idx_\w+)/g)].map(([, name]) => name!))
    expect(indexes).toEqual(expect.arrayContaining([...named, 'uniqueevent', 'uniqueartifacttypename']))
  },
)

it.each(runningServers)('a long text fits where it is indexed on %s', async (type) => {
  await using database = freshDatabase(type)
  await using opened = await openDatabase(database.location)
  const text = Array.from({ length: 4000 }, (_, index) => (index * 7919).toString(36)).join('é')
  await opened.write(function* () {
    yield {
      table: 'ArtifactProperty',
      columns: ['artifact_id', 'name', 'is_custom_property', 'string_value'],
      rows: [[1, 'n', true, text]],
    }
    yield { table: 'Artifact', columns: ['type_id', 'uri'], rows: [[1, text]] }
  })
  expect(await opened.read(() => select('SELECT uri FROM Artifact WHERE uri = ?', [text]))).toEqual([{ uri: text }])
  expect(await opened.read(() => select('SELECT string_value FROM ArtifactProperty'))).toEqual([{ string_value: text }])
})

it.each(runningServers)('eight clients that open a new database on %s at once make one schema', async (type) => {
  await using database = freshDatabase(type)
  await Promise.all(Array.from({ length: 8 }, () => prepared(database.location)))
  expect(
    (await database.sql('SELECT schema_version FROM MLMDEnv')).map(({ schema_version }) => schema_version),
  ).toEqual([10])
  expect((await database.sql('SELECT id, name FROM Type ORDER BY id')).map(({ name }) => name)).toEqual(
    simpleTypes.map(({ name }) => name),
  )
})

it.skipIf(!isRunning('mysql'))(
  'what a client left behind that was killed while it made the tables is completed, at whatever point (skipped without a server)',
  async () => {
    await using whole = freshDatabase('mysql')
    await prepared(whole.location)
    const expected = await tablesOf(whole)
    for (const made of [1, 7, mysqlStatements.length]) {
      await using database = freshDatabase('mysql')
      const { location } = database
      await administer(
        location,
        undefined,
        `CREATE DATABASE ${location.database} CHARACTER SET utf8mb4 COLLATE utf8mb4_bin`,
      )
      for (const statement of mysqlStatements.slice(0, made)) await database.sql(statement)
      await prepared(location)
      expect(await tablesOf(database)).toEqual(expected)
      expect(await database.sql('SELECT * FROM Type')).toHaveLength(9)
    }
  },
)

it.each(runningServers)('a simple type that is missing on %s is added', async (type) => {
  await using database = freshDatabase(type)
  await prepared(database.location)
  await database.sql(`DELETE FROM Type WHERE name = 'mlmd.Train'`)
  await prepared(database.location)
  expect(await database.sql(`SELECT type_kind FROM Type WHERE name = 'mlmd.Train'`)).toEqual([{ type_kind: 0 }])
})

it.skipIf(!isRunning('postgres'))(
  'a server that is read-only is told from a defect (skipped without a server)',
  async () => {
    await using database = freshDatabase('postgres')
    const { location } = database
    await prepared(location)
    await administer(location, undefined, `ALTER DATABASE ${location.database} SET default_transaction_read_only = on`)
    await using opened = await openDatabase(location)
    const answer = opened.write(() => change('UPDATE MLMDEnv SET schema_version = 10'))
    await expect(answer).rejects.toMatchObject({
      code: 'ZEN_METADATA_ACCESS',
      message: expect.stringContaining('read-only'),
    })
  },
)

it('servers that are read-only or full are told from a defect by the numbers and codes of their errors', () => {
  const location = { type: 'mysql', host: 'h', port: 1, user: 'u', password: 'p', database: 'd' } as const
  const codeOf = (error: unknown): unknown => (error as { readonly code?: string }).code
  const mysql = [1290, 1836, 1021, 1114].map((errno) =>
    codeOf(mysqlError(location, Object.assign(new Error('no'), { errno }))),
  )
  expect(mysql).toEqual(['ZEN_METADATA_ACCESS', 'ZEN_METADATA_ACCESS', 'ZEN_SYSTEM', 'ZEN_SYSTEM'])
  expect(codeOf(postgresError(location, Object.assign(new Error('no'), { code: '53100' })))).toBe('ZEN_SYSTEM')
})

it.each(runningServers)('columns that %s or its administrator added are left alone', async (type) => {
  await using database = freshDatabase(type)
  await prepared(database.location)
  await database.sql('ALTER TABLE Context ADD COLUMN extra VARCHAR(10)')
  // What MySQL adds where `sql_generate_invisible_primary_key` is on.
  if (type === 'mysql')
    await database.sql(
      'ALTER TABLE EventPath ADD COLUMN my_row_id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT INVISIBLE PRIMARY KEY FIRST',
    )
  await using opened = await openDatabase(database.location)
  const service = metadataService(opened)
  const { typeId } = (await service.call('PutArtifactType', { artifactType: { name: 'A' } })) as { typeId: number }
  const execution = (await service.call('PutExecutionType', { executionType: { name: 'E' } })) as { typeId: number }
  const path = { steps: [{ key: 'model' }, { index: 0 }] }
  const pair = { artifact: { typeId }, event: { type: 'OUTPUT', path } }
  await service.call('PutExecution', { execution, artifactEventPairs: [pair, pair] })
  const events = await service.call('GetEventsByExecutionIDs', { executionIds: [1] })
  expect(events).toMatchObject({ events: [{ path }, { path }] })
})

it.each(
  runningServers.flatMap((type) =>
    (
      [
        ['a newer schema', 'UPDATE MLMDEnv SET schema_version = 11', 'ZEN_METADATA_NEWER'],
        ['an older schema', 'UPDATE MLMDEnv SET schema_version = 8', 'ZEN_METADATA_OLDER'],
        ['a missing table', 'DROP TABLE Event', 'ZEN_METADATA_DAMAGED'],
        ['a missing column', 'ALTER TABLE EventPath DROP COLUMN step_key', 'ZEN_METADATA_DAMAGED'],
        ['a missing version', 'DELETE FROM MLMDEnv', 'ZEN_METADATA_DAMAGED'],
        ['two versions', 'INSERT INTO MLMDEnv VALUES (9)', 'ZEN_METADATA_DAMAGED'],
      ] as const
    ).map((row) => [type, ...row] as const),
  ),
)('on %s, %s is refused', async (type, _name, change, code) => {
  await using database = freshDatabase(type)
  await prepared(database.location)
  await database.sql(change)
  await expect(openDatabase(database.location)).rejects.toMatchObject({ code })
})

it.each(runningServers)(
  'on %s, a wrong password, a missing server and a forbidden database are told apart, and no password is shown',
  async (type) => {
    await using database = freshDatabase(type)
    const secret = 'not-the-password-7531'
    const shown = async (change: Partial<ServerLocation>): Promise<ZenmlError> => {
      const error = await openDatabase({ ...database.location, ...change }).then(
        () => undefined,
        (thrown: unknown) => thrown,
      )
      expect(error).toBeInstanceOf(ZenmlError)
      const { message, stack, facts, next, cause } = error as ZenmlError
      const text = JSON.stringify({ message, stack, facts, next, cause: { ...(cause as object), text: String(cause) } })
      for (const password of [secret, database.location.password]) expect(text).not.toContain(password)
      return error as ZenmlError
    }
    const access = await shown({ password: secret })
    expect(access).toMatchObject({ code: 'ZEN_METADATA_ACCESS' })
    const away = await shown({ port: 1 })
    expect(away).toMatchObject({ code: 'ZEN_METADATA_CONNECTION', facts: { host: '127.0.0.1', port: 1 } })
    expect(away.message).toContain('127.0.0.1:1')
    expect(away.next).toBeDefined()
    const guest = `guest_${Math.random().toString(36).slice(2)}`
    await administer(
      database.location,
      undefined,
      type === 'mysql'
        ? `CREATE USER '${guest}'@'%' IDENTIFIED BY '${secret}'`
        : `CREATE ROLE ${guest} LOGIN PASSWORD '${secret}'`,
    )
    expect(await shown({ user: guest, password: secret })).toMatchObject({ code: 'ZEN_METADATA_ACCESS' })
    await administer(database.location, undefined, type === 'mysql' ? `DROP USER '${guest}'@'%'` : `DROP ROLE ${guest}`)
  },
)

it.skipIf(!isRunning('mysql'))(
  'where keys may have only 767 bytes, as before MySQL 5.7.7, tables have characters of three bytes (skipped without a server)',
  async () => {
    await using server = await startServer('mysql', { options: ['--innodb-default-row-format=compact'] })
    await using database = freshDatabase('mysql', server)
    await prepared(database.location)
    expect((await tablesOf(database))['Type']).toMatch(/utf8(mb3)?_bin/)
    await using opened = await openDatabase(database.location)
    expect(await opened.read(() => select('SELECT id FROM Type'))).toHaveLength(9)
  },
)

it.each([{}, { tls: {} }])(
  'a port where something else than PostgreSQL answers is no server of it (%j)',
  async (options) => {
    // The greeting of MySQL, which comes unasked, reads as data of a COPY that nobody began.
    const greeting = Buffer.from('\x64\x00\x00\x00\x0a5.5.5-', 'latin1')
    const sockets: Socket[] = []
    const other = createServer((socket) => {
      sockets.push(socket.on('error', () => {}))
      socket.write(greeting)
    })
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
    const { port } = other.address() as AddressInfo
    const location = { type: 'postgres', host: '127.0.0.1', port, user: 'u', password: 'p', database: 'd' } as const
    await expect(openDatabase({ ...location, ...options })).rejects.toMatchObject({ code: 'ZEN_METADATA_CONNECTION' })
    for (const socket of sockets) socket.destroy()
    other.close()
  },
)
