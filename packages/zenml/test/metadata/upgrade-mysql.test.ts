import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { expect, it } from 'vitest'
import { metadataService } from '../../src/metadata/api/service.ts'
import { openDatabase } from '../../src/metadata/open.ts'
import { upgradeMysql } from '../../src/metadata/upgrade/upgrade-mysql.ts'
import { messageFromJson } from '../../src/metadata/wire/from-json.ts'
import { rpcs } from '../../src/metadata/wire/rpcs.ts'
import { messageToJson } from '../../src/metadata/wire/to-json.ts'
import { administer, freshDatabase, isRunning } from '../support/databases.ts'
import { hasFacts } from '../support/golden.ts'
import { goldenShapes, rowsOf, shapesOf } from '../support/mysql-shapes.ts'
import { backupsOf, droppingBackups, fillOlder, olderStatements } from '../support/older-mysql.ts'
import { questionsOf, sampleFiles, samples, versionOf } from '../support/samples.ts'

const missing = !hasFacts || !isRunning('mysql')
const older = sampleFiles
  .map((file) => [file, versionOf(join(samples, file))] as const)
  .filter(([, version]) => version < 10)
const sampleOf = (version: number): string => older.find(([, one]) => one === Math.min(version, 8))![0]

it.skipIf(missing).for([...older, [older[0] && sampleOf(8), 9] as const])(
  '%s on MariaDB with schema version %s answers after its upgrade as the real core does, and has the tables of a new one (skipped without a server or ../shared)',
  async ([file, version]) => {
    await using database = freshDatabase('mysql')
    await using _backups = droppingBackups(database)
    await fillOlder(database, version, file!)
    const [before, shapes] = [await rowsOf(database), await shapesOf(database)]
    const { location } = database
    await expect(openDatabase(location)).rejects.toMatchObject({
      code: 'ZEN_METADATA_OLDER',
      next: expect.stringContaining('zenml config metadata upgrade mysql'),
    })
    expect(await shapesOf(database)).toEqual(shapes)
    const backup = `${location.database}_zenml_backup_v${version}`
    expect(await upgradeMysql(location)).toEqual({
      place: expect.stringContaining(location.database),
      from: version,
      to: 10,
      versions: [6, 7, 8, 9, 10].filter((one) => one > version),
      backup,
      removed: { events: 0 },
    })
    expect(await shapesOf(database)).toEqual(goldenShapes())
    const after = await rowsOf(database)
    expect({ ...after, Type: after['Type']!.slice(0, before['Type']!.length) }).toEqual(before)
    expect(await rowsOf(database, backup)).toEqual(before)
    expect(await database.sql('SELECT * FROM MLMDEnv')).toEqual([{ schema_version: 10 }])
    // The copy is a database of the older version like any other.
    const copy = {
      ...database,
      location: { ...location, database: backup },
      sql: (text: string) => administer(location, backup, text),
    }
    expect(await shapesOf(copy)).toEqual(shapes)
    expect(await copy.sql('SELECT * FROM MLMDEnv')).toEqual([{ schema_version: version }])
    expect(await upgradeMysql(location)).toMatchObject({ from: 10, versions: [], backup: undefined })
    expect(await backupsOf(database)).toEqual([backup])

    await using opened = await openDatabase(location)
    const service = metadataService(opened)
    for (const { rpc, request, response } of questionsOf(file!)) {
      const types = rpcs.get(rpc)!
      const answer = await service.call(rpc, messageFromJson(types.request, request))
      expect(messageToJson(types.response, answer as never), `${rpc} ${JSON.stringify(request)}`).toEqual(response)
    }
  },
)

it.skipIf(missing)(
  'of two upgrades at once one waits and then has nothing to do (skipped without a server or ../shared)',
  async () => {
    await using database = freshDatabase('mysql')
    await using _backups = droppingBackups(database)
    await fillOlder(database, 5, sampleOf(5))
    const upgrades = await Promise.all([1, 2, 3].map(() => upgradeMysql(database.location)))
    expect(upgrades.map(({ versions }) => versions.length).sort()).toEqual([0, 0, 5])
    expect(await shapesOf(database)).toEqual(goldenShapes())
    expect(await backupsOf(database)).toHaveLength(1)
  },
)

it.skipIf(missing)(
  'of events that were there twice the newest stays with its steps, and ids that were given are not given again (skipped without a server or ../shared)',
  async () => {
    await using database = freshDatabase('mysql')
    await using _backups = droppingBackups(database)
    await fillOlder(database, 7, sampleOf(7))
    const [{ last }] = await database.sql('SELECT MAX(id) AS last FROM Event')
    await database.sql(
      'INSERT INTO Event (artifact_id, execution_id, type) VALUES (900, 900, 3), (900, 900, 3), (900, 900, 4), (901, 901, 3)',
    )
    await database.sql(`INSERT INTO EventPath VALUES (${last + 1}, 0, NULL, 'old'), (${last + 2}, 0, NULL, 'new')`)
    await database.sql('DELETE FROM Event WHERE artifact_id = 901')
    expect(await upgradeMysql(database.location)).toMatchObject({ removed: { events: 1 } })
    expect(await database.sql('SELECT id, type FROM Event WHERE artifact_id = 900 ORDER BY id')).toEqual([
      { id: last + 2, type: 3 },
      { id: last + 3, type: 4 },
    ])
    expect(await database.sql(`SELECT step_key FROM EventPath WHERE event_id > ${last}`)).toEqual([{ step_key: 'new' }])
    await database.sql('INSERT INTO Event (artifact_id, execution_id, type) VALUES (1000, 1, 1)')
    expect(await database.sql('SELECT id FROM Event WHERE artifact_id = 1000')).toEqual([{ id: last + 5 }])
  },
)

it.skipIf(missing).each([
  ['a newer version', 'UPDATE MLMDEnv SET schema_version = 11', 'ZEN_METADATA_NEWER'],
  ['a version before 5', 'UPDATE MLMDEnv SET schema_version = 4', 'ZEN_METADATA_TOO_OLD'],
  ['no version', 'DELETE FROM MLMDEnv', 'ZEN_METADATA_DAMAGED'],
  ['two versions', 'INSERT INTO MLMDEnv VALUES (8)', 'ZEN_METADATA_DAMAGED'],
  ['no table of versions', 'DROP TABLE MLMDEnv', 'ZEN_METADATA_DAMAGED'],
  ['a missing table', 'DROP TABLE Attribution', 'ZEN_METADATA_DAMAGED'],
])('%s is refused untouched (skipped without a server or ../shared)', async (_what, statement, code) => {
  await using database = freshDatabase('mysql')
  await using _backups = droppingBackups(database)
  await fillOlder(database, 6, sampleOf(6))
  await database.sql(statement)
  const shapes = await shapesOf(database)
  await expect(upgradeMysql(database.location)).rejects.toMatchObject({ code })
  expect(await shapesOf(database)).toEqual(shapes)
  expect(await backupsOf(database)).toEqual([])
})

it.skipIf(missing)(
  'a user who may not make the copy is told so and nothing changes, and one who has a copy says that (skipped without a server or ../shared)',
  async () => {
    await using database = freshDatabase('mysql')
    await using _backups = droppingBackups(database)
    const { location } = database
    await fillOlder(database, 8, sampleOf(8))
    const shapes = await shapesOf(database)
    const user = `u${location.database.slice(-12)}`
    await administer(location, undefined, `CREATE USER '${user}'@'%' IDENTIFIED BY 'a-password'`)
    try {
      await administer(location, undefined, `GRANT ALL ON \`${location.database}\`.* TO '${user}'@'%'`)
      const theirs = { ...location, user, password: 'a-password' }
      await expect(upgradeMysql(theirs)).rejects.toMatchObject({
        code: 'ZEN_METADATA_BACKUP',
        next: expect.stringMatching(/GRANT .*_zenml_backup_v8.*--skip-backup; nothing has changed/),
      })
      expect(await shapesOf(database)).toEqual(shapes)
      // A database that an administrator made for it is used.
      const backup = `${location.database}_zenml_backup_v8`
      await administer(location, undefined, `CREATE DATABASE ${backup}`)
      await administer(location, undefined, `GRANT CREATE, DROP, SELECT, INSERT ON \`${backup}\`.* TO '${user}'@'%'`)
      expect(await upgradeMysql(theirs)).toMatchObject({ versions: [9, 10], backup })
      await database.sql('DROP TABLE MLMDEnv')
      await database.sql('CREATE TABLE MLMDEnv (schema_version INTEGER PRIMARY KEY)')
      await database.sql('INSERT INTO MLMDEnv VALUES (9)')
      expect(await upgradeMysql(theirs, { skipBackup: true })).toMatchObject({ versions: [10], backup: undefined })
      expect(await backupsOf(database)).toEqual([backup])
    } finally {
      await administer(location, undefined, `DROP USER '${user}'@'%'`)
    }
  },
)

it.skipIf(missing)(
  'a copy is never written over, and what a killed process left of one is filled (skipped without a server or ../shared)',
  async () => {
    await using database = freshDatabase('mysql')
    await using _backups = droppingBackups(database)
    const { location } = database
    await fillOlder(database, 5, sampleOf(5))
    const [name, second] = ['', '_2'].map((end) => `${location.database}_zenml_backup_v5${end}`)
    await administer(location, undefined, `CREATE DATABASE ${name}`)
    await administer(location, name, 'CREATE TABLE Theirs (a INT)')
    await administer(location, undefined, `CREATE DATABASE ${second}`)
    for (const statement of olderStatements(5).slice(0, 4)) await administer(location, second, statement)
    const before = await rowsOf(database)
    expect(await upgradeMysql(location)).toMatchObject({ backup: second })
    expect(await rowsOf(database, second)).toEqual(before)
    expect(await administer(location, name, 'SHOW TABLES')).toHaveLength(1)
  },
)

it.skipIf(missing)(
  'a change that fails is named, opening says that the upgrade has not ended, and the next upgrade ends it (skipped without a server or ../shared)',
  async () => {
    await using database = freshDatabase('mysql')
    await using _backups = droppingBackups(database)
    const { location } = database
    await fillOlder(database, 6, sampleOf(6))
    // A key of the same name on other columns is in the way of one that version 9 brings.
    await database.sql('ALTER TABLE Context ADD INDEX external_id (name)')
    const backup = `${location.database}_zenml_backup_v6`
    await expect(upgradeMysql(location)).rejects.toMatchObject({
      code: 'ZEN_METADATA_UPGRADE',
      message: expect.stringContaining('external_id'),
      facts: { database: location.database, backup },
      next: expect.stringContaining('goes on from there'),
    })
    await expect(openDatabase(location)).rejects.toMatchObject({
      code: 'ZEN_METADATA_OLDER',
      next: expect.stringMatching(/upgrade was begun and has not ended.*zenml config metadata upgrade/),
    })
    await database.sql('ALTER TABLE Context DROP INDEX external_id')
    expect(await upgradeMysql(location)).toMatchObject({ from: 6, versions: [7, 8, 9, 10], backup })
    expect(await shapesOf(database)).toEqual(goldenShapes())
  },
)

it.skipIf(missing)(
  'a connection that is cut in the middle ends the upgrade with what to do, and the next one goes on (skipped without a server or ../shared)',
  async () => {
    await using database = freshDatabase('mysql')
    await using _backups = droppingBackups(database)
    const { location } = database
    await fillOlder(database, 5, sampleOf(5))
    const before = await rowsOf(database)
    let cuts = 0
    for (let delay = 20; ; delay += 60) {
      const upgrade = upgradeMysql(location).then(
        (done) => done,
        (error: unknown) => error as { code: string },
      )
      await wait(delay)
      const others = await administer(
        location,
        undefined,
        'SELECT id FROM information_schema.processlist WHERE db = ?',
        [location.database],
      )
      for (const { id } of others) await administer(location, undefined, `KILL ${id}`).catch(() => [])
      const outcome = await upgrade
      if (!('code' in outcome)) break
      expect(outcome).toMatchObject({ code: 'ZEN_METADATA_CONNECTION' })
      cuts++
    }
    expect(cuts).toBeGreaterThan(2)
    expect(await shapesOf(database)).toEqual(goldenShapes())
    expect(await rowsOf(database, `${location.database}_zenml_backup_v5`)).toEqual(before)
  },
)
