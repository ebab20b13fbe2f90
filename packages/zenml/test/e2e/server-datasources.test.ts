import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { administer, freshDatabase, isRunning } from '../support/databases.ts'
import { testProject } from '../support/project.ts'
import { startServer } from '../support/servers.ts'

function config(source: string, version?: string): string {
  const pinned = version === undefined ? '' : `, version: "${version}"`
  return `version: 1
pipeline: people
datasources:
  people: { ${source}${pinned} }
steps:
  snapshot: { source: "zenml/steps#snapshot", inputs: { source: datasources.people } }
`
}

// biome-ignore lint/suspicious/noExplicitAny: documents are read into freely
const snapshotOf = (run: any) => run.steps[0].outputs.examples.digest

describe.each(['mysql', 'postgres'] as const)('a datasource of a %s server', { timeout: 300_000 }, (type) => {
  test.skipIf(!isRunning(type))(
    'is committed, used and verified without the server, its password is kept nowhere, and what fails leaves nothing',
    async () => {
      await using server = await startServer(type)
      const database = freshDatabase(type, server)
      const { host, port, user, password, database: name } = database.location
      await administer(database.location, undefined, `CREATE DATABASE ${name}`)
      await database.sql('CREATE TABLE people (id int PRIMARY KEY, name varchar(20), updated_at timestamp NULL)')
      await database.sql("INSERT INTO people VALUES (2, 'bob', '2024-01-02'), (1, 'ada', '2024-01-01')")
      using project = testProject()
      const access = `type: ${type}, host: ${host}, port: ${port}, database: ${name}, username: ${user}, password: "\${env:DB_PASSWORD}"`
      const source = `${access}, table: people, versionColumn: updated_at`
      project.write({ 'people.yaml': config(source), 'latest.yaml': config(source, 'latest') })
      project.commit()
      const run = async (...args: string[]) => {
        const { stdout, stderr } = await project.zenmlWith({ DB_PASSWORD: password }, ...args, '--json')
        expect(`${stdout}${stderr}`).not.toContain(password)
        return JSON.parse(stdout)
      }
      const first = await run('pipeline', 'run', 'people.yaml')
      expect(first.steps[0].outputs.examples.properties).toMatchObject({
        rows: 2,
        features: { id: 'int', name: 'bytes', updated_at: 'int' },
      })
      expect(first.datasources.people.staged).toBe(snapshotOf(first))
      const commit = await run('datasource', 'commit', 'people', 'people.yaml')
      expect(commit).toMatchObject({ digest: snapshotOf(first), reused: true })
      await database.sql("INSERT INTO people VALUES (3, 'eve', '2024-01-03')")
      expect(snapshotOf(await run('pipeline', 'run', 'latest.yaml'))).toBe(commit.digest)
      expect(await run('datasource', 'commit', 'people', 'people.yaml')).toMatchObject({ rows: 3, unchanged: false })

      const wrong = await project.zenmlWith({ DB_PASSWORD: 'wrong-one' }, 'datasource', 'commit', 'people', '--json')
      expect(JSON.parse(wrong.stdout).error.code).toBe('ZEN_SOURCE_DENIED')
      expect(`${wrong.stdout}${wrong.stderr}`).not.toContain('wrong-one')

      await server.kill()
      expect((await run('pipeline', 'run', 'people.yaml')).error.code).toBe('ZEN_SOURCE_CONNECT')
      expect(await run('pipeline', 'verify', first.run)).toMatchObject({ verdict: 'reproduced' })
      expect((await run('pipeline', 'run', 'latest.yaml')).steps[0].outputs.examples.properties.rows).toBe(3)

      for (const file of readdirSync(project.root, { recursive: true, encoding: 'utf8', withFileTypes: true }))
        if (file.isFile())
          expect(readFileSync(join(file.parentPath, file.name)).includes(password), file.name).toBe(false)
      expect(readdirSync(join(project.root, '.zenml/tmp'))).toEqual([])
    },
  )
})

test('a password that stands in clear is refused and not shown', { timeout: 60_000 }, async () => {
  using project = testProject()
  project.write({
    'people.yaml': config('type: postgres, database: d, username: u, password: hunter2-secret, table: people'),
  })
  const { stdout, stderr, code } = await project.zenml('pipeline', 'run', 'people.yaml')
  expect(code).toBe(2)
  expect(stderr).toContain('the password stands in clear')
  expect(`${stdout}${stderr}`).not.toContain('hunter2')
})
