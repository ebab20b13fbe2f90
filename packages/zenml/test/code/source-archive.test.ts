import { cpSync, existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { artifactStore } from '../../src/artifacts/artifact-store.ts'
import { localBlobStorage } from '../../src/artifacts/local-blob-storage.ts'
import { sha256 } from '../../src/base/digest.ts'
import { bundleStep } from '../../src/code/bundle.ts'
import { npmrcWithoutSecrets } from '../../src/code/npmrc.ts'
import { archiveSources, layOutSources, sourceArchiveType, writeSources } from '../../src/code/source-archive.ts'
import { temporaryProject, twoSteps } from './temporary-project.ts'
import { filesOf, temporaryFolder } from './temporary-repository.ts'

const secret = 'npm_s3cr3tT0ken'

it('what an artifact store keeps of a project outside of git is laid out again as files of the same bytes, and bundles to the same digest', async () => {
  const root = temporaryProject({
    ...twoSteps,
    'tsconfig.json': '{ "extends": "./config/base.json" }',
    'config/base.json': '{ "compilerOptions": { "strict": true } }',
    'pipeline.yaml': 'version: 1\n',
    'unrelated.ts': 'export {}\n',
    'packages/a/package.json': '{ "name": "a", "version": "1.0.0" }',
    'vendor/b.tgz': 'bytes',
    'package-lock.json': JSON.stringify({
      lockfileVersion: 3,
      packages: {
        '': { name: 'demo' },
        'packages/a': { version: '1.0.0' },
        '../outside': {},
        'node_modules/a': { resolved: 'packages/a', link: true },
        'node_modules/b': { resolved: 'file:vendor/b.tgz' },
        'node_modules/c': { resolved: `https://ada:${secret}@registry.example/c.tgz` },
        'node_modules/d': { resolved: 'git+ssh://git@example.com/d.git#abc' },
      },
    }),
    '.npmrc': `save-exact=true\n//registry.example/:_authToken=${secret}\n`,
  })
  const bundle = await bundleStep({ root, source: 'steps/train.ts#train' })
  const files = await archiveSources({
    root,
    files: bundle.files,
    sources: [bundle.source],
    more: ['pipeline.yaml', 'missing.yaml'],
  })
  expect([...files.keys()]).toEqual([
    '.npmrc',
    'config/base.json',
    'data/limits.json',
    'far/c.ts',
    'lib/a.ts',
    'lib/constants.ts',
    'lib/deep/b.ts',
    'lib/loud.ts',
    'lib/rates.ts',
    'package-lock.json',
    'package.json',
    'packages/a/package.json',
    'pipeline.yaml',
    'steps/train.ts',
    'tsconfig.json',
    'vendor/b.tgz',
  ])
  const all = Buffer.concat([...files.values()]).toString()
  expect(all).not.toContain(secret)
  expect(all).toContain('git+ssh://git@example.com/d.git')

  const staged = temporaryFolder()
  await writeSources(files, staged)
  const store = artifactStore(localBlobStorage(temporaryFolder()))
  const kept = await store.put(sourceArchiveType, staged)
  const pulled = join(temporaryFolder(), 'pulled')
  await store.pull(kept.digest, pulled)
  const target = temporaryFolder()
  await layOutSources(pulled, target)
  expect(filesOf(target)).toEqual(filesOf(staged))
  cpSync(join(root, 'node_modules'), join(target, 'node_modules'), { recursive: true })
  expect((await bundleStep({ root: target, source: bundle.source })).digest).toBe(bundle.digest)
  const linked = temporaryFolder()
  await store.materialise(kept.digest, linked)
  const second = temporaryFolder()
  await layOutSources(linked, second)
  expect(filesOf(second)).toEqual(filesOf(staged))
  writeFileSync(join(second, 'lib/a.ts'), 'can be written\n')
})

it('a file that has changed since it was bundled is not kept under the run', async () => {
  const root = temporaryProject({ 'a.ts': 'one\n' })
  const call = archiveSources({ root, files: { 'a.ts': sha256('two\n') }, sources: [] })
  await expect(call).rejects.toMatchObject({ code: 'ZEN_CODE_CHANGED', message: expect.stringContaining('a.ts') })
})

it('nothing outside of the project is collected, neither by name nor through a link', async () => {
  const outside = temporaryProject({ 'secret.txt': secret })
  const root = temporaryProject({ 'a.ts': 'one\n', 'link.txt': `-> ${outside}/secret.txt`, folder: `-> ${outside}` })
  const files = await archiveSources({
    root,
    files: { 'a.ts': sha256('one\n') },
    sources: [],
    more: ['link.txt', 'folder/secret.txt', '../x', '.git/config', 'node_modules/x.js'],
  })
  expect([...files.keys()]).toEqual(['a.ts'])
})

it('an archive with a path that leaves its folder, or enters git or node_modules, is refused before a file is written', async () => {
  for (const path of [
    '../x',
    '/x',
    'a/../../x',
    'a//b',
    './a',
    '',
    '.git/hooks/post-checkout',
    'a/.GIT/config',
    'node_modules/zod/index.js',
    'a\\b',
  ]) {
    const target = temporaryFolder()
    const call = writeSources(
      new Map([
        ['a.ts', Buffer.from('a')],
        [path, Buffer.from('b')],
      ]),
      target,
    )
    await expect(call).rejects.toMatchObject({ code: 'ZEN_CODE_ESCAPES' })
    expect(readdirSync(target)).toEqual([])
  }
  const target = temporaryProject({ 'there.txt': 'x' })
  await expect(writeSources(new Map(), target)).rejects.toMatchObject({ code: 'ZEN_CODE_TARGET' })
})

it('any set of plain paths comes back as it was', async () => {
  const name = fc.stringMatching(/^[a-z][a-zé .-]{0,6}[a-z]$/)
  const path = fc.array(name, { minLength: 1, maxLength: 3 }).map((parts) => `${parts.join('/')}.ts`)
  await fc.assert(
    fc.asyncProperty(fc.dictionary(path, fc.uint8Array({ maxLength: 20 }), { maxKeys: 5 }), async (files) => {
      const staged = temporaryFolder()
      const target = temporaryFolder()
      await writeSources(new Map(Object.entries(files)), staged)
      await layOutSources(staged, target)
      for (const [file, bytes] of Object.entries(files))
        expect(readFileSync(join(target, file))).toEqual(Buffer.from(bytes))
      expect(existsSync(target)).toBe(true)
    }),
    { numRuns: 20 },
  )
})

it('of an .npmrc only what is known to be harmless is kept', () => {
  const kept = [
    'registry=https://registry.example/npm/',
    '@team:registry = https://registry.example:8443/team/',
    'save-exact=true',
    'omit[] = dev',
  ]
  const dropped = [
    `//registry.example/:_authToken=${secret}`,
    `_auth=${secret}`,
    `//registry.example/:_password=${secret}`,
    `registry=https://ada:${secret}@registry.example/`,
    `registry=https://registry.example/?token=${secret}`,
    `@team:registry=https://\${TOKEN}@registry.example/`,
    `proxy=http://ada:${secret}@proxy.example`,
    `cert="-----BEGIN ${secret}"`,
    `unknown-setting=${secret}`,
    `; a comment with ${secret}`,
    `git-tag-version=${secret}`,
  ]
  const text = [...dropped, ...kept].join('\r\n')
  expect(Buffer.from(npmrcWithoutSecrets(Buffer.from(text))).toString()).toBe(kept.map((line) => `${line}\n`).join(''))
})
