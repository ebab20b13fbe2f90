import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { seededRandom } from '../../src/base/random.ts'
import { type TestProject, testProject } from '../support/project.ts'
import { numbersPipeline } from '../support/steps.ts'

/** How often a run is killed; the benchmark of the issue asks for 50, which `.ci/run` sets. */
const kills = Number(process.env['ZENML_KILLS'] ?? 8)

let project: TestProject
beforeAll(() => {
  project = testProject()
  project.write(numbersPipeline)
  project.commit()
})
afterAll(() => project[Symbol.dispose]())

it(`a run that is killed at a random point ${kills} times leaves a whole store, and the next run completes`, {
  timeout: 600_000,
}, async () => {
  // Random points of one run: from before the project is open until after it has ended.
  const random = seededRandom('kill points')
  const started = performance.now()
  expect((await project.json('pipeline', 'run', 'pipeline.yaml', '--no-cache')).status).toBe('complete')
  const whole = performance.now() - started
  for (let kill = 0; kill < kills; kill++) {
    // Each time another parameter: every step has work to do, so that there is something to break.
    const child = project.start('pipeline', 'run', 'pipeline.yaml', '--param', `make.count=${kill + 10}`)
    // Listened for from the start: the run may have ended before it is killed.
    const closed = new Promise((resolve) => child.once('close', resolve))
    child.stdout?.resume()
    child.stderr?.resume()
    await new Promise((resolve) => setTimeout(resolve, random.next() * whole * 1.2))
    child.kill('SIGKILL')
    await closed
    expectWholeBlobs(project)
    const next = await project.json('pipeline', 'run', 'pipeline.yaml', '--param', `make.count=${kill + 10}`)
    expect(next.status).toBe('complete')
    expect(next.steps.at(-1).metrics.total).toBe((kill + 10) * (kill + 9))
  }
  const { runs } = await project.json('pipeline', 'runs', '--limit', '1000')
  expect(runs.filter(({ status }: { status: string }) => status === 'running')).toEqual([])
  expect(readdirSync(join(project.root, '.zenml/tmp'))).toEqual([])
})

/** Every blob that can be seen has the content that its name says. */
function expectWholeBlobs({ root }: TestProject): void {
  const blobs = join(root, '.zenml/artifacts/blobs')
  if (!existsSync(blobs)) return
  for (const entry of readdirSync(blobs, { withFileTypes: true, recursive: true })) {
    if (!entry.isFile()) continue
    const path = join(entry.parentPath, entry.name)
    const digest = createHash('sha256').update(readFileSync(path)).digest('hex')
    expect(join(blobs, digest.slice(0, 2), digest.slice(2))).toBe(path)
  }
}
