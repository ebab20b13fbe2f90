import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { recreateNode } from '../../src/environment/recreate-node.ts'
import { type TestProject, testEnvironment, testProject } from '../support/project.ts'

const steps = `
import { step } from 'zenml'
import { JsonArtifact } from 'zenml/formats'
export const same = step({ name: 'same', outputs: { value: JsonArtifact }, run: () => ({ value: 1 }) })
export const version = step({ name: 'version', outputs: { value: JsonArtifact }, run: () => ({ value: process.version }) })
`
const pipeline = `version: 1
pipeline: versions
steps:
  same: { source: "steps/versions.ts#same" }
  version: { source: "steps/versions.ts#version" }
`

it('a run on another Node: explain names both, verify takes that Node, and without it says of each step whether its bits moved', async () => {
  using project = testProject()
  project.write({ 'steps/versions.ts': steps, 'pipeline.yaml': pipeline })
  project.commit()
  const here = process.versions.node
  const there = here === '22.23.3' ? '22.22.3' : '22.23.3'
  const found = await recreateNode({ version: there, cacheDirectory: project.cache })
  if (found.kind !== 'found') throw new Error(JSON.stringify(found))
  await project.json('pipeline', 'run', 'pipeline.yaml')
  const run = runOn(project, found.path)

  const explained = await project.zenml('pipeline', 'explain', run, 'same')
  expect(explained.stdout).toContain(`Node changed from ${here} to ${there}`)

  const verified = await project.json('pipeline', 'verify', run)
  expect(verified.verdict).toBe('reproduced')
  expect(verified.notes.join()).not.toContain('Node')
  expect(verified.environment.node).toBe(there)

  // Nothing can be had: no Node in the cache, and nobody answers.
  const empty = mkdtempSync(join(tmpdir(), 'zenml-empty-'))
  try {
    const { code, stdout } = await project.zenmlWith(
      { ZENML_CACHE_DIR: empty, npm_config_registry: 'http://127.0.0.1:9/', npm_config_fetch_retries: '0' },
      'pipeline',
      'verify',
      run,
      '--json',
    )
    const document = JSON.parse(stdout)
    expect(code).toBe(3)
    expect(document.notes.join()).toContain(`Node ${there} could not be had`)
    const [same, version] = document.steps
    const change = { field: 'environment', path: 'node', before: there, after: here }
    expect(same).toMatchObject({ verdict: 'reproduced', differences: [change] })
    expect(version).toMatchObject({ verdict: 'differs', cause: { kind: 'environment', changes: [change] } })
    expect(version.cause.message).toContain(`node ${there} → ${here}`)
  } finally {
    rmSync(empty, { recursive: true, force: true })
  }
})

/** Executes every step by another Node, through the library. */
function runOn(project: TestProject, node: string): string {
  project.write({
    'run-on.mjs': `import { loadPipeline, openProject, pinCode, runPipeline } from 'zenml/project'
const project = await openProject(process.cwd(), { node: ${JSON.stringify(node)} })
const { spec } = await loadPipeline(project, 'pipeline.yaml', process.cwd())
console.log((await runPipeline(project.workspace, spec, pinCode(project.root))).run)
await project[Symbol.asyncDispose]()
`,
  })
  const run = execFileSync(process.execPath, ['run-on.mjs'], {
    cwd: project.root,
    env: testEnvironment,
    encoding: 'utf8',
  })
  return run.trim()
}
