import { execFileSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  realpathSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import fc from 'fast-check'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { canonical, canonicalJson, digestOf } from '../../src/base/canonical.ts'
import { type Digest, sha256 } from '../../src/base/digest.ts'
import { changedMeanwhile, observeFile } from '../../src/fingerprint/observe-file.ts'
import { holds, observedDigest, presentlyObserved } from '../../src/fingerprint/observed.ts'
import type { ObservedLeaf } from '../../src/model/fingerprint.ts'

let place: string
let root: string
beforeEach(() => {
  place = realpathSync(mkdtempSync(join(tmpdir(), 'zenml-observed-')))
  root = join(place, 'repository')
  mkdirSync(root)
})
afterEach(() => rmSync(place, { recursive: true, force: true }))

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true })
  writeFileSync(join(root, path), text)
}

/** The digest that a path has now; undefined where it cannot be said. */
function seen(path: string): Digest | null | undefined {
  const found = observeFile(root, path)
  return found.kind === 'settled' ? found.digest : undefined
}

/** Names that are hard on paths, and legal ones. */
const names = fc.oneof(
  fc.constantFrom('a', 'A', 'a b', 'a.b', '...', '-', '~', 'é', 'e\u0301', '__proto__', 'toString', '%2e', '\u{1f427}'),
  fc.stringMatching(/^[a-z0-9_.-]{1,12}$/).filter((name) => name !== '.' && name !== '..'),
)
const trees = fc.uniqueArray(fc.tuple(names, names, fc.string()), { maxLength: 6, selector: ([a, b]) => `${a}/${b}` })

describe('what a path of the repository holds', () => {
  it('is what it always was, byte for byte', () => {
    write('data/limits.json', '{"most":3}')
    symlinkSync('limits.json', join(root, 'data/link'))
    mkdirSync(join(root, 'data/inner'))
    expect(['data/link/.', 'data/limits.json/.', 'data/.'].map(seen)).toEqual([
      digestOf(['zenml observed way 1', 'limits.json', 'data/limits.json']),
      digestOf(['zenml observed way 1', null, 'data/limits.json']),
      digestOf(['zenml observed way 1', null, 'data']),
    ])
    expect(['data/limits.json', 'data/link', 'data', 'data/', './', 'nothing'].map(seen)).toMatchInlineSnapshot(`
      [
        "sha256:b8ed0e06242fe11e760ca0b3c6be1066f052fbd29f8d170bea27bbbd2c247600",
        "sha256:b8ed0e06242fe11e760ca0b3c6be1066f052fbd29f8d170bea27bbbd2c247600",
        "sha256:a0e95586cd53cdfdecdfa4428fb231798836b402fa4082286defd159ec5b7603",
        "sha256:ddc12dcfea5c910f61cead9f176785b58501345ac92dfb273b0523f97099d74f",
        "sha256:3ca50fd0dadaa596059447410e218710556ec1a3703386c8eb47533079cfae3a",
        null,
      ]
    `)
    expect(seen('data/limits.json')).toBe(sha256('{"most":3}'))
    expect(changedMeanwhile).toMatchInlineSnapshot(
      `"sha256:58b4e86cabcff7f18ffa0643874666d9b49b3f817b3d999d99e7a7c5bc7c342c"`,
    )
  })

  it('is the bytes of a file, whatever its size, name and the file system say of it', () => {
    const bytes = Buffer.alloc(700_001, 7)
    writeFileSync(join(root, 'large'), bytes)
    expect(seen('large')).toBe(sha256(bytes))
    write('empty', '')
    expect(seen('empty')).toBe(sha256(''))
    renameSync(join(root, 'large'), join(root, 'renamed'))
    chmodSync(join(root, 'renamed'), 0o755)
    expect(seen('renamed')).toBe(sha256(bytes))
  })

  it('is one digest for any folder, null for nothing, and these differ from any file', () => {
    write('folder/a', '1')
    mkdirSync(join(root, 'other'))
    expect(seen('folder')).toBe(seen('other'))
    expect([seen('nothing'), seen('nothing/below'), seen('folder/a/below'), seen('nothing/')]).toEqual(
      Array(4).fill(null),
    )
    expect(seen('folder/a/')).toBeNull()
    expect(new Set([seen('folder'), seen('folder/'), seen('folder/a'), seen('nothing')]).size).toBe(4)
  })

  it('with "/" at its end is the names in a folder with their kinds: not what they hold, nor what is deeper', () => {
    write('lists/a', '1')
    write('lists/b/c', '1')
    const before = seen('lists/')
    write('lists/a', 'other')
    write('lists/b/d', '1')
    expect(seen('lists/')).toBe(before)
    rmSync(join(root, 'lists/a'))
    expect(seen('lists/')).not.toBe(before)
    mkdirSync(join(root, 'lists/a'))
    expect(seen('lists/')).not.toBe(before)
    rmSync(join(root, 'lists/a'), { recursive: true })
    symlinkSync('b', join(root, 'lists/a'))
    expect(seen('lists/')).not.toBe(before)
  })

  it('lists names in the order of their UTF-8 bytes, whatever the file system says', () => {
    const listed = [
      'z',
      'B',
      'a',
      '10',
      '9',
      'é',
      '\uffff',
      '\u{1f427}',
      ...Array.from({ length: 20 }, (_, n) => `n${n}`),
    ]
    for (const name of listed) write(`lists/${name}`, name)
    mkdirSync(join(root, 'lists/folder'))
    symlinkSync('nowhere', join(root, 'lists/link'))
    execFileSync('mkfifo', [join(root, 'lists/pipe')])
    const kinds: readonly [string, string][] = [
      ...listed.map((name): [string, string] => [name, 'file']),
      ['folder', 'folder'],
      ['link', 'link'],
      ['pipe', 'other'],
    ]
    const ordered = [...kinds].sort(([a], [b]) => Buffer.compare(Buffer.from(a), Buffer.from(b)))
    expect(seen('lists/')).toBe(digestOf(['zenml observed names 1', ...ordered]))
  })

  it('cannot be said of a path that leads up, even to a place inside of the root', () => {
    write('a/b', '1')
    for (const path of ['a/..', 'a/../a', 'a/../a/b', 'a/b/..', 'a/../'])
      expect(observeFile(root, path)).toEqual({ kind: 'unsettled' })
  })

  it('follows links while they stay inside of the root', () => {
    write('data/a', '1')
    symlinkSync('data', join(root, 'inner'))
    symlinkSync(join(root, 'data/a'), join(root, 'absolute'))
    symlinkSync('nowhere', join(root, 'dangling'))
    expect(['inner/a', 'absolute', 'inner/', 'dangling'].map(seen)).toEqual([
      seen('data/a'),
      seen('data/a'),
      seen('data/'),
      null,
    ])
  })

  it('with "/." at its end is the text of a link and where it ends in the repository, whatever lies there', () => {
    const way = (text: string | null, end: string | null): Digest => digestOf(['zenml observed way 1', text, end])
    write('data/a', '1')
    symlinkSync('a', join(root, 'data/first'))
    symlinkSync('data/first', join(root, 'second'))
    symlinkSync('data', join(root, 'folder'))
    symlinkSync('nowhere', join(root, 'dangling'))
    symlinkSync('data/a/below', join(root, 'below a file'))
    const before = ['second/.', 'data/a/.', 'folder/first/.', 'folder/.', 'dangling/.', 'below a file/.'].map(seen)
    expect(before).toEqual([
      way('data/first', 'data/a'),
      way(null, 'data/a'),
      way('a', 'data/a'),
      way('data', 'data'),
      way('nowhere', null),
      way('data/a/below', null),
    ])
    write('data/a', 'other')
    expect(seen('second/.')).toBe(before[0])
    expect(['nothing/.', 'nothing/below/.', 'data/a/below/.'].map(seen)).toEqual([null, null, null])
    for (const path of ['/.', './.', '../.', 'data//.', 'data/./.', 'data/../.']) expect(seen(path)).toBeUndefined()
  })

  it('has no way that leads out of it, over a folder or in the end', () => {
    mkdirSync(join(place, 'outside'))
    writeFileSync(join(place, 'outside/a'), '1')
    symlinkSync('../outside', join(root, 'out'))
    symlinkSync('../outside/a', join(root, 'file'))
    symlinkSync('file', join(root, 'over'))
    symlinkSync('round', join(root, 'round'))
    expect(['out/.', 'file/.', 'over/.', 'out/a/.', 'out/missing/.', 'round/.'].map(seen)).toEqual(
      Array(6).fill(undefined),
    )
  })

  it('cannot be said where a link leads out of it, there or not there', () => {
    mkdirSync(join(place, 'outside/deep'), { recursive: true })
    writeFileSync(join(place, 'outside/secret'), '1')
    // A neighbour whose name begins like the root's.
    mkdirSync(join(place, 'repository-2'))
    symlinkSync(join(place, 'outside'), join(root, 'out'))
    symlinkSync('../outside/secret', join(root, 'file'))
    symlinkSync('../repository-2', join(root, 'neighbour'))
    const paths = ['out', 'out/', 'out/secret', 'out/deep', 'out/missing', 'out/missing/deeper', 'file', 'neighbour']
    expect(paths.map(seen)).toEqual(paths.map(() => undefined))
    symlinkSync('../later', join(root, 'later'))
    expect(seen('later')).toBeNull()
    writeFileSync(join(place, 'later'), '1')
    expect(seen('later')).toBeUndefined()
  })

  it('cannot be said of links that go round, of names that are too long, and of what is neither file nor folder', () => {
    symlinkSync('round', join(root, 'round'))
    execFileSync('mkfifo', [join(root, 'pipe')])
    expect(['round', 'round/a', 'x'.repeat(300), 'pipe'].map(seen)).toEqual(Array(4).fill(undefined))
  })

  it('is never read outside of the root, whatever the path', () => {
    writeFileSync(join(place, 'secret'), '1')
    write('a/b', '1')
    const hostile = fc.oneof(
      fc.constantFrom(
        '',
        '/',
        '//',
        '.',
        '..',
        '../',
        '../secret',
        'a/../../secret',
        'a/..',
        './a',
        'a//b',
        'a/./b',
        'a/b//',
      ),
      fc.constantFrom(
        '/etc/passwd',
        join(place, 'secret'),
        'a\0',
        '\0',
        'a\\b',
        '..\\secret',
        'C:\\secret',
        './/',
        '..//',
      ),
      fc
        .array(fc.constantFrom('..', '.', '', 'a', 'b', 'secret', '\0', '\\'), { minLength: 1, maxLength: 6 })
        .map((parts) => parts.join('/')),
    )
    const allowed = new Set([
      undefined,
      null,
      seen('a'),
      seen('a/'),
      seen('a/b'),
      seen('./'),
      seen('a/.'),
      seen('a/b/.'),
    ])
    fc.assert(fc.property(hostile, (path) => allowed.has(seen(path))))
    for (const path of [
      '',
      '/',
      '..',
      '../secret',
      'a/../../secret',
      '/etc/passwd',
      'a\0',
      'a\\b',
      './a',
      'a//b',
      'a/b//',
    ])
      expect(seen(path)).toBeUndefined()
  })

  it('differs exactly where what is there differs', () => {
    fc.assert(
      fc.property(names, fc.uint8Array({ maxLength: 50 }), fc.uint8Array({ maxLength: 50 }), (name, a, b) => {
        writeFileSync(join(root, name), a)
        const before = seen(name)
        writeFileSync(join(root, name), b)
        expect(seen(name) === before).toBe(Buffer.compare(a, b) === 0)
        rmSync(join(root, name))
        expect(seen(name)).toBeNull()
      }),
    )
  })
})

describe('the digest of what was observed', () => {
  const leaves: fc.Arbitrary<ObservedLeaf> = fc.record({
    seed: fc.option(fc.nat()),
    files: fc.dictionary(names, fc.option(fc.string().map(sha256)), { maxKeys: 6 }),
  })

  it('is what it always was, byte for byte', () => {
    expect(
      observedDigest({
        seed: 7,
        files: { 'data/limits.json': sha256('limits'), 'data/extra.json': null, 'lists/': null },
      }),
    ).toMatchInlineSnapshot(`"sha256:f34af7ada599a351f13e2540286b57bd7b6cf3213e40d6b0647f31ccebfba1de"`)
  })

  it('depends neither on the order of the files nor on having been stored as JSON', () => {
    fc.assert(
      fc.property(leaves, ({ seed, files }) => {
        const digest = observedDigest({ seed, files })
        const other = { files: Object.fromEntries(Object.entries(files).reverse()), seed }
        expect(observedDigest(other)).toBe(digest)
        expect(observedDigest(JSON.parse(canonicalJson(other as never)) as ObservedLeaf)).toBe(digest)
      }),
    )
  })

  it('differs exactly where the seed, a path or what it held differs', () => {
    const text = ({ seed, files }: ObservedLeaf): string => canonicalJson({ seed, files: { ...files } })
    fc.assert(
      fc.property(leaves, leaves, (a, b) => {
        expect(observedDigest(a) === observedDigest(b)).toBe(text(a) === text(b))
      }),
    )
    fc.assert(
      fc.property(leaves, names, ({ seed, files }, name) => {
        const path = `${name}/`
        const digest = Object.hasOwn(files, name) ? files[name]! : null
        const rest = Object.fromEntries(Object.entries(files).filter(([other]) => other !== name))
        const all = [
          { seed, files: { ...rest, [name]: digest } },
          { seed, files: { ...rest, [name]: sha256(String(digest)) } },
          { seed, files: { ...rest, [path]: digest } },
          { seed, files: rest },
          { seed: (seed ?? -1) + 1, files: { ...rest, [name]: digest } },
        ]
        expect(new Set(all.map(observedDigest)).size).toBe(all.length)
      }),
    )
  })
})

describe('an earlier execution holds', () => {
  it('whatever the seed where it used no randomness, and only for the same seed where it did', () => {
    expect(holds({ seed: null, files: {} }, { seed: 3, root })).toBe(true)
    expect(holds({ seed: 3, files: {} }, { seed: 3, root })).toBe(true)
    expect(holds({ seed: 3, files: {} }, { seed: 4, root })).toBe(false)
    expect(holds({ seed: 0, files: {} }, { seed: 1, root })).toBe(false)
  })

  it('exactly while every file, missing path and listing that it saw is as it was', () => {
    fc.assert(
      fc.property(trees, fc.nat(100), (tree, pick) => {
        rmSync(root, { recursive: true, force: true })
        mkdirSync(root)
        for (const [folder, name, text] of tree) write(`folder ${folder}/${name}`, text)
        const paths = [
          ...tree.flatMap(([folder, name]) => [`folder ${folder}/${name}`, `folder ${folder}/`]),
          'missing',
          './',
        ]
        const files = Object.fromEntries(paths.map((path) => [path, seen(path)!]))
        const now = { seed: 1, root }
        expect(holds({ seed: null, files }, now)).toBe(true)

        write('unseen folder that makes another name/x', '1')
        expect(holds({ seed: null, files }, now)).toBe(false)
        rmSync(join(root, 'unseen folder that makes another name'), { recursive: true })
        expect(holds({ seed: null, files }, now)).toBe(true)

        write('missing', '')
        expect(holds({ seed: null, files }, now)).toBe(false)
        rmSync(join(root, 'missing'))
        if (tree.length === 0) return
        const [folder, name, text] = tree[pick % tree.length]!
        write(`folder ${folder}/${name}`, `${text}!`)
        expect(holds({ seed: null, files }, now)).toBe(false)
        rmSync(join(root, `folder ${folder}/${name}`))
        expect(holds({ seed: null, files }, now)).toBe(false)
        write(`folder ${folder}/${name}`, text)
        expect(holds({ seed: null, files }, now)).toBe(true)
      }),
      { numRuns: 40 },
    )
  })

  it('never where a file changed while it ran, or where a path cannot be looked at', () => {
    write('a', '1')
    const now = { seed: 1, root }
    for (const path of ['a', 'nothing', 'a/', './'])
      expect(holds({ seed: null, files: { [path]: changedMeanwhile } }, now)).toBe(false)
    for (const path of ['../a', '/etc/passwd', '', 'a\\b', '\0', '..', 'a/..'])
      for (const digest of [null, sha256('1')])
        expect(holds({ seed: null, files: { [path]: digest } }, now)).toBe(false)
  })

  it('whatever the folder of the repository is called', () => {
    write('a', '1')
    const files = { a: seen('a')!, 'b/': null, './': seen('./')! }
    const moved = join(place, 'moved')
    renameSync(root, moved)
    expect(holds({ seed: null, files }, { seed: 1, root: moved })).toBe(true)
    symlinkSync(moved, join(place, 'link'))
    expect(holds({ seed: null, files }, { seed: 1, root: join(place, 'link') })).toBe(true)
  })
})

describe('what an execution would be seen to depend on now', () => {
  it('is the present seed where it used randomness, and what its paths hold now', () => {
    write('a', '1')
    write('folder/b', '1')
    const prior: ObservedLeaf = {
      seed: 3,
      files: { a: sha256('0'), missing: sha256('0'), 'folder/': null, '../a': null, 'a\\b': sha256('0') },
    }
    const files = {
      a: sha256('1'),
      missing: null,
      'folder/': seen('folder/'),
      '../a': changedMeanwhile,
      'a\\b': changedMeanwhile,
    }
    expect(presentlyObserved(prior, { seed: 4, root })).toEqual({ seed: 4, files })
    expect(presentlyObserved({ ...prior, seed: null }, { seed: 4, root })).toEqual({ seed: null, files })
  })

  it('equals what an earlier one was seen to depend on exactly where that holds', () => {
    write('a', '1')
    write('b', '')
    const path = fc.constantFrom('a', 'b', 'missing', './', '../a', 'a/..')
    const digest = fc.constantFrom(null, sha256('1'), sha256(''), sha256('other'))
    const leaves = fc.record({
      seed: fc.constantFrom(null, 0, 1),
      files: fc.dictionary(path, fc.oneof(digest, fc.constant('present' as const)), { maxKeys: 3 }),
    })
    fc.assert(
      fc.property(leaves, ({ seed, files }) => {
        const prior: ObservedLeaf = {
          seed,
          files: Object.fromEntries(
            Object.entries(files).map(([name, held]) => [name, held === 'present' ? (seen(name) ?? null) : held]),
          ),
        }
        const now = presentlyObserved(prior, { seed: 1, root })
        expect(canonicalJson(now as never) === canonicalJson(prior as never)).toBe(holds(prior, { seed: 1, root }))
      }),
    )
  })

  it('has no files for a record of the first format, which has none', () => {
    expect(presentlyObserved({ seed: 1 } as never, { seed: 2, root })).toEqual({ seed: 2, files: {} })
  })

  it('counts a file that changed while it ran as changed, even where its digest is the one that stands for that', () => {
    write('a', '1')
    write('forged', canonical('zenml observed change 1'))
    expect(seen('forged')).toBe(changedMeanwhile)
    const files = { a: changedMeanwhile, forged: changedMeanwhile }
    expect(presentlyObserved({ seed: null, files }, { seed: 1, root })).toEqual({ seed: null, files })
    expect(holds({ seed: null, files: { forged: changedMeanwhile } }, { seed: 1, root })).toBe(false)
  })
})
