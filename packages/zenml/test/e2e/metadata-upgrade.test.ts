import { chmodSync, copyFileSync, existsSync, realpathSync } from 'node:fs'
import { basename, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { freshDatabase, isRunning } from '../support/databases.ts'
import { droppingBackups, fillOlder } from '../support/older-mysql.ts'
import { testProject } from '../support/project.ts'

const sample = fileURLToPath(
  new URL(
    '../../../../../shared/mlmd/samples/ksuchoi216_tfx_tutorial__metadata_penguin-simple_metadata.db',
    import.meta.url,
  ),
)

it.skipIf(!existsSync(sample))(
  'a project takes over a database of an older TFX: it is refused with the command to run, upgraded, and then taken (skipped without ../shared)',
  async () => {
    using project = testProject()
    const path = join(realpathSync(project.root), 'tfx.db')
    copyFileSync(sample, path)
    chmodSync(path, 0o666)
    project.give(path)
    const refused = await project.zenml('config', 'metadata', 'set', 'sqlite', '--uri=tfx.db')
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain('ZEN_METADATA_OLDER')
    expect(refused.stderr).toContain('zenml config metadata upgrade --uri=')

    const upgraded = await project.zenml('config', 'metadata', 'upgrade', '--uri=tfx.db')
    expect(upgraded).toMatchObject({ code: 0, stderr: '' })
    expect(upgraded.stdout).toContain('tfx.db was upgraded from schema version 8 to 10 (9, 10).')
    expect(upgraded.stdout).toContain('tfx.db.v8.backup')
    expect(existsSync(`${path}.v8.backup`)).toBe(true)

    expect(await project.json('config', 'metadata', 'upgrade', '--uri=tfx.db')).toMatchObject({
      versions: [],
      backup: null,
    })
    expect((await project.zenml('config', 'metadata', 'set', 'sqlite', '--uri=tfx.db')).code).toBe(0)
    expect((await project.zenml('config', 'metadata', 'upgrade')).stdout).toContain('nothing to do')
    expect((await project.zenml('config', 'metadata', 'get')).stdout).toBe(`sqlite ${path}\n`)
  },
)

it.skipIf(!existsSync(sample) || !isRunning('mysql'))(
  'a project takes over a database of an older TFX on MariaDB in the same way (skipped without a server or ../shared)',
  async () => {
    using project = testProject()
    await using fresh = freshDatabase('mysql')
    await using _backups = droppingBackups(fresh)
    await fillOlder(fresh, 8, basename(sample))
    const { host, port, user, password, database } = fresh.location
    const place = ['mysql', `--host=${host}`, `--port=${port}`, `--username=${user}`, `--database=${database}`]
    const secret = `--password=${password}`
    const refused = await project.zenml('config', 'metadata', 'set', ...place, secret)
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain('ZEN_METADATA_OLDER')
    expect(refused.stderr).toContain('zenml config metadata upgrade mysql')

    const upgraded = await project.zenml('config', 'metadata', 'upgrade', ...place, secret)
    expect(upgraded).toMatchObject({ code: 0, stderr: '' })
    expect(upgraded.stdout).toContain(
      `"${database}" at ${host}:${port} was upgraded from schema version 8 to 10 (9, 10).`,
    )
    expect(upgraded.stdout).toContain(`What it was before is in ${database}_zenml_backup_v8.`)
    expect(upgraded.stdout).not.toContain(password)
    expect(await project.json('config', 'metadata', 'upgrade', ...place, secret)).toMatchObject({
      from: 10,
      versions: [],
      backup: null,
    })
    expect((await project.zenml('config', 'metadata', 'set', ...place, secret)).code).toBe(0)
    expect((await project.zenml('config', 'metadata', 'upgrade')).stdout).toContain('nothing to do')

    // What the project is configured for is upgraded with its password from the credentials file.
    await fresh.sql('UPDATE MLMDEnv SET schema_version = 9')
    expect(await project.json('config', 'metadata', 'upgrade', '--skip-backup')).toMatchObject({
      from: 9,
      versions: [10],
      backup: null,
    })
  },
)

it.each([
  [['postgres', '--username=nobody'], 'ZEN_METADATA_SERVER', 'began with schema version 10'],
  [['oracle'], 'ZEN_USAGE', 'not in "oracle"'],
  [['mysql', '--uri=a.db'], 'ZEN_USAGE', '--uri says nothing about mysql'],
  [['--host=a'], 'ZEN_USAGE', '--host says nothing about'],
  [['sqlite'], 'ZEN_USAGE', 'Add --uri=PATH'],
  [['--skip-backup'], 'ZEN_USAGE', 'always copied first'],
])('upgrading with %j is refused as %s', async (args, code, words) => {
  using project = testProject({ ownFile: true })
  const { code: exit, stderr } = await project.zenml('config', 'metadata', 'upgrade', ...args)
  expect(exit).toBe(2)
  expect(stderr).toContain(code)
  expect(stderr).toContain(words)
})
