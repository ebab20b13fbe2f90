import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { writeBundle } from '../../src/code/bundle.ts'
import { bundlePipeline, type PipelineBundle } from '../../src/code/bundle-pipeline.ts'
import { installed, sdk, temporaryProject, writeFiles } from './temporary-project.ts'

const files = {
  ...sdk,
  ...installed('@acme/steps', '1.0.0', `import { step } from 'zenml'\nexport const clean = step({ name: 'clean' })`),
  ...installed('heavy', '1.0.0', `console.log('heavy was loaded')`),
  'packages/tools/package.json': '{ "name": "tools", "version": "1.0.0", "exports": { "./steps": "./src/steps.ts" } }',
  'packages/tools/src/steps.ts': `export * from './inner.ts'`,
  'packages/tools/src/inner.ts': `import { step } from 'zenml'\nexport const tool = step({ name: 'tool' })`,
  'pipelines/demo.ts': `
import { clean } from '@acme/steps'
import { tool } from 'tools/steps'
import { split } from 'zenml'
import { train } from '../steps/index.ts'
import evaluate from '../steps/evaluate.ts'
export const used = [clean, tool, split, train, evaluate]
export const hidden = async () => import('heavy')
`,
  'steps/index.ts': `export { train } from './train.ts'`,
  'steps/train.ts': `import { step } from 'zenml'\nexport const train: unknown = step({ name: 'train' })`,
  'steps/evaluate.ts': `import { step } from 'zenml'\nexport default step({ name: 'evaluate' })`,
}

async function project(): Promise<{ readonly root: string; readonly bundle: PipelineBundle }> {
  const root = temporaryProject(files)
  writeFiles(root, { 'node_modules/tools': '-> ../packages/tools' })
  return { root, bundle: await bundlePipeline({ root, file: join(root, 'pipelines/demo.ts') }) }
}

async function run(bundle: PipelineBundle, code: string): Promise<unknown> {
  const directory = mkdtempSync(join(tmpdir(), 'zenml-run-'))
  try {
    await writeBundle(bundle, directory)
    writeFileSync(
      join(directory, 'main.mjs'),
      `import { modules, pipeline } from './step.mjs'\nconsole.log(JSON.stringify(${code}))`,
    )
    return JSON.parse(execFileSync(process.execPath, ['main.mjs'], { cwd: directory, encoding: 'utf8', env: {} }))
  } finally {
    rmSync(directory, { recursive: true })
  }
}

it('every step that a pipeline uses is found by identity: packages first, then the files that define before those that export again', async () => {
  const { bundle } = await project()
  expect(await run(bundle, 'modules.map((m) => m.source)')).toEqual([
    '@acme/steps',
    'tools/steps',
    'zenml',
    'steps/evaluate.ts',
    'steps/train.ts',
    'steps/index.ts',
    'pipelines/demo.ts',
  ])
  const find = `pipeline.used.map((step) => modules.flatMap((m) => Object.keys(m.namespace).filter((name) => m.namespace[name] === step).map((name) => m.source + '#' + name))[0])`
  expect(await run(bundle, find)).toEqual([
    '@acme/steps#clean',
    'tools/steps#tool',
    'zenml#split',
    'steps/train.ts#train',
    'steps/evaluate.ts#default',
  ])
})

it('the bundle of a pipeline is the same in another place', async () => {
  const [{ bundle: here }, { bundle: there }] = [await project(), await project()]
  expect(there.text).toBe(here.text)
  expect(there.digest).toBe(here.digest)
  expect(here.source).toBe('pipelines/demo.ts')
  expect(here.packages.map(({ name }) => name)).toEqual(['@acme/steps', 'heavy', 'zenml'])
})

it('a pipeline outside of the project, or that is no module, is refused', async () => {
  const { root } = await project()
  const outside = temporaryProject({ 'p.ts': 'export {}' })
  await expect(bundlePipeline({ root, file: join(outside, 'p.ts') })).rejects.toMatchObject({
    code: 'ZEN_PIPELINE_OUTSIDE',
  })
  await expect(bundlePipeline({ root, file: join(root, 'package.json') })).rejects.toMatchObject({
    code: 'ZEN_PIPELINE_OUTSIDE',
  })
})

it('a syntax error in a module of a pipeline names its place', async () => {
  const { root } = await project()
  writeFiles(root, { 'steps/evaluate.ts': 'export default (' })
  await expect(bundlePipeline({ root, file: join(root, 'pipelines/demo.ts') })).rejects.toMatchObject({
    code: 'ZEN_CODE_SYNTAX',
    message: expect.stringMatching(/^steps\/evaluate\.ts:1:17: /),
  })
})
