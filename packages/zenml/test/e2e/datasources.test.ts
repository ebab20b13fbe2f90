import { mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { describe, expect, test } from 'vitest'
import { type TestProject, testProject } from '../support/project.ts'

const csv = 'id,name\n1,ada\n2,bob\n3,eve\n'

function config(source: string, version?: string): string {
  const pinned = version === undefined ? '' : `, version: "${version}"`
  return `version: 1
pipeline: people
datasources:
  people: { ${source}${pinned} }
steps:
  snapshot: { source: "zenml/steps#snapshot", inputs: { source: datasources.people } }
  statistics: { source: "zenml/steps#statistics", inputs: { examples: snapshot.examples } }
`
}

// biome-ignore lint/suspicious/noExplicitAny: documents are read into freely
const outcomes = (run: any) => Object.fromEntries(run.steps.map((step: any) => [step.name, step.outcome]))
// biome-ignore lint/suspicious/noExplicitAny: documents are read into freely
const snapshotOf = (run: any) => run.steps[0].outputs.examples.digest

function withDatabase(project: TestProject): Sqlite.Database {
  mkdirSync(join(project.root, 'data'), { recursive: true })
  const database = new Sqlite(join(project.root, 'data/people.db'))
  database.exec(`PRAGMA journal_mode = WAL;
    CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT, updated_at INTEGER);
    INSERT INTO people VALUES (1, 'ada', 10), (2, 'bob', 20), (3, 'eve', 30);`)
  return database
}

const sqlite = 'type: sqlite, path: data/people.db, table: people'

describe('a commit of a datasource', { timeout: 120_000 }, () => {
  test('is what pipelines use that name the latest, its id or its digest, also when the file is gone', async () => {
    using project = testProject()
    project.write({
      'data/people.csv': csv,
      // In whichever order the keys stand, the same is declared.
      'latest.yaml': config('options: { header: true, encoding: utf-8 }, path: data/people.csv', 'latest'),
      'now.yaml': config('path: data/people.csv, options: { encoding: utf-8, header: true }'),
    })
    project.commit()
    const none = await project.json('pipeline', 'run', 'latest.yaml')
    expect(none.error).toMatchObject({ code: 'ZEN_COMMIT_UNKNOWN' })

    const first = await project.json('datasource', 'commit', 'people', 'now.yaml')
    expect(first).toMatchObject({
      datasource: 'people',
      rows: 3,
      unchanged: false,
      sameAs: null,
      reused: false,
      features: { id: 'int', name: 'bytes' },
    })
    const again = await project.json('datasource', 'commit', 'people')
    expect(again).toMatchObject({ digest: first.digest, unchanged: true, sameAs: first.commit, reused: true })
    expect((await project.zenml('datasource', 'commit', 'people')).stdout).toContain(
      `unchanged since commit ${again.commit}: its snapshot is reused`,
    )

    project.write({ 'data/people.csv': `${csv}4,mia\n` })
    const second = await project.json('datasource', 'commit', 'people')
    expect(second).toMatchObject({ rows: 4, unchanged: false, sameAs: null, reused: false })
    const { commits } = await project.json('datasource', 'commits', 'people')
    expect(commits.map((commit: { rows: number }) => commit.rows)).toEqual([4, 3, 3, 3])

    rmSync(join(project.root, 'data/people.csv'))
    const latest = await project.json('pipeline', 'run', 'latest.yaml')
    expect(outcomes(latest)).toEqual({ snapshot: 'reused', statistics: 'executed' })
    expect(snapshotOf(latest)).toBe(second.digest)
    expect(latest.datasources.people).toMatchObject({ commit: second.commit, snapshot: second.digest, staged: null })
    expect((await project.json('pipeline', 'status', latest.run)).datasources).toEqual(latest.datasources)

    project.write({
      'id.yaml': config('path: data/people.csv', first.commit),
      'digest.yaml': config('path: data/people.csv', first.digest),
    })
    for (const file of ['id.yaml', 'digest.yaml']) {
      const dry = await project.json('pipeline', 'run', file, '--dry-run')
      expect(dry.steps[0]).toMatchObject({ name: 'snapshot', prediction: 'reuse' })
      const run = await project.json('pipeline', 'run', file, '--no-cache')
      expect(snapshotOf(run)).toBe(first.digest)
      expect(run.datasources.people).toMatchObject({ commit: first.commit, snapshot: first.digest })
      expect(outcomes(run)).toEqual({ snapshot: 'reused', statistics: 'executed' })
    }
    expect((await project.json('pipeline', 'run', 'now.yaml')).error.code).toBe('ZEN_SOURCE_MISSING')

    const rerun = await project.json('pipeline', 'rerun', latest.run)
    expect(snapshotOf(rerun)).toBe(second.digest)
    expect(rerun.datasources.people.commit).toBe(second.commit)
    const verified = await project.json('pipeline', 'verify', latest.run, '--step', 'statistics')
    expect(verified.verdict).toBe('reproduced')

    const explained = await project.json('pipeline', 'explain', latest.run)
    expect(explained.steps.map((step: { name: string }) => step.name)).toEqual(['snapshot', 'statistics'])
    const pinned = await project.json('pipeline', 'run', 'id.yaml')
    const against = await project.zenml('pipeline', 'explain', pinned.run, 'snapshot', '--against', latest.run)
    expect(against.stdout).toContain(
      `datasource people is used as of commit ${first.commit} instead of ${second.commit}`,
    )
    const { datasources } = await project.json('datasource', 'list')
    expect(datasources[0]).toMatchObject({ name: 'people', pipelines: ['people'] })
    expect(datasources[0].snapshots.map((snapshot: { commit: string }) => snapshot.commit)).toContain(second.commit)
  })

  test('of a configuration printed of a run is what that run is made again from', async () => {
    using project = testProject()
    withDatabase(project).close()
    project.write({ 'people.yaml': config(sqlite) })
    project.commit()
    const run = await project.json('pipeline', 'run', 'people.yaml')
    const printed = (await project.zenml('pipeline', 'config', run.run)).stdout
    expect(printed).toContain('type: sqlite\n    path: data/people.db\n    table: people\n')
    project.write({ 'printed.yaml': printed })
    rmSync(join(project.root, 'data'), { recursive: true })
    for (const what of [run.run, 'printed.yaml']) {
      const verified = await project.json('pipeline', 'verify', what)
      expect(verified).toMatchObject({
        verdict: 'reproduced',
        notes: [expect.stringContaining('no package-lock.json')],
      })
      const rerun = await project.json('pipeline', 'rerun', what)
      expect(outcomes(rerun)).toEqual({ snapshot: 'executed', statistics: 'executed' })
      expect(snapshotOf(rerun)).toBe(snapshotOf(run))
    }
  })
})

describe('a datasource behind HTTP', { timeout: 120_000 }, () => {
  test('is fetched with a secret that is kept nowhere, not again while it is unchanged, and made again without the server', async () => {
    using project = testProject()
    const requests: string[] = []
    let [body, breaks] = [csv, false]
    const server = createServer((request, response) => {
      requests.push(`${request.headers.authorization} ${request.headers['if-none-match'] ?? ''}`.trim())
      if (request.headers['if-none-match'] === `"${body.length}"`) return response.writeHead(304).end()
      response.writeHead(200, { etag: `"${body.length}"`, 'content-length': body.length })
      if (!breaks) return response.end(body)
      response.write(body.slice(0, 10))
      return setTimeout(() => response.destroy(), 50)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/people.csv`
    const source = `type: http, url: "${url}", headers: { Authorization: "Bearer \${env:TOKEN}" }`
    project.write({
      'people.yaml': config(source),
      'data/people.csv': csv,
      'local.yaml': config('path: data/people.csv'),
    })
    const run = async (...args: string[]) => {
      const { stdout } = await project.zenmlWith({ TOKEN: 'very-secret' }, ...args, '--json')
      return JSON.parse(stdout)
    }
    const first = await run('pipeline', 'run', 'people.yaml')
    expect(first.datasources.people).toMatchObject({ version: '"26"', staged: expect.stringMatching(/^sha256:/) })
    expect(outcomes(await run('pipeline', 'run', 'people.yaml'))).toEqual({ snapshot: 'reused', statistics: 'reused' })
    expect(requests).toEqual(['Bearer very-secret', 'Bearer very-secret "26"'])
    expect(outcomes(await run('pipeline', 'run', 'local.yaml'))).toEqual({ snapshot: 'reused', statistics: 'reused' })

    const files = () =>
      readdirSync(join(project.root, '.zenml'), { recursive: true, encoding: 'utf8', withFileTypes: true })
    for (const file of files())
      if (file.isFile())
        expect(readFileSync(join(file.parentPath, file.name)).includes('very-secret'), file.name).toBe(false)

    body = `${csv}4,mia\n`
    breaks = true
    const before = files().length
    const broken = await run('datasource', 'commit', 'people', 'people.yaml')
    expect(broken.error).toMatchObject({ code: 'ZEN_SOURCE_LOST', message: expect.stringContaining('Run again') })
    expect(files().length).toBe(before)
    breaks = false
    expect(await run('datasource', 'commit', 'people', 'people.yaml')).toMatchObject({ rows: 4, unchanged: false })

    await new Promise((resolve) => server.close(resolve))
    const down = await run('pipeline', 'run', 'people.yaml')
    expect(down.error.code).toBe('ZEN_SOURCE_CONNECT')
    project.write({ 'latest.yaml': config(source, 'latest') })
    const latest = await project.json('pipeline', 'run', 'latest.yaml')
    expect(latest.steps[0].outputs.examples.properties.rows).toBe(4)
    expect(await project.json('pipeline', 'verify', first.run)).toMatchObject({ verdict: 'reproduced' })
    const { stderr } = await project.zenml('pipeline', 'run', 'people.yaml')
    expect(stderr).toContain('ZEN_SOURCE_VARIABLE')
  })

  test('may be declared under several names in one pipeline', async () => {
    using project = testProject()
    const server = createServer((_request, response) => response.writeHead(200, { etag: '"1"' }).end(csv))
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    try {
      const source = `{ type: http, url: "http://127.0.0.1:${(server.address() as AddressInfo).port}/people.csv" }`
      const names = ['a', 'b', 'c', 'd']
      project.write({
        'people.yaml': [
          'version: 1\npipeline: people\ndatasources:',
          ...names.map((name) => `  ${name}: ${source}`),
          'steps:',
          ...names.map(
            (name) => `  ${name}: { source: "zenml/steps#snapshot", inputs: { source: datasources.${name} } }`,
          ),
        ].join('\n'),
      })
      expect(await project.json('pipeline', 'run', 'people.yaml')).toMatchObject({ status: 'complete' })
    } finally {
      server.close()
    }
  })

  test('whose secret stands in clear is refused', async () => {
    using project = testProject()
    project.write({
      'people.yaml': config(
        'type: http, url: "https://ada:pw@example.com/a.csv", headers: { Authorization: "Bearer x" }',
      ),
    })
    const { stderr, code } = await project.zenml('pipeline', 'run', 'people.yaml')
    expect(code).toBe(2)
    expect(stderr).toContain('the URL holds a user or password')
    expect(stderr).toContain('the secret of "Authorization" stands in clear')
  })
})

describe('a SQLite datasource', { timeout: 120_000 }, () => {
  test('is read as one state beside a writer, reused while its rows are the same, and named where they change', async () => {
    using project = testProject()
    const database = withDatabase(project)
    project.write({ 'people.yaml': config(sqlite) })
    project.git('add', 'people.yaml')
    const first = await project.json('pipeline', 'run', 'people.yaml')
    // What was fetched and the snapshot of it are the same files, kept once.
    expect(first.datasources.people.staged).toBe(snapshotOf(first))
    expect(first.steps[0].outputs.examples.properties).toMatchObject({
      rows: 3,
      features: { id: 'int', name: 'bytes', updated_at: 'int' },
    })
    expect(outcomes(await project.json('pipeline', 'run', 'people.yaml'))).toEqual({
      snapshot: 'reused',
      statistics: 'reused',
    })
    database.exec("UPDATE people SET name = 'zoe' WHERE id = 3")
    const changed = await project.json('pipeline', 'run', 'people.yaml')
    expect(outcomes(changed)).toEqual({ snapshot: 'executed', statistics: 'executed' })
    const { stdout } = await project.zenml('pipeline', 'explain', changed.run)
    expect(stdout).toContain('the content of datasource people changed')
    database.close()
  })

  test('with a version column is not read again until its largest value moves', async () => {
    using project = testProject()
    const database = withDatabase(project)
    project.write({ 'people.yaml': config(`${sqlite}, versionColumn: updated_at`) })
    const first = await project.json('datasource', 'commit', 'people', 'people.yaml')
    expect(first.version).toMatch(/^updated_at 30, 3 rows, columns /)
    database.exec("UPDATE people SET name = 'unseen' WHERE id = 1")
    expect(await project.json('datasource', 'commit', 'people')).toMatchObject({
      digest: first.digest,
      unchanged: true,
    })
    database.exec('UPDATE people SET updated_at = 40 WHERE id = 1')
    expect((await project.json('datasource', 'commit', 'people')).digest).not.toBe(first.digest)
    database.close()
  })

  test('that breaks off or does not fit leaves no snapshot, and says with which code why', async () => {
    using project = testProject()
    withDatabase(project).close()
    const artifacts = () => readdirSync(join(project.root, '.zenml/artifacts'), { recursive: true }).length
    const before = artifacts()
    const trial = async (source: string) => {
      project.write({ 'people.yaml': config(source) })
      const { code, stdout } = await project.zenml('datasource', 'commit', 'people', 'people.yaml', '--json')
      return [code, JSON.parse(stdout).error.code]
    }
    expect(await trial(sqlite.replace('table: people', 'table: persons'))).toEqual([1, 'ZEN_SOURCE_QUERY'])
    expect(await trial('type: sqlite, path: data/people.db, query: "SELECT * FROM people"')).toEqual([
      2,
      'ZEN_CONFIG_SOURCE',
    ])
    expect(await trial('type: sqlite, path: data/people.db, query: "SELECT 1 AS a FROM people", key: [a]')).toEqual([
      1,
      'ZEN_SOURCE_KEY',
    ])
    expect(await trial('type: sqlite, path: ../people.db, table: people')).toEqual([2, 'ZEN_SOURCE_MISSING'])
    expect(await trial('type: sqlit, path: data/people.db, table: people')).toEqual([2, 'ZEN_CONFIG_VALUE'])
    const large = new Sqlite(join(project.root, 'data/large.db'))
    large.exec('CREATE TABLE people (id INTEGER PRIMARY KEY, name TEXT)')
    const insert = large.prepare('INSERT INTO people VALUES (?, ?)')
    large.transaction(() => {
      for (let id = 0; id < 20_000; id++) insert.run(id, 'x'.repeat(100))
    })()
    large.close()
    const bytes = readFileSync(join(project.root, 'data/large.db'))
    project.write({ 'data/large.db': bytes.fill(0xff, bytes.length >> 1) })
    expect(await trial('type: sqlite, path: data/large.db, table: people')).toEqual([1, 'ZEN_SOURCE_READ'])
    expect(artifacts()).toBe(before)
    expect(readdirSync(join(project.root, '.zenml/tmp'))).toEqual([])
    expect((await project.json('datasource', 'commits', 'people')).error.code).toBe('ZEN_SOURCE_UNKNOWN')
  })

  test('is declared in TypeScript with the same keys', async () => {
    using project = testProject()
    withDatabase(project).close()
    project.write({
      'people.ts': `import { datasource, pipeline } from 'zenml'
import { snapshot } from 'zenml/steps'
export default pipeline('people', () => {
  snapshot({ source: datasource('people', { type: 'sqlite', path: 'data/people.db', query: 'SELECT id, name FROM people', key: ['id'] }) })
})
`,
      'wrong.ts': `import { datasource, pipeline } from 'zenml'
import { snapshot } from 'zenml/steps'
export default pipeline('people', () => {
  snapshot({ source: datasource('people', { type: 'sqlite', path: 'data/people.db' }) })
})
`,
    })
    const run = await project.json('pipeline', 'run', 'people.ts')
    expect(run.steps[0].outputs.examples.properties).toMatchObject({ rows: 3, features: { id: 'int', name: 'bytes' } })
    expect((await project.json('pipeline', 'run', 'wrong.ts')).error).toMatchObject({ code: 'ZEN_CONFIG_SOURCE' })
    renameSync(join(project.root, 'data'), join(project.root, 'elsewhere'))
    expect((await project.json('pipeline', 'verify', run.run)).verdict).toBe('reproduced')
  })
})
