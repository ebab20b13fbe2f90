import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import Database from 'better-sqlite3'
import { expect, it } from 'vitest'
import type { RunEvent } from '../../src/model/events.ts'
import { loadPipeline, openProject, pinCode, runPipeline } from '../../src/public/project.ts'
import { testProject } from '../support/project.ts'

it('a run tells how much of its datasources has come before it starts', { timeout: 120_000 }, async () => {
  using project = testProject()
  const csv = `a,b\n${'1,2\n'.repeat(1000)}`
  const server = createServer((_request, response) => response.end(csv)).listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  try {
    const database = new Database(`${project.root}/data.db`)
    database.exec('CREATE TABLE numbers (id INTEGER PRIMARY KEY, value REAL)')
    database.exec(
      'WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 5000) INSERT INTO numbers SELECT i, i / 2.0 FROM n',
    )
    database.close()
    project.write({
      'pipeline.yaml': `version: 1
pipeline: fetch
datasources:
  numbers: { type: sqlite, path: data.db, table: numbers }
  file: { type: http, url: "http://127.0.0.1:${(server.address() as AddressInfo).port}/data.csv" }
steps:
  numbers: { source: "zenml/steps#snapshot", inputs: { source: datasources.numbers } }
  file: { source: "zenml/steps#snapshot", inputs: { source: datasources.file } }
`,
    })
    project.commit()
    const events: RunEvent[] = []
    await using opened = await openProject(project.root)
    const { spec } = await loadPipeline(opened, 'pipeline.yaml', project.root)
    const { status } = await runPipeline(opened.workspace, spec, pinCode(project.root), {
      onEvent: (event) => events.push(event),
    })
    expect(status).toBe('complete')
    const started = events.findIndex(({ kind }) => kind === 'run-started')
    const told = events.flatMap((event, at) => (event.kind === 'source-progress' && at < started ? [event] : []))
    expect(told.filter(({ datasource }) => datasource === 'numbers').at(-1)).toMatchObject({
      done: 5000,
      total: null,
      unit: 'rows',
    })
    expect(told.filter(({ datasource }) => datasource === 'file').at(-1)).toMatchObject({
      done: csv.length,
      unit: 'bytes',
    })
    expect(events.slice(started).some(({ kind }) => kind === 'source-progress')).toBe(false)
  } finally {
    server.close()
  }
})
