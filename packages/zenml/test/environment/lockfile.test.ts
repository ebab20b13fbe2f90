import {
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { keepLoaded, packageClosure } from '../../src/environment/lockfile.ts'

let root: string
beforeEach(() => {
  root = realpathSync(mkdtempSync(join(tmpdir(), 'zenml-packages-')))
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

function write(path: string, content: string | object): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content))
}

function install(place: string, version: string, needs: object = {}): void {
  write(`${place}/package.json`, { name: place.split('/').at(-1), version, ...needs })
  write(`${place}/index.js`, `// ${place} ${version}`)
}

function lock(packages: { readonly [place: string]: object }): void {
  write('package-lock.json', { lockfileVersion: 3, packages })
}

/** `name version integrity` of each package, with and without the cache. */
async function closure(...names: string[]): Promise<string[]> {
  const packages = names.map((name) => ({ name, directory: join(root, 'node_modules', name) }))
  const kept = await packageClosure({ root, packages, cacheDirectory: join(root, '.cache') })
  expect(kept).toEqual(await packageClosure({ root, packages }))
  return kept.map(({ name, version, integrity }) => `${name} ${version} ${integrity.replace(/^sha256:.*/, 'files')}`)
}

it('the closure holds nested versions, aliases, and optional packages and peers that are installed, as the lockfile pins them', async () => {
  install('node_modules/a', '1.0.0', {
    dependencies: { b: '^1', alias: 'npm:real@2' },
    optionalDependencies: { absent: '1' },
    peerDependencies: { peer: '1', other: '1' },
    peerDependenciesMeta: { other: { optional: true } },
  })
  install('node_modules/b', '2.0.0')
  install('node_modules/a/node_modules/b', '1.0.0', { dependencies: { a: '1' } })
  install('node_modules/alias', '2.0.0')
  install('node_modules/peer', '1.0.0')
  install('node_modules/not-needed', '1.0.0')
  lock({
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/a/node_modules/b': { version: '1.0.0', integrity: 'sha512-b1' },
    'node_modules/b': { version: '2.0.0', integrity: 'sha512-b2' },
    'node_modules/alias': { name: 'real', version: '2.0.0', integrity: 'sha512-real' },
    'node_modules/peer': { version: '1.0.0', integrity: 'sha512-peer' },
  })
  expect(await closure('a')).toEqual([
    'a 1.0.0 sha512-a',
    'alias 2.0.0 sha512-real',
    'b 1.0.0 sha512-b1',
    'peer 1.0.0 sha512-peer',
  ])
})

it('a package that the lockfile does not pin as it is installed is told by its files', async () => {
  for (const name of ['git', 'stale']) install(`node_modules/${name}`, '1.0.0')
  install('packages/workspace', '0.0.0')
  symlinkSync('../packages/workspace', join(root, 'node_modules/workspace'))
  lock({
    'node_modules/git': { version: '1.0.0', resolved: 'git+ssh://git@example.com/x.git#abc' },
    'node_modules/stale': { version: '1.1.0', integrity: 'sha512-stale' },
    'node_modules/workspace': { resolved: 'packages/workspace', link: true },
  })
  const names = ['git', 'stale', 'workspace']
  expect(await closure(...names)).toEqual(['git 1.0.0 files', 'stale 1.0.0 files', 'workspace 0.0.0 files'])
  for (const file of ['node_modules/git/index.js', 'packages/workspace/new.js']) {
    const packages = names.map((name) => ({ name, directory: join(root, 'node_modules', name) }))
    const before = await packageClosure({ root, packages, cacheDirectory: join(root, '.cache') })
    write(file, 'changed')
    await closure(...names)
    expect(await packageClosure({ root, packages, cacheDirectory: join(root, '.cache') })).not.toEqual(before)
  }
})

it('without a lockfile, and with one of version 1, packages are told by their files', async () => {
  install('node_modules/a', '1.0.0')
  expect(await closure('a')).toEqual(['a 1.0.0 files'])
  write('package-lock.json', { lockfileVersion: 1, dependencies: { a: { version: '1.0.0', integrity: 'sha512-a' } } })
  expect(await closure('a')).toEqual(['a 1.0.0 files'])
})

it('a kept answer does not outlive a new place of a package, whoever installed it', async () => {
  install('node_modules/a', '1.0.0', { dependencies: { b: '1' }, optionalDependencies: { c: '1' } })
  install('store/b1', '1.0.0')
  install('store/b2', '1.1.0')
  symlinkSync('../store/b1', join(root, 'node_modules/b'))
  expect(await closure('a')).toEqual(['a 1.0.0 files', 'b 1.0.0 files'])
  symlinkSync('../store/b2', join(root, 'node_modules/b.new'))
  renameSync(join(root, 'node_modules/b.new'), join(root, 'node_modules/b'))
  expect(await closure('a')).toEqual(['a 1.0.0 files', 'b 1.1.0 files'])
  install('node_modules/c', '3.0.0')
  expect(await closure('a')).toEqual(['a 1.0.0 files', 'b 1.1.0 files', 'c 3.0.0 files'])
  install('node_modules/a/node_modules/b', '1.2.0')
  expect(await closure('a')).toEqual(['a 1.0.0 files', 'b 1.2.0 files', 'c 3.0.0 files'])
})

it('a missing package, a damaged one and a lockfile with the marks of a merge are errors that say what to do', async () => {
  install('node_modules/a', '1.0.0', { dependencies: { b: '1' } })
  await expect(closure('a')).rejects.toMatchObject({ code: 'ZEN_PACKAGE_MISSING', facts: { package: 'a', needs: 'b' } })
  write('node_modules/b/package.json', '{')
  await expect(closure('a')).rejects.toMatchObject({ code: 'ZEN_PACKAGE_DAMAGED', facts: { package: 'b' } })
  install('node_modules/b', '1.0.0')
  write('package-lock.json', '<<<<<<< HEAD')
  await expect(closure('a')).rejects.toMatchObject({ code: 'ZEN_LOCK_DAMAGED' })
})

describe('what npm tells of its installs', () => {
  const pins = { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' } }
  /** As npm does it: a while ago, and its record last. */
  function installed(record: { readonly [place: string]: object } = pins): void {
    install('node_modules/a', '1.0.0')
    write('node_modules/a/lib/inner.js', '1')
    write('node_modules/a/lib/other.js', '1')
    lock(pins)
    write('node_modules/.package-lock.json', { lockfileVersion: 3, packages: record })
    for (const path of [
      'a/index.js',
      'a/package.json',
      'a/lib/inner.js',
      'a/lib/other.js',
      'a/lib',
      'a',
      '.package-lock.json',
    ])
      age(path)
  }
  function age(path: string, seconds = 1_000_000_000): void {
    utimesSync(join(root, 'node_modules', path), seconds, seconds)
  }
  const keep = (...files: string[]): Promise<void> =>
    keepLoaded(
      {
        root,
        packages: [{ name: 'a', directory: join(root, 'node_modules/a') }],
        cacheDirectory: join(root, '.cache'),
      },
      { [join(root, 'node_modules/a')]: files },
    )

  it('is believed with the lockfile where both say the same and nothing is newer', async () => {
    installed()
    expect(await closure('a')).toEqual(['a 1.0.0 sha512-a'])
    write('node_modules/a/node_modules/b/index.js', 'what is installed into it is none of its files')
    age('a')
    expect(await closure('a')).toEqual(['a 1.0.0 sha512-a'])
  })

  it.each([
    ['another tarball of the same version', { 'node_modules/a': { version: '1.0.0', integrity: 'sha512-other' } }],
    ['another version', { 'node_modules/a': { version: '1.0.1', integrity: 'sha512-a' } }],
    ['nothing of it', {}],
  ])('is believed against the lockfile where it names %s', async (_name, record) => {
    installed(record)
    expect(await closure('a')).toEqual(['a 1.0.0 files'])
  })

  it('is not believed where it is damaged', async () => {
    installed()
    write('node_modules/.package-lock.json', '{')
    expect(await closure('a')).toEqual(['a 1.0.0 files'])
  })

  it.each(['node_modules/a/index.js', 'node_modules/a/lib/inner.js', 'node_modules/a/lib/new.js'])(
    'is older than an edit of %s before the first look',
    async (file) => {
      installed()
      write(file, 'patched')
      expect(await closure('a')).toEqual(['a 1.0.0 files'])
    },
  )

  it('is older than a later edit of what a step loaded, and of what was put beside that or taken away', async () => {
    installed()
    await Promise.all([keep('index.js'), keep('lib/inner.js'), keep('lib/looked-for.js')])
    expect(await closure('a')).toEqual(['a 1.0.0 sha512-a'])
    const changes: readonly (() => void)[] = [
      () => write('node_modules/a/index.js', 'patched'),
      () => write('node_modules/a/lib/inner.js', 'patched'),
      () => write('node_modules/a/lib/looked-for.js', 'new'),
      () => rmSync(join(root, 'node_modules/a/lib/inner.js')),
    ]
    for (const change of changes) {
      change()
      expect(await closure('a')).toEqual(['a 1.0.0 files'])
      rmSync(join(root, 'node_modules/a'), { recursive: true })
      installed()
      expect(await closure('a')).toEqual(['a 1.0.0 sha512-a'])
    }
  })
})
