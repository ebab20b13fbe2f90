import { type ChildProcess, spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterAll, expect, it } from 'vitest'
import { openDatabase } from '../../src/metadata/open.ts'
import type { ServerLocation } from '../../src/metadata/sql/location.ts'
import { bundleScript, importOf } from '../support/bundled-script.ts'
import { administer, freshDatabase, isRunning } from '../support/databases.ts'
import { hasFacts } from '../support/golden.ts'
import { goldenShapes, rowsOf, shapesOf } from '../support/mysql-shapes.ts'
import { backupsOf, droppingBackups, fillOlder } from '../support/older-mysql.ts'
import { sampleFiles, samples, versionOf } from '../support/samples.ts'

const missing = !hasFacts || !isRunning('mysql')
const folder = mkdtempSync(join(tmpdir(), 'zenml-upgrade-kill-'))
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it.skipIf(missing)(
  'an upgrade that is killed at whatever point, again and again, is ended by the next with all rows and one whole copy (skipped without a server or ../shared)',
  { timeout: 600_000 },
  async () => {
    const sample = sampleFiles.find((file) => versionOf(join(samples, file)) === 5)!
    const script = await bundleScript(
      folder,
      `${importOf('upgradeMysql', 'metadata/upgrade/upgrade-mysql.ts')}
console.log(JSON.stringify(await upgradeMysql(JSON.parse(process.env.LOCATION))))`,
      ['mysql2'],
    )
    const kills = { copying: 0, changing: 0 }
    let begun = false
    for (let number = 0; kills.copying < 4 || kills.changing < 16; ) {
      await using database = freshDatabase('mysql')
      await using _backups = droppingBackups(database)
      await fillOlder(database, 5, sample)
      const { location } = database
      const before = await rowsOf(database)
      const backup = `${location.database}_zenml_backup_v5`
      let copies = 0
      for (; ; number++) {
        const child: ChildProcess = spawn(process.execPath, [script], {
          env: { LOCATION: JSON.stringify(location) },
          stdio: ['ignore', 'pipe', 'inherit'],
        })
        const ended = once(child, 'exit')
        // Kills hit the work and not the start of Node.
        while (child.exitCode === null && !(await isConnected(location))) await wait(1)
        // Points of the copy and of the changes, each upgrade a few of both.
        await wait(begun ? (number * 37) % 300 : ((number * 161) % 300) + 200 * copies++)
        child.kill('SIGKILL')
        await ended
        // The server ends the statement that it is at.
        while (await isConnected(location)) await wait(5)
        const { length } = await database.sql('SELECT * FROM zenml_upgrade').catch(() => [])
        const [{ schema_version: version }] = await database.sql('SELECT schema_version FROM MLMDEnv')
        if (version === 10) break
        expect(child.signalCode).toBe('SIGKILL')
        begun = length > 0
        kills[begun ? 'changing' : 'copying']++
        expect(version).toBe(5)
        const held = await rowsOf(database)
        expect({ ...held, Type: [] }).toEqual({ ...before, Type: [] })
        await expect(openDatabase(location)).rejects.toMatchObject({ code: 'ZEN_METADATA_OLDER' })
      }
      begun = false
      // One that was killed after the last change left nothing to do.
      await using opened = await openDatabase(location)
      expect(opened.type).toBe('mysql')
      await spawnToEnd(script, location)
      expect(await shapesOf(database)).toEqual(goldenShapes())
      const after = await rowsOf(database)
      expect({ ...after, Type: after['Type']!.slice(0, before['Type']!.length) }).toEqual(before)
      expect(await backupsOf(database)).toEqual([backup])
      expect(await rowsOf(database, backup)).toEqual(before)
      expect(await administer(location, backup, 'SELECT * FROM MLMDEnv')).toEqual([{ schema_version: 5 }])
    }
  },
)

async function isConnected(location: ServerLocation): Promise<boolean> {
  const rows = await administer(location, undefined, 'SELECT 1 FROM information_schema.processlist WHERE db = ?', [
    location.database,
  ])
  return rows.length > 0
}

async function spawnToEnd(script: string, location: ServerLocation): Promise<void> {
  const child = spawn(process.execPath, [script], {
    env: { LOCATION: JSON.stringify(location) },
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  expect(await once(child, 'exit')).toEqual([0, null])
}
