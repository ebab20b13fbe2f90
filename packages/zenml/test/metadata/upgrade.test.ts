import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chmodSync, copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import Sqlite, { type Database } from 'better-sqlite3'
import { afterEach, expect, it } from 'vitest'
import { openDatabase } from '../../src/metadata/open.ts'
import { schemaStatements, simpleTypes } from '../../src/metadata/schema-10.ts'
import { upgradeSqlite } from '../../src/metadata/upgrade/upgrade-sqlite.ts'
import { versionChanges } from '../../src/metadata/upgrade/versions.ts'
import { bundleScript, importOf } from '../support/bundled-script.ts'

const samples = fileURLToPath(new URL('../../../../../shared/mlmd/samples/', import.meta.url))
const missing = !existsSync(samples)
const older = missing
  ? []
  : readdirSync(samples)
      .filter((name) => /\.(sqlite|db)$/.test(name))
      .map((name) => [name, versionOf(join(samples, name))] as const)
      .filter(([, version]) => version < 10)

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})
function copyOf(name: string): string {
  const folder = mkdtempSync(join(tmpdir(), 'zenml-upgrade-'))
  folders.push(folder)
  const path = join(folder, 'metadata.db')
  copyFileSync(join(samples, name), path)
  chmodSync(path, 0o640)
  return path
}

function versionOf(path: string): number {
  return reading(path, (database) => database.prepare('SELECT schema_version FROM MLMDEnv').pluck().get() as number)
}

function reading<T>(path: string, read: (database: Database) => T): T {
  const database = new Sqlite(path, { readonly: true })
  try {
    return read(database)
  } finally {
    database.close()
  }
}

function writing(path: string, write: (database: Database) => void): void {
  const database = new Sqlite(path)
  write(database)
  database.close()
}

/** All rows by table, each as text, with the given columns only. */
function rows(path: string, columns: ReadonlyMap<string, readonly string[]>): object {
  return reading(path, (database) =>
    Object.fromEntries(
      [...columns].map(([table, names]) => [
        table,
        database
          .prepare(`SELECT ${names.join(', ')} FROM ${table} ORDER BY rowid`)
          .raw()
          .all()
          .map(String),
      ]),
    ),
  )
}

/** Tables and their columns, but for the version and what SQLite keeps for itself. */
function columnsOf(path: string): Map<string, readonly string[]> {
  return reading(path, (database) => {
    const tables = database
      .prepare(`SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT IN ('MLMDEnv', 'sqlite_sequence')`)
      .pluck()
      .all() as string[]
    return new Map(
      tables.map((table) => [
        table,
        database.prepare('SELECT name FROM pragma_table_info(?)').pluck().all(table) as string[],
      ]),
    )
  })
}

const sequences = (path: string): unknown =>
  reading(path, (database) =>
    database.prepare(`SELECT name, seq FROM sqlite_sequence WHERE name <> 'Type' ORDER BY name`).all(),
  )

it.skipIf(missing)(
  'databases of every older schema version but 9 are there to be upgraded (skipped without ../shared)',
  () => {
    expect([...new Set(older.map(([, version]) => version))].sort()).toEqual([5, 6, 7, 8])
  },
)

it.skipIf(older.length === 0)(
  'what to do can be pasted, whatever the path is (skipped without ../shared)',
  async () => {
    const [name] = older[0]!
    const path = join(copyOf(name), "../it's a store.db")
    copyFileSync(join(samples, name), path)
    await expect(openDatabase({ type: 'sqlite', path })).rejects.toMatchObject({
      next: expect.stringContaining(`--uri='${path.replace("'", `'\\''`)}'`),
    })
  },
)

it.each(older)('%s is refused by its version %s, and no byte of it changes', async (name, version) => {
  const path = copyOf(name)
  await expect(openDatabase({ type: 'sqlite', path })).rejects.toMatchObject({
    code: 'ZEN_METADATA_OLDER',
    message: expect.stringContaining(`schema version ${version}`),
    next: expect.stringContaining(`zenml config metadata upgrade --uri=${path}`),
  })
  expect(readFileSync(path).equals(readFileSync(join(samples, name)))).toBe(true)
  expect(readdirSync(join(path, '..'))).toEqual(['metadata.db'])
})

it.each(older)(
  '%s of version %s is upgraded with all that it holds, and the copy is what it was',
  async (name, version) => {
    const path = copyOf(name)
    const before = columnsOf(path)
    const [contents, ids] = [rows(path, before), sequences(path)]
    const upgrade = await upgradeSqlite({ path })
    expect(upgrade).toEqual({
      place: path,
      from: version,
      to: 10,
      versions: [6, 7, 8, 9, 10].filter((one) => one > version),
      backup: `${path}.v${version}.backup`,
      removed: { events: 0 },
    })
    expect(readdirSync(join(path, '..')).sort()).toEqual(['metadata.db', `metadata.db.v${version}.backup`])
    expect(reading(path, (database) => database.pragma('integrity_check'))).toEqual([{ integrity_check: 'ok' }])

    const golden = columnsOf(join(samples, 'golden_v10_allvalues.sqlite'))
    const after = columnsOf(path)
    const sorted = (tables: Map<string, readonly string[]>) =>
      [...tables].map(([table, columns]) => [table, [...columns].sort()]).sort()
    expect(sorted(after)).toEqual(sorted(golden))
    const indexes = (file: string): unknown =>
      reading(file, (database) =>
        database
          .prepare(
            `SELECT name, tbl_name, replace(sql, '  ', ' ') AS text FROM sqlite_master WHERE type = 'index' ORDER BY name`,
          )
          .all(),
      )
    expect(indexes(path)).toEqual(indexes(join(samples, 'golden_v10_allvalues.sqlite')))

    // Types gain the simple ones; everything else is what it was.
    const held = rows(path, before) as { Type: string[] }
    const had = contents as { Type: string[] }
    expect(held).toEqual({ ...contents, Type: expect.arrayContaining(had.Type) })
    expect(held.Type.slice(0, had.Type.length)).toEqual(had.Type)
    expect(sequences(path)).toEqual(ids)
    expect(rows(upgrade.backup!, before)).toEqual(contents)
    expect(versionOf(upgrade.backup!)).toBe(version)
    expect(statSync(upgrade.backup!).mode & 0o777).toBe(0o640)
    for (const { name: simple, kind } of simpleTypes)
      expect(
        reading(path, (database) =>
          database.prepare('SELECT count(*) FROM Type WHERE name = ? AND type_kind = ?').pluck().get(simple, kind),
        ),
      ).toBe(1)
    await (await openDatabase({ type: 'sqlite', path }))[Symbol.asyncDispose]()
  },
)

interface Recorded {
  readonly rpc: string
  readonly request: object
  readonly response: {
    readonly events?: readonly {
      readonly artifact_id: string
      readonly execution_id: string
      readonly type: string
      readonly path?: { readonly steps?: readonly { readonly key?: string; readonly index?: string }[] }
    }[]
  }
}
it.each(older)("%s of version %s has the events afterwards that Google's library found in it", async (name) => {
  const path = copyOf(name)
  await upgradeSqlite({ path })
  const recorded = JSON.parse(readFileSync(join(samples, `${name}.expected.json`), 'utf8')) as readonly Recorded[]
  const expected = recorded.find(({ rpc }) => rpc === 'GetEventsByExecutionIDs')!.response.events!
  const found = reading(path, (database) => {
    const steps = database.prepare(
      'SELECT is_index_step, step_index, step_key FROM EventPath WHERE event_id = ? ORDER BY rowid',
    )
    const events = database.prepare('SELECT id, artifact_id, execution_id FROM Event').all() as {
      id: number
      artifact_id: number
      execution_id: number
    }[]
    return events.map(({ id, artifact_id, execution_id }) => {
      const path = (steps.all(id) as { is_index_step: number; step_index: number; step_key: string }[]).map((step) =>
        step.is_index_step === 1 ? `${step.step_index}` : step.step_key,
      )
      return `${artifact_id} ${execution_id} ${path.join('/')}`
    })
  })
  const wanted = expected.map(
    (event) =>
      `${event.artifact_id} ${event.execution_id} ${(event.path?.steps ?? []).map((step) => step.key ?? step.index).join('/')}`,
  )
  expect(found.sort()).toEqual(wanted.sort())
})

const sample = (version: number): string => older.find(([, one]) => one === version)![0]

it.skipIf(missing)('a database of version 9 is upgraded too (skipped without ../shared)', async () => {
  const path = copyOf(sample(8))
  writing(path, (database) => {
    const changes = versionChanges.find(({ version }) => version === 9)!.changes
    for (const { mark, sqlite } of changes)
      if (
        !('index' in mark) ||
        database.prepare('SELECT 1 FROM sqlite_master WHERE name = ?').get(mark.index) === undefined
      )
        for (const statement of sqlite) database.exec(statement)
    database.exec('UPDATE MLMDEnv SET schema_version = 9')
  })
  expect(await upgradeSqlite({ path })).toMatchObject({ from: 9, versions: [10] })
  await (await openDatabase({ type: 'sqlite', path }))[Symbol.asyncDispose]()
})

it.skipIf(missing)(
  'of events that were there twice the newest stays with its steps, and ids that were given are not given again (skipped without ../shared)',
  async () => {
    const path = copyOf(sample(7))
    const last = reading(path, (database) => database.prepare('SELECT max(id) FROM Event').pluck().get() as number)
    writing(path, (database) => {
      database.exec(`INSERT INTO Event (artifact_id, execution_id, type, milliseconds_since_epoch)
      VALUES (900, 900, 3, 1), (900, 900, 3, 2), (900, 900, 4, 3), (901, 901, 3, 4)`)
      database.exec(
        `INSERT INTO EventPath (event_id, is_index_step, step_key) VALUES (${last + 1}, 0, 'old'), (${last + 2}, 0, 'new')`,
      )
      database.exec(`DELETE FROM Event WHERE artifact_id = 901`)
    })
    expect(await upgradeSqlite({ path })).toMatchObject({ removed: { events: 1 } })
    reading(path, (database) => {
      expect(database.prepare('SELECT id, type FROM Event WHERE artifact_id = 900 ORDER BY id').raw().all()).toEqual([
        [last + 2, 3],
        [last + 3, 4],
      ])
      expect(database.prepare('SELECT step_key FROM EventPath WHERE event_id > ?').pluck().all(last)).toEqual(['new'])
    })
    writing(path, (database) => {
      const { lastInsertRowid } = database
        .prepare('INSERT INTO Event (artifact_id, execution_id, type) VALUES (1000, 1, 1)')
        .run()
      expect(lastInsertRowid).toBe(last + 5)
    })
  },
)

it.skipIf(missing)(
  'a database that is up to date is left alone, and a copy is never written over (skipped without ../shared)',
  async () => {
    const path = copyOf(sample(5))
    await upgradeSqlite({ path })
    const upgraded = readFileSync(path)
    expect(await upgradeSqlite({ path })).toMatchObject({ from: 10, versions: [], backup: undefined })
    expect(readFileSync(path).equals(upgraded)).toBe(true)
    const copy = readFileSync(`${path}.v5.backup`)
    copyFileSync(`${path}.v5.backup`, path)
    expect(await upgradeSqlite({ path })).toMatchObject({ backup: `${path}.v5.backup-2` })
    expect(readFileSync(`${path}.v5.backup`).equals(copy)).toBe(true)
  },
)

it.skipIf(missing).each([
  ['a newer version', 'UPDATE MLMDEnv SET schema_version = 11', 'ZEN_METADATA_NEWER'],
  ['a version before 5', 'UPDATE MLMDEnv SET schema_version = 4', 'ZEN_METADATA_TOO_OLD'],
  ['no version', 'DELETE FROM MLMDEnv', 'ZEN_METADATA_DAMAGED'],
  ['no table of versions', 'DROP TABLE MLMDEnv', 'ZEN_METADATA_DAMAGED'],
])('%s is refused and no byte changes (skipped without ../shared)', async (_what, statement, code) => {
  const path = copyOf(sample(6))
  writing(path, (database) => void database.exec(statement))
  const before = readFileSync(path)
  await expect(upgradeSqlite({ path })).rejects.toMatchObject({ code })
  expect(readFileSync(path).equals(before)).toBe(true)
  expect(readdirSync(join(path, '..'))).toEqual(['metadata.db'])
})

it.skipIf(missing)(
  'an upgrade that fails leaves the database as it was and says where the copy is (skipped without ../shared)',
  async () => {
    const path = copyOf(sample(6))
    writing(path, (database) => void database.exec('DROP TABLE Attribution'))
    const before = readFileSync(path)
    await expect(upgradeSqlite({ path })).rejects.toMatchObject({
      code: 'ZEN_METADATA_UPGRADE',
      message: expect.stringContaining('Attribution'),
      facts: { path, backup: `${path}.v6.backup` },
    })
    expect(readFileSync(path).equals(before)).toBe(true)
    expect(versionOf(`${path}.v6.backup`)).toBe(6)
  },
)

it('a file that is not there is not made', async () => {
  const path = join(tmpdir(), `zenml-no-such-${process.pid}.db`)
  await expect(upgradeSqlite({ path })).rejects.toMatchObject({ code: 'ZEN_METADATA_PATH' })
  expect(existsSync(path)).toBe(false)
})

it.skipIf(missing)(
  'a process that is killed in the middle leaves the old database or the new one (skipped without ../shared)',
  async () => {
    const path = copyOf(sample(6))
    writing(path, (database) => {
      // So much that pages go to the file before the end.
      database.exec(`WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 20000)
      INSERT INTO Artifact (type_id, uri, name) SELECT 1, 'file:///a/rather/long/place/of/an/artifact/number/' || i, 'a' || i FROM n`)
    })
    const script = await bundleScript(
      join(path, '..'),
      `${importOf('upgradeSqlite', 'metadata/upgrade/upgrade-sqlite.ts')}await upgradeSqlite({ path: process.argv[2] })`,
      ['better-sqlite3'],
    )
    const before = columnsOf(path)
    const contents = rows(path, before)
    const journal = `${path}-journal`
    let killed = 0
    for (let delay = 0; versionOf(path) === 6; delay = delay * 2 + 20) {
      const child: ChildProcess = spawn(process.execPath, [script, path], { stdio: ['ignore', 'ignore', 'inherit'] })
      const ended = once(child, 'exit')
      while (child.exitCode === null && !(existsSync(journal) && statSync(journal).size > 0)) await wait(2)
      await wait(delay)
      child.kill('SIGKILL')
      await ended
      if (child.signalCode === 'SIGKILL') killed++
      // The next to open it, for writing, rolls back what was not finished.
      writing(path, (database) => {
        expect(database.pragma('integrity_check')).toEqual([{ integrity_check: 'ok' }])
        expect([6, 10]).toContain(database.prepare('SELECT schema_version FROM MLMDEnv').pluck().get())
      })
      const held = rows(path, before) as { Type: string[] }
      expect({ ...held, Type: [] }).toEqual({ ...contents, Type: [] })
    }
    expect(killed).toBeGreaterThan(1)
    expect(schemaStatements.filter((one) => one.startsWith('CREATE TABLE')).length).toBe(columnsOf(path).size + 1)
  },
)
