import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { findPinned, findRepository, readPin } from '../../src/code/git-pin.ts'
import { GitFolder, repositoryAt } from './git-repository.ts'

let folder: GitFolder
beforeEach(() => {
  folder = new GitFolder()
})
afterEach(() => folder[Symbol.dispose]())

it('a snapshot holds changes, new files, removals, executable bits and links, and nothing ignored', async () => {
  const repository = folder.repository('plain')
  for (const name of ['kept.ts', 'changed.ts', 'removed.ts', 'script.sh', 'renamed.ts'])
    repository.write(name, `${name}\n`)
  repository.write('.gitignore', 'ignored/\n')
  repository.commit()
  repository.write('changed.ts', 'changed again\n')
  repository.write('staged.ts', 'staged\n')
  repository.git('add', 'staged.ts')
  repository.git('mv', 'renamed.ts', 'new name.ts')
  repository.write('folder/new é\n.ts', 'new\n')
  repository.write('ignored/x.ts', 'x\n')
  repository.write('.zenml/metadata.db', 'x\n')
  rmSync(join(repository.root, 'removed.ts'))
  chmodSync(join(repository.root, 'script.sh'), 0o755)
  symlinkSync('nowhere at all', join(repository.root, 'link'))
  symlinkSync('../outside', join(repository.root, 'folder/out'))
  const before = repository.untouched()
  const { ref, tree, commit } = await repository.snapshot()
  expect(repository.tree(ref)).toEqual({
    '.gitignore': '100644 ignored/\n',
    'changed.ts': '100644 changed again\n',
    'folder/new é\n.ts': '100644 new\n',
    'folder/out': '120000 ../outside',
    'kept.ts': '100644 kept.ts\n',
    link: '120000 nowhere at all',
    'new name.ts': '100644 renamed.ts\n',
    'script.sh': '100755 script.sh\n',
    'staged.ts': '100644 staged\n',
  })
  expect(repository.untouched()).toBe(before)
  expect(repository.git('rev-parse', `${ref}^{tree}`, ref, `${ref}^`).trim().split('\n')).toEqual([
    tree,
    commit,
    repository.git('rev-parse', 'HEAD').trim(),
  ])
  expect(await repository.snapshot()).toEqual({ ref, tree, commit, leftOut: [] })
})

it('stash, a merge with conflicts and a detached HEAD stay as they are', async () => {
  const repository = folder.repository('merge')
  repository.write('a.ts', '1\n')
  repository.commit()
  repository.write('a.ts', 'stashed\n')
  repository.git('stash', '-q')
  repository.git('checkout', '-q', '-b', 'other')
  repository.write('a.ts', '2\n')
  repository.commit()
  repository.git('checkout', '-q', '--detach', 'main')
  repository.write('a.ts', '3\n')
  repository.commit()
  expect(() => repository.git('merge', 'other')).toThrow()
  const before = repository.untouched()
  const { pin, files } = await repository.state()
  expect([pin.branch, pin.dirty, files]).toEqual([null, true, ['a.ts']])
  expect(repository.tree((await repository.snapshot()).ref)['a.ts']).toContain('<<<<<<<')
  expect(repository.untouched()).toBe(before)
})

it('a change in the very second in which the index was written, to a text of the same length, is in the snapshot', async () => {
  const repository = folder.repository('race')
  repository.write('a.ts', '1\n')
  repository.commit()
  repository.write('a.ts', '2\n')
  await wait(1100)
  expect(repository.tree((await repository.snapshot()).ref)).toEqual({ 'a.ts': '100644 2\n' })
})

it('before the first commit the snapshot is a commit without parents', async () => {
  const repository = folder.repository('new')
  expect((await repository.state()).pin).toMatchObject({ commit: null, tree: null, dirty: false, branch: 'main' })
  repository.write('a.ts', 'a\n')
  const before = repository.untouched()
  const { ref } = await repository.snapshot()
  expect(repository.tree(ref)).toEqual({ 'a.ts': '100644 a\n' })
  expect(repository.git('rev-list', ref).trim().split('\n')).toHaveLength(1)
  expect(repository.untouched()).toBe(before)
})

it('the pin of a clean repository names its commit and tree, and a bare one or a git folder has no pin', async () => {
  const repository = folder.repository('clean')
  repository.write('a.ts', 'a\n')
  const commit = repository.commit()
  expect((await repository.state()).pin).toEqual({
    commit,
    tree: repository.git('rev-parse', 'HEAD^{tree}').trim(),
    dirty: false,
    ref: null,
    remote: null,
    branch: 'main',
  })
  repository.git('clone', '-q', '--bare', '.', '../bare.git')
  expect(await findRepository(join(folder.path, 'bare.git'))).toBeUndefined()
  expect(await findRepository(join(repository.root, '.git'))).toBeUndefined()
  expect(await findRepository(join(repository.root, 'nothing', 'here'))).toBeUndefined()
})

it('what is found in one go is the repository and its state: at its top, below it, in a worktree, before a commit, and outside', async () => {
  const repository = folder.repository('in one go')
  const expectSame = async (directory: string): Promise<void> => {
    const place = (await findRepository(directory))!
    expect(await findPinned(directory)).toEqual({ repository: place, state: await readPin(place) })
  }
  await expectSame(repository.root)
  repository.write('steps/a.ts', 'a\n')
  repository.write('steps/flagged.ts', 'a\n')
  repository.commit()
  repository.git('remote', 'add', 'origin', 'https://example.org/a.git')
  repository.git('update-index', '--assume-unchanged', 'steps/flagged.ts')
  repository.write('steps/flagged.ts', 'b\n')
  repository.write('new.ts', 'b\n')
  await expectSame(repository.root)
  await expectSame(join(repository.root, 'steps'))
  expect((await findPinned(join(repository.root, 'steps')))!.state.files).toEqual(['steps/flagged.ts', 'new.ts'])
  repository.git('worktree', 'add', '-q', '--detach', '../in one go, linked')
  await expectSame(join(folder.path, 'in one go, linked'))
  expect(await findPinned(folder.path)).toBeUndefined()
})

it('changes inside of a submodule, new files too, are kept in the submodule, and the tree names them', async () => {
  const library = folder.repository('library')
  library.write('l.ts', '1\n')
  library.commit()
  const repository = folder.repository('super')
  repository.write('a.ts', 'a\n')
  repository.git('submodule', 'add', '-q', library.root, 'lib')
  repository.git('config', 'submodule.lib.ignore', 'all')
  const commit = repository.commit()
  expect((await repository.state()).pin).toMatchObject({ commit, dirty: false })

  const lib = repositoryAt(join(repository.root, 'lib'))
  lib.write('l.ts', '2\n')
  lib.write('new.ts', 'new\n')
  const before = repository.untouched()
  expect((await repository.state()).files).toEqual(['lib'])
  const first = await repository.snapshot()
  const named = repository.tree(first.ref)['lib']!.slice('160000 '.length)
  expect(lib.tree(named)).toEqual({ 'l.ts': '100644 2\n', 'new.ts': '100644 new\n' })
  expect(lib.git('for-each-ref', '--format=%(objectname)', 'refs/zenml').trim()).toBe(named)
  lib.write('new.ts', 'new again\n')
  expect((await repository.snapshot()).tree).not.toBe(first.tree)
  lib.write('new.ts', 'new\n')
  expect((await repository.snapshot()).tree).toBe(first.tree)
  expect(repository.untouched()).not.toBe(before)

  // A submodule that only moved to another commit of its own is named by that commit.
  const moved = lib.commit()
  expect(repository.tree((await repository.snapshot()).ref)['lib']).toBe(`160000 ${moved}`)
  rmSync(join(repository.root, 'lib'), { recursive: true })
  expect(repository.tree((await repository.snapshot()).ref)).not.toHaveProperty('lib')
})

it('a snapshot of changes in a submodule leaves index, HEAD and files of both repositories alone', async () => {
  const library = folder.repository('library')
  library.write('l.ts', '1\n')
  library.commit()
  const repository = folder.repository('super')
  repository.git('submodule', 'add', '-q', library.root, 'lib')
  repository.commit()
  repository.write('lib/l.ts', '2\n')
  const before = repository.untouched()
  await repository.snapshot()
  expect(repository.untouched()).toBe(before)
})

it('a repository that lies in another without being its submodule is kept too, with or without commits', async () => {
  const repository = folder.repository('outer')
  repository.write('a.ts', 'a\n')
  repository.commit()
  const inner = folder.repository('outer/in ner')
  folder.repository('outer/empty')
  inner.write('x.ts', 'x\n')
  const first = repository.tree((await repository.snapshot()).ref)
  expect(Object.keys(first)).toEqual(['a.ts', 'in ner'])
  expect(inner.tree(first['in ner']!.slice('160000 '.length))).toEqual({ 'x.ts': '100644 x\n' })
  const commit = inner.commit()
  expect(repository.tree((await repository.snapshot()).ref)['in ner']).toBe(`160000 ${commit}`)
})

it('a linked worktree has its own pin, and its snapshot leaves the main one alone', async () => {
  const repository = folder.repository('main')
  repository.write('a.ts', 'a\n')
  const commit = repository.commit()
  repository.git('worktree', 'add', '-q', '../linked', '-b', 'side')
  const linked = repositoryAt(join(folder.path, 'linked'))
  linked.write('b.ts', 'b\n')
  const before = [repository.untouched(), linked.untouched()]
  expect((await linked.state()).pin).toMatchObject({ commit, branch: 'side', dirty: true })
  expect((await repository.state()).pin).toMatchObject({ commit, branch: 'main', dirty: false })
  const { ref } = await linked.snapshot()
  expect(linked.tree(ref)).toEqual({ 'a.ts': '100644 a\n', 'b.ts': '100644 b\n' })
  expect([repository.untouched(), linked.untouched()]).toEqual(before)
})

it.each([false, true])(
  'a sparse checkout keeps what it does not show, and what lies outside of it (sparse index: %s)',
  async (index) => {
    const repository = folder.repository('sparse')
    for (const name of ['in/a.ts', 'out/b.ts', 'top.ts']) repository.write(name, `${name}\n`)
    const commit = repository.commit()
    repository.git('sparse-checkout', 'set', ...(index ? ['--sparse-index'] : []), 'in')
    expect((await repository.state()).pin).toMatchObject({ commit, dirty: false })
    repository.write('in/a.ts', 'changed\n')
    repository.write('out/new.ts', 'new\n')
    const before = repository.untouched()
    expect(repository.tree((await repository.snapshot()).ref)).toEqual({
      'in/a.ts': '100644 changed\n',
      'out/b.ts': '100644 out/b.ts\n',
      'out/new.ts': '100644 new\n',
      'top.ts': '100644 top.ts\n',
    })
    expect(repository.untouched()).toBe(before)
  },
)

it.each(['--assume-unchanged', '--skip-worktree'])(
  'a changed file that git was told not to look at (%s) is a change',
  async (flag) => {
    const repository = folder.repository('flagged')
    repository.write('a.ts', 'a\n')
    repository.write('b.ts', 'b\n')
    repository.commit()
    repository.git('update-index', flag, 'a.ts')
    expect((await repository.state()).pin.dirty).toBe(false)
    repository.write('a.ts', 'changed\n')
    const before = repository.untouched()
    expect((await repository.state()).files).toEqual(['a.ts'])
    expect(repository.tree((await repository.snapshot()).ref)).toEqual({
      'a.ts': '100644 changed\n',
      'b.ts': '100644 b\n',
    })
    expect(repository.untouched()).toBe(before)
  },
)

it('line ends and filters are those that a commit would have, also where git is set to refuse mixed ones', async () => {
  const repository = folder.repository('lines')
  repository.git('config', 'core.autocrlf', 'true')
  repository.git('config', 'filter.pointer.clean', 'sed s/^/pointer:/')
  repository.write('.gitattributes', '*.raw -text\n*.big filter=pointer\n')
  repository.write('a.ts', 'a\r\nb\r\n')
  repository.commit()
  repository.git('config', 'core.safecrlf', 'true')
  expect((await repository.state()).pin.dirty).toBe(false)
  repository.write('mixed.ts', 'x\r\ny\n')
  repository.write('b.raw', 'x\r\n')
  repository.write('c.big', 'data\r\n')
  const before = repository.untouched()
  expect(repository.tree((await repository.snapshot()).ref)).toEqual({
    '.gitattributes': '100644 *.raw -text\n*.big filter=pointer\n',
    'a.ts': '100644 a\nb\n',
    'b.raw': '100644 x\r\n',
    'c.big': '100644 pointer:data\n',
    'mixed.ts': '100644 x\ny\n',
  })
  expect(repository.untouched()).toBe(before)
})

it('the same tree on the same commit is the same snapshot, whatever the user has set', async () => {
  const repository = folder.repository('settings')
  repository.write('a.ts', 'a\n')
  repository.commit()
  repository.write('a.ts', 'b\n')
  const { commit } = await repository.snapshot()
  repository.git('update-ref', '-d', repository.git('for-each-ref', '--format=%(refname)', 'refs/zenml').trim())
  for (const [name, value] of [
    ['i18n.commitEncoding', 'ISO-8859-1'],
    ['commit.gpgSign', 'true'],
    ['user.name', 'Ada'],
    ['status.showUntrackedFiles', 'no'],
    ['core.splitIndex', 'true'],
    ['status.relativePaths', 'true'],
    ['core.quotePath', 'true'],
  ])
    repository.git('config', name!, value!)
  const before = repository.untouched()
  expect((await repository.snapshot()).commit).toBe(commit)
  expect(repository.untouched()).toBe(before)
})

it('a lock that another git holds, or left behind, hinders neither pin nor snapshot', async () => {
  const repository = folder.repository('locked')
  repository.write('a.ts', 'a\n')
  repository.commit()
  repository.write('a.ts', 'b\n')
  writeFileSync(join(repository.root, '.git/index.lock'), '')
  expect(repository.tree((await repository.snapshot()).ref)).toEqual({ 'a.ts': '100644 b\n' })
})

it('several runs that keep the same tree at the same moment all have it', async () => {
  const repository = folder.repository('together')
  repository.write('a.ts', 'a\n')
  repository.commit()
  repository.write('a.ts', 'b\n')
  const made = await Promise.all(Array.from({ length: 12 }, () => repository.snapshot()))
  expect(new Set(made.map(({ commit }) => commit)).size).toBe(1)
})

it("git's own variables, as hooks have them, lead to no other repository", async () => {
  const other = folder.repository('other')
  other.write('o.ts', 'o\n')
  other.commit()
  const repository = folder.repository('one')
  repository.write('a.ts', 'a\n')
  const commit = repository.commit()
  repository.write('a.ts', 'b\n')
  const variables = {
    GIT_DIR: join(other.root, '.git'),
    GIT_WORK_TREE: other.root,
    GIT_INDEX_FILE: join(other.root, '.git/index'),
    GIT_OBJECT_DIRECTORY: join(other.root, '.git/objects'),
    GIT_LITERAL_PATHSPECS: '1',
  }
  const before = other.untouched()
  Object.assign(process.env, variables)
  try {
    expect((await repository.state()).pin).toMatchObject({ commit, dirty: true })
    const { ref } = await repository.snapshot()
    for (const name of Object.keys(variables)) delete process.env[name]
    expect(repository.tree(ref)).toEqual({ 'a.ts': '100644 b\n' })
  } finally {
    for (const name of Object.keys(variables)) delete process.env[name]
  }
  expect(other.untouched()).toBe(before)
})

it('an untracked file too large for code is left out and named, also inside of a submodule', async () => {
  const repository = folder.repository('large')
  repository.write('a.ts', 'a\n')
  repository.commit()
  repository.write('da*ta.bin', new Uint8Array((50 << 20) + 1))
  const inner = folder.repository('large/inner')
  inner.write('x.ts', 'x\n')
  inner.write('more.bin', new Uint8Array((50 << 20) + 1))
  const { ref, leftOut } = await repository.snapshot()
  expect(leftOut).toEqual(['da*ta.bin', 'inner/more.bin'])
  expect(Object.keys(repository.tree(ref))).toEqual(['a.ts', 'inner'])
})

it('a filter that fails is an error that says where and what, and nothing is kept', async () => {
  const repository = folder.repository('filter')
  repository.git('config', 'filter.broken.clean', 'false')
  repository.git('config', 'filter.broken.required', 'true')
  repository.write('.gitattributes', '*.bin filter=broken\n')
  repository.commit()
  repository.write('x.bin', 'x\n')
  await expect(repository.snapshot()).rejects.toMatchObject({
    code: 'ZEN_GIT',
    message: expect.stringMatching(/^git add failed in .*filter.*x\.bin: clean filter 'broken' failed/s),
    next: expect.stringContaining('git status'),
  })
  expect(repository.git('for-each-ref', 'refs/zenml')).toBe('')
})

it('ten thousand changed files cost no more than a few times what git add itself takes', async () => {
  const repository = folder.repository('many')
  for (let index = 0; index < 10_000; index++) {
    if (index % 100 === 0) mkdirSync(join(repository.root, `folder${index / 100}`))
    writeFileSync(
      join(repository.root, `folder${Math.floor(index / 100)}`, `file${index}.ts`),
      `export const x = ${index}\n`,
    )
  }
  const own = performance.now()
  const index = join(folder.path, 'other-index')
  mkdirSync(join(folder.path, 'objects'))
  execFileSync('git', ['add', '-A'], {
    cwd: repository.root,
    env: { ...process.env, GIT_INDEX_FILE: index, GIT_OBJECT_DIRECTORY: join(folder.path, 'objects') },
  })
  const peer = performance.now() - own
  const started = performance.now()
  const { tree } = await repository.snapshot()
  expect(performance.now() - started).toBeLessThan(4 * peer)
  expect(repository.git('ls-tree', '-r', '--name-only', tree).trim().split('\n')).toHaveLength(10_000)
})
