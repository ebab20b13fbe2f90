import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { packagedConnector } from '../../src/sources/source-package.ts'

let directory: string
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'zenml-source-package-'))
})
afterEach(() => rmSync(directory, { recursive: true }))

function write(files: { readonly [path: string]: string }): void {
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
}

const installedIn = (folder: string) => ({
  [`${folder}/node_modules/@zenml/sums/package.json`]:
    '{ "name": "@zenml/sums", "type": "module", "exports": "./index.js" }',
  [`${folder}/node_modules/@zenml/sums/index.js`]:
    'export const connector = (tools) => ({ kind: "rows", given: Object.keys(tools), place: import.meta.url })\n',
})
const declares = '{ "devDependencies": { "@zenml/sums": "1.0.0" } }'
const load = async (root: string) => await packagedConnector('@zenml/sums', join(directory, root))

describe('the package of a kind of source', () => {
  test('is that of the project, and is given what it needs of zenml', async () => {
    write({ 'project/package.json': declares, ...installedIn('project'), ...installedIn('.') })
    const connector = await load('project')
    expect(connector).toMatchObject({
      kind: 'rows',
      given: expect.arrayContaining(['RowBatches', 'sourceFailure']),
      place: expect.stringContaining('/project/node_modules/@zenml/sums/'),
    })
  })

  test('may be installed where the workspace of the project has its lockfile', async () => {
    write({
      'packages/app/package.json': declares,
      'package-lock.json': '{}',
      '.git/HEAD': 'ref: refs/heads/main\n',
      ...installedIn('.'),
    })
    expect(await load('packages/app')).toMatchObject({ kind: 'rows' })
  })

  test.each(['.git/HEAD', 'package-lock.json'])('is not looked for above %s of the project', async (end) => {
    write({ 'project/package.json': declares, [`project/${end}`]: '', ...installedIn('.') })
    await expect(load('project')).rejects.toMatchObject({
      code: 'ZEN_PACKAGE_MISSING',
      message: expect.stringContaining('is not installed'),
      next: 'Run "npm install @zenml/sums" in the folder of the project.',
    })
  })

  test.each([
    ['of no dependency', '{ "dependencies": {} }'],
    ['of a name that every object has', '{ "dependencies": "@zenml/sums" }'],
  ])('is not loaded where package.json tells %s', async (_what, manifest) => {
    write({ 'project/package.json': manifest, ...installedIn('project') })
    await expect(load('project')).rejects.toMatchObject({
      code: 'ZEN_PACKAGE_MISSING',
      message: expect.stringContaining('is no dependency'),
    })
  })

  test('is not loaded for a project without a package.json, and one that is damaged says so', async () => {
    write(installedIn('project'))
    await expect(load('project')).rejects.toMatchObject({ code: 'ZEN_PACKAGE_MISSING' })
    write({ 'project/package.json': '{ nonsense' })
    await expect(load('project')).rejects.toMatchObject({ code: 'ZEN_PACKAGE_DAMAGED' })
  })
})
