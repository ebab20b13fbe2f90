import { execFileSync } from 'node:child_process'
import { existsSync, readdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { recreateNode } from '../../src/environment/recreate-node.ts'
import { recreatePackages } from '../../src/environment/recreate-packages.ts'
import { folderWith, npm } from './temporary-folder.ts'

it('this Node is the same, and what is no version is unavailable without asking anyone', async () => {
  const cacheDirectory = folderWith()
  expect(await recreateNode({ version: process.versions.node, cacheDirectory })).toEqual({ kind: 'same' })
  for (const version of ['22', 'latest', '^22.0.0', '--help', '22.0.0 || 23.0.0', '22.0.0-rc.1', '../../x'])
    expect([version, await recreateNode({ version, cacheDirectory })]).toMatchObject([version, { kind: 'unavailable' }])
  expect(readdirSync(cacheDirectory)).toEqual([])
})

it('a version that was never released is unavailable with the words of npm, and nothing is left', async () => {
  const cacheDirectory = folderWith()
  const found = await recreateNode({ version: '20.999.0', cacheDirectory })
  expect(found).toMatchObject({ kind: 'unavailable', reason: expect.stringContaining('20.999.0') })
  expect(readdirSync(join(cacheDirectory, 'nodes'))).toEqual([])
})

it('another version is found, runs, comes from the cache afterwards, and loads packages that were made for it', async () => {
  const cacheDirectory = folderWith()
  const version = process.versions.node === '22.23.3' ? '22.22.3' : '22.23.3'
  const found = await recreateNode({ version, cacheDirectory })
  if (found.kind !== 'found') throw new Error(JSON.stringify(found))
  expect(execFileSync(found.path, ['--version'], { encoding: 'utf8' }).trim()).toBe(`v${version}`)
  process.env['npm_config_registry'] = 'http://127.0.0.1:9/'
  expect(await recreateNode({ version, cacheDirectory })).toEqual(found)
  delete process.env['npm_config_registry']

  const root = folderWith({ 'package.json': { name: 'demo', dependencies: { ms: '2.1.3' } } })
  npm(root, 'install', '--package-lock-only')
  expect(await recreatePackages({ root, cacheDirectory, node: found.path })).toMatchObject({ fromCache: false })
  expect(await recreatePackages({ root, cacheDirectory })).toMatchObject({ fromCache: false })
  expect(await recreatePackages({ root, cacheDirectory, node: found.path })).toMatchObject({ fromCache: true })
  expect(existsSync(join(root, 'node_modules/ms/index.js'))).toBe(true)

  // One that no longer says what it is said to be is not believed.
  writeFileSync(found.path, '#!/bin/sh\necho v1.2.3\n')
  const again = await recreateNode({ version, cacheDirectory })
  expect(again).toEqual(found)
  expect(execFileSync(found.path, ['--version'], { encoding: 'utf8' }).trim()).toBe(`v${version}`)
})
