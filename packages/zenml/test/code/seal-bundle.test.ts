import { lstatSync, mkdtempSync, readdirSync, readFileSync, realpathSync, rmSync } from 'node:fs'
import { createRequire } from 'node:module'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { type Digest, sha256 } from '../../src/base/digest.ts'
import { bundleIn, type StepBundle, sealBundle, writeBundle } from '../../src/code/bundle.ts'
import { bundlerName, bundleTarget } from '../../src/code/bundle-format.ts'
import { SourceTree } from '../../src/code/source-tree.ts'
import { installed, temporaryProject, twoSteps } from './temporary-project.ts'

type Parts = Parameters<typeof sealBundle>[0]

const asset = (path: string, content: string): Parts['assets'][number] => ({
  path,
  digest: sha256(content),
  from: `data/${path}`,
  bytes: Buffer.from(content),
})
const parts: Parts = {
  source: 'steps/train.ts#train',
  text: 'export default "é"\n',
  map: '{"version":3}',
  files: { 'steps/train.ts': sha256('train') },
  assets: [asset('assets/b/words.txt', 'two'), asset('assets/a/words.txt', 'one')],
  packages: [{ name: '@acme/steps', directory: '/anywhere', version: '1.0.0' }],
  imports: { entry: 'steps/train.ts', files: {}, packages: {} } as unknown as Parts['imports'],
  bundler: 'esbuild 0.28.2',
  warnings: ['steps/train.ts:1:1: look'],
}
const textOf = (bundle: StepBundle, digest: string): string =>
  String(Buffer.from(bundle.contents.get(digest as Digest)!))

// A change of any of these is another format of bundles: every step would run again.
it('the manifest of a bundle is what it always was, byte for byte', () => {
  const bundle = sealBundle(parts)
  expect(textOf(bundle, bundle.digest)).toBe(
    `{"assets":{"assets/a/words.txt":"${sha256('one')}","assets/b/words.txt":"${sha256('two')}"},"format":1,"text":"${sha256('export default "é"\n')}"}`,
  )
  expect(bundle.digest).toMatchInlineSnapshot(
    `"sha256:5491f797b222eb2e17a67eb743c22c63075951027ecde4cb1ecbc6c31eab3d45"`,
  )
  expect(sealBundle({ ...parts, assets: [] }).digest).toMatchInlineSnapshot(
    `"sha256:f15b8567395a35cc13512555ef4fb153ec68bfb153a2d8f60e0a37642bf05bbd"`,
  )
})

it('a sealed bundle holds what it was made of, and all of its contents by their digests', () => {
  const bundle = sealBundle(parts)
  expect(bundle).toEqual({
    ...parts,
    digest: bundle.digest,
    assets: parts.assets.map(({ path, digest, from }) => ({ path, digest, from })),
    contents: bundle.contents,
  })
  expect(Object.isFrozen(bundle)).toBe(true)
  const { text } = JSON.parse(textOf(bundle, bundle.digest)) as { text: string }
  expect([...bundle.contents.keys()].sort()).toEqual(
    [bundle.digest, text, sha256(parts.map), sha256('one'), sha256('two')].sort(),
  )
  expect([text, sha256(parts.map), sha256('one'), sha256('two')].map((digest) => textOf(bundle, digest))).toEqual([
    parts.text,
    parts.map,
    'one',
    'two',
  ])
})

it('the digest of a bundle does not depend on its source map, names, files, packages, warnings or the order of its assets', () => {
  fc.assert(
    fc.property(fc.string(), (other) => {
      const { digest } = sealBundle(parts)
      const same: Parts = {
        text: parts.text,
        source: other,
        map: other,
        files: { [other]: sha256(other) },
        packages: [],
        imports: {} as Parts['imports'],
        bundler: other,
        warnings: [other],
        assets: [...parts.assets].reverse().map((one) => ({ ...one, from: other })),
      }
      expect(sealBundle(same).digest).toBe(digest)
    }),
  )
})

it('the digest of a bundle is equal exactly where its text and the paths and contents of its assets are', () => {
  const assets = fc
    .dictionary(fc.constantFrom('a', 'b', 'c/d', '__proto__x'), fc.constantFrom('', 'one', 'two'), { maxKeys: 3 })
    .map((contents) => Object.entries(contents).sort())
  const bundles = fc.record({ text: fc.constantFrom('', 'a', 'b'), assets })
  const digestOf = ({ text, assets: made }: { text: string; assets: [string, string][] }): Digest =>
    sealBundle({ ...parts, text, assets: made.map(([path, content]) => asset(path, content)) }).digest
  fc.assert(
    fc.property(bundles, bundles, (a, b) => {
      expect(digestOf(a) === digestOf(b)).toBe(JSON.stringify(a) === JSON.stringify(b))
    }),
  )
})

it('a bundle is laid out with its text, source map, assets and a link to each package', async () => {
  const project = temporaryProject(installed('@acme/steps', '1.0.0', 'export {}'))
  const directory = mkdtempSync(join(tmpdir(), 'zenml-laid-out-'))
  try {
    const target = join(realpathSync(directory), 'made', 'for it')
    const packages = ['@acme/steps', 'plain'].map((name) => ({
      name,
      directory: join(project, 'node_modules/@acme/steps'),
      version: '1.0.0',
    }))
    await writeBundle(sealBundle({ ...parts, packages }), target)
    const read = (path: string): string => readFileSync(join(target, path), 'utf8')
    expect(['step.mjs', 'step.mjs.map', 'assets/a/words.txt', 'assets/b/words.txt'].map(read)).toEqual([
      parts.text,
      parts.map,
      'one',
      'two',
    ])
    expect(readdirSync(target).sort()).toEqual(['assets', 'node_modules', 'step.mjs', 'step.mjs.map'])
    for (const name of ['@acme/steps', 'plain']) {
      const link = join(target, 'node_modules', name)
      expect(lstatSync(link).isSymbolicLink()).toBe(true)
      expect(realpathSync(link)).toBe(join(project, 'node_modules/@acme/steps'))
    }
    const again = join(target, 'assets/a')
    await writeBundle(sealBundle({ ...parts, packages: [] }), again)
    expect(readFileSync(join(again, 'words.txt'), 'utf8')).toBe('one')
  } finally {
    rmSync(directory, { recursive: true })
  }
})

it('a step that is named through a linked folder depends on the names in that folder, too', async () => {
  const tree = new SourceTree(temporaryProject({ ...twoSteps, 'named/linked': '-> ../steps' }))
  const { built } = await bundleIn(tree, 'named/linked/train.ts#train', new Map())
  expect([...built.trace.directories]).toEqual(
    expect.arrayContaining([join(tree.root, 'named/linked'), join(tree.root, 'steps')]),
  )
})

it('a step of an installed package depends on the names in no folder of the project', async () => {
  const tree = new SourceTree(temporaryProject(twoSteps))
  const { built } = await bundleIn(tree, 'zenml#split', new Map())
  expect([...built.trace.directories]).toEqual([])
})

it('the bundler is named with the version that is installed, and bundles for the oldest Node that runs them', () => {
  const { version } = createRequire(import.meta.url)('esbuild/package.json') as { version: string }
  expect([bundlerName(), bundlerName()]).toEqual([`esbuild ${version}`, `esbuild ${version}`])
  expect(bundleTarget).toBe('node20.19')
})
