import { execFile } from 'node:child_process'
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import Sqlite from 'better-sqlite3'
import { afterEach, expect, it } from 'vitest'
import { ZenmlError } from '../../src/base/errors.ts'
import { openDatabase } from '../../src/metadata/open.ts'
import { runRecords } from '../../src/metadata/run-records.ts'
import { select, selectOne } from '../../src/metadata/sql/work.ts'

const golden = fileURLToPath(new URL('../../../../../shared/mlmd/samples/golden_v10_allvalues.sqlite', import.meta.url))
const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})
function place(): string {
  const folder = mkdtempSync(join(tmpdir(), 'zenml-metadata-'))
  folders.push(folder)
  return join(folder, 'metadata.db')
}

it.skipIf(!existsSync(golden))(
  "the tables and indexes are those of Google's library, object by object (skipped without ../shared)",
  async () => {
    const path = place()
    await (await openDatabase({ type: 'sqlite', path }))[Symbol.asyncDispose]()
    const text = 'SELECT type, name, tbl_name, sql FROM sqlite_master ORDER BY type, name'
    const types = 'SELECT id, name, version, type_kind FROM Type WHERE id < 10 ORDER BY id'
    const [ours, theirs] = [new Sqlite(path), new Sqlite(golden, { readonly: true })]
    expect(ours.prepare(text).all()).toEqual(theirs.prepare(text).all())
    expect(ours.prepare(types).all()).toEqual(theirs.prepare(types).all())
    ours.close()
    theirs.close()
  },
)

it.skipIf(!existsSync(golden))("a database that Google's library wrote opens (skipped without ../shared)", async () => {
  const path = place()
  copyFileSync(golden, path)
  await using store = await openDatabase({ type: 'sqlite', path })
  const counted = await store.read(() => selectOne<{ number: number }>('SELECT COUNT(*) AS number FROM Artifact'))
  expect(counted!.number).toBeGreaterThan(0)
})

it.each([
  ['a newer schema', 'UPDATE MLMDEnv SET schema_version = 11', 'ZEN_METADATA_NEWER'],
  ['an older schema', 'UPDATE MLMDEnv SET schema_version = 8', 'ZEN_METADATA_OLDER'],
  ['a missing table', 'DROP TABLE Event', 'ZEN_METADATA_DAMAGED'],
  ['a missing column', 'ALTER TABLE EventPath DROP COLUMN step_key', 'ZEN_METADATA_DAMAGED'],
  ['a renamed column', 'ALTER TABLE Artifact RENAME COLUMN state TO status', 'ZEN_METADATA_DAMAGED'],
  ['two versions', 'INSERT INTO MLMDEnv VALUES (9)', 'ZEN_METADATA_DAMAGED'],
])('%s is refused and the file stays untouched', async (_name, change, code) => {
  const path = place()
  await (await openDatabase({ type: 'sqlite', path }))[Symbol.asyncDispose]()
  const database = new Sqlite(path)
  database.exec(change)
  database.pragma('wal_checkpoint(TRUNCATE)')
  database.close()
  const before = readFileSync(path)
  await expect(openDatabase({ type: 'sqlite', path })).rejects.toMatchObject({ code })
  expect(readFileSync(path).equals(before)).toBe(true)
})

it.each([
  ['a column that somebody added is left alone', "ALTER TABLE Context ADD COLUMN extra TEXT DEFAULT 'x'"],
  ['a simple type that is missing is added', "DELETE FROM Type WHERE name = 'mlmd.Train'"],
])('%s', async (_name, change) => {
  const path = place()
  await (await openDatabase({ type: 'sqlite', path }))[Symbol.asyncDispose]()
  const database = new Sqlite(path)
  database.exec(change)
  database.close()
  await using store = await openDatabase({ type: 'sqlite', path })
  const types = await store.read(() => select("SELECT type_kind FROM Type WHERE name = 'mlmd.Train'"))
  expect(types).toEqual([{ type_kind: 0 }])
})

it('a file that is no database is refused', async () => {
  const path = place()
  writeFileSync(path, 'this is certainly no database, but it is long enough to look at')
  await expect(openDatabase({ type: 'sqlite', path })).rejects.toBeInstanceOf(ZenmlError)
})

it('four processes that open and write the same new file at once lose nothing', async () => {
  const path = place()
  const { build } = await import('esbuild')
  const script = join(path, '..', 'writer.mjs')
  const modules = fileURLToPath(new URL('../../../../node_modules', import.meta.url))
  await build({
    stdin: {
      contents: `import { openDatabase } from ${JSON.stringify(fileURLToPath(new URL('../../src/metadata/open.ts', import.meta.url)))}
import { runRecords } from ${JSON.stringify(fileURLToPath(new URL('../../src/metadata/run-records.ts', import.meta.url)))}
const store = await openDatabase({ type: 'sqlite', path: process.argv[2] })
const records = runRecords(store)
for (let index = 0; index < 10; index++) {
  await records.startRun({ id: process.argv[3] + index, pipeline: 'p', seed: 0, startedAt: index, code: {}, spec: {}, environment: {}, steps: [{ name: 's', source: 'x' }], process: {} })
}
await store[Symbol.asyncDispose]()`,
      resolveDir: '/',
    },
    bundle: true,
    platform: 'node',
    format: 'esm',
    target: 'node20',
    outfile: script,
    alias: { 'better-sqlite3': join(modules, 'better-sqlite3/lib/index.js') },
    external: [join(modules, 'better-sqlite3/lib/index.js')],
  })
  const ends = await Promise.all(
    ['a', 'b', 'c', 'd'].map(
      (name) =>
        new Promise<string>((resolve) =>
          execFile(process.execPath, [script, path, name], (_error, _stdout, stderr) => resolve(stderr)),
        ),
    ),
  )
  expect(ends).toEqual(['', '', '', ''])
  await using store = await openDatabase({ type: 'sqlite', path })
  expect(await runRecords(store).listRuns({ limit: 100 })).toHaveLength(40)
  const text = `SELECT COUNT(*) AS number FROM Type WHERE name IN ('pipeline', 'pipeline_run', 'node')`
  expect(await store.read(() => selectOne(text))).toEqual({ number: 3 })
})
