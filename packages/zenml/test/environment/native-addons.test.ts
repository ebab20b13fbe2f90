import { mkdirSync, readdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { sha256 } from '../../src/base/digest.ts'
import { installedClosure, packageClosure } from '../../src/environment/lockfile.ts'
import { addonsOf, nativeAddons } from '../../src/environment/native-addons.ts'
import { folderWith } from './temporary-folder.ts'

const files = {
  'node_modules/native/package.json': { name: 'native', version: '1.2.3', dependencies: { '@team/deep': '1.0.0' } },
  'node_modules/native/build/Release/native.node': 'compiled',
  'node_modules/native/lib/libmath.so.2.1': 'library',
  'node_modules/native/lib/so.js': 'no library',
  'node_modules/native/node_modules/other/other.node': 'not asked for',
  'node_modules/@team/deep/package.json': { name: '@team/deep', version: '1.0.0' },
  'node_modules/@team/deep/deep.node': 'deep',
}
const wanted = {
  '@team/deep@1.0.0:deep.node': sha256('deep'),
  'native@1.2.3:build/Release/native.node': sha256('compiled'),
  'native@1.2.3:lib/libmath.so.2.1': sha256('library'),
}

it('compiled code of the packages that a step reaches is told by the digest of its bytes, without a path of the machine', async () => {
  const root = folderWith(files)
  const packages = [{ name: 'native', directory: join(root, 'node_modules/native') }]
  const { places } = await installedClosure({ root, packages })
  expect(places.map(({ name, version }) => `${name}@${version}`)).toEqual(
    (await packageClosure({ root, packages })).map(({ name, version }) => `${name}@${version}`).reverse(),
  )
  const addons = await nativeAddons({ places })
  expect(addons).toEqual(wanted)
  expect(Object.keys(addons)).toEqual(Object.keys(wanted))
  expect(addonsOf(addons, [{ name: '@team/deep', version: '1.0.0' }])).toEqual({
    '@team/deep@1.0.0:deep.node': sha256('deep'),
  })
  expect(await nativeAddons({ places: [] })).toEqual({})
})

it('a kept answer ends when a compiled file is changed, replaced, added or removed, and when it is damaged', async () => {
  const root = folderWith(files)
  const cacheDirectory = folderWith()
  const packages = [{ name: 'native', directory: join(root, 'node_modules/native') }]
  const ask = async (): Promise<object> =>
    nativeAddons({ places: (await installedClosure({ root, packages, cacheDirectory })).places, cacheDirectory })
  const addon = join(root, 'node_modules/native/build/Release/native.node')
  expect(await ask()).toEqual(wanted)
  expect(await ask()).toEqual(wanted)
  writeFileSync(addon, 'compileD')
  expect(await ask()).toMatchObject({ 'native@1.2.3:build/Release/native.node': sha256('compileD') })
  writeFileSync(`${addon}.new`, 'replaced')
  renameSync(`${addon}.new`, addon)
  expect(await ask()).toMatchObject({ 'native@1.2.3:build/Release/native.node': sha256('replaced') })
  mkdirSync(join(root, 'node_modules/native/prebuilds'))
  writeFileSync(join(root, 'node_modules/native/prebuilds/more.node'), 'more')
  expect(await ask()).toMatchObject({ 'native@1.2.3:prebuilds/more.node': sha256('more') })
  rmSync(join(root, 'node_modules/native/prebuilds'), { recursive: true })
  const before = await ask()
  expect(before).not.toHaveProperty('native@1.2.3:prebuilds/more.node')
  for (const name of readdirSync(join(cacheDirectory, 'addons')))
    writeFileSync(join(cacheDirectory, 'addons', name), 'torn')
  expect(await ask()).toEqual(before)
})
