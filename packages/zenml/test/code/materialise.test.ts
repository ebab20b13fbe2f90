import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import fc from 'fast-check'
import { expect, it } from 'vitest'
import { sha256 } from '../../src/base/digest.ts'
import { withCarriageReturns, withLineFeeds } from '../../src/code/line-ends.ts'
import { materialiseCode } from '../../src/code/materialise.ts'
import { hideCredentials, isFetchable } from '../../src/code/remotes.ts'
import {
  commitFiles,
  filesOf,
  pinNow,
  repositoryWith,
  runGit,
  stateOf,
  temporaryFolder,
} from './temporary-repository.ts'

// Submodules from folders are refused by git's defaults; a user who has them has allowed them.
process.env['GIT_CONFIG_GLOBAL'] = '/dev/null'
process.env['GIT_CONFIG_SYSTEM'] = '/dev/null'
process.env['GIT_CONFIG_COUNT'] = '1'
process.env['GIT_CONFIG_KEY_0'] = 'protocol.file.allow'
process.env['GIT_CONFIG_VALUE_0'] = 'always'

const code = {
  'steps/train.ts': 'export const train = 1\n',
  'lib/scale.ts': 'export const factor = 2\n',
  'run.sh': 'exit 0\n',
}

it('lays out the tree of a commit byte for byte while the user has edits, a stash and staged changes, and touches none of them', async () => {
  const root = repositoryWith(code)
  chmodSync(join(root, 'run.sh'), 0o755)
  symlinkSync('lib/scale.ts', join(root, 'link.ts'))
  commitFiles(root, {})
  const wanted = filesOf(root)
  const pin = await pinNow(root)
  commitFiles(root, { 'steps/train.ts': 'changed\n' })
  writeFileSync(join(root, 'lib/scale.ts'), 'stashed\n')
  runGit(root, 'stash')
  rmSync(join(root, 'steps/train.ts'))
  writeFileSync(join(root, 'staged.ts'), 'staged\n')
  runGit(root, 'add', 'staged.ts')
  writeFileSync(join(root, 'untracked.ts'), 'untracked\n')
  for (const [name, value] of [
    ['core.fsmonitor', 'true'],
    ['core.splitIndex', 'true'],
    ['submodule.recurse', 'true'],
  ])
    runGit(root, 'config', name!, value!)
  const hook = join(root, '.git/hooks/post-index-change')
  writeFileSync(hook, `#!/bin/sh\ntouch ${root}/hook-ran\n`, { mode: 0o755 })
  const before = stateOf(root)
  const target = join(temporaryFolder(), 'code')
  const made = await materialiseCode({
    repository: root,
    pin,
    target,
    files: { 'steps/train.ts': sha256(code['steps/train.ts']) },
  })
  expect(made).toEqual({ tree: pin.tree, fetchedFrom: null, differences: [], leading: [] })
  expect(filesOf(target)).toEqual(wanted)
  expect(wanted['run.sh']).toBe('!exit 0\n')
  expect(stateOf(root)).toEqual(before)
})

it('lays out a dirty run after its changes, untracked files included, are gone', async () => {
  const root = repositoryWith(code)
  writeFileSync(join(root, 'lib/scale.ts'), 'export const factor = 3\n')
  writeFileSync(join(root, 'steps/new.ts'), 'export const fresh = 1\n')
  const wanted = filesOf(root)
  const pin = await pinNow(root)
  runGit(root, 'checkout', '-q', '.')
  rmSync(join(root, 'steps/new.ts'))
  const target = temporaryFolder()
  await materialiseCode({ repository: root, pin, target })
  expect(filesOf(target)).toEqual(wanted)
})

it('a repository without commits, a linked worktree, a sparse checkout and a bare repository all give the whole tree', async () => {
  const empty = repositoryWith()
  writeFileSync(join(empty, 'a.ts'), 'a\n')
  const first = temporaryFolder()
  await materialiseCode({ repository: empty, pin: await pinNow(empty), target: first })
  expect(filesOf(first)).toEqual({ 'a.ts': 'a\n' })

  const root = repositoryWith(code)
  const pin = await pinNow(root)
  const tree = join(temporaryFolder(), 'tree')
  runGit(root, 'worktree', 'add', '-q', tree, '-b', 'other')
  runGit(tree, 'sparse-checkout', 'set', 'lib')
  expect(existsSync(join(tree, 'steps'))).toBe(false)
  const bare = join(temporaryFolder(), 'bare.git')
  runGit(root, 'clone', '-q', '--bare', root, bare)
  for (const repository of [tree, join(tree, 'lib'), bare]) {
    const before = stateOf(repository)
    const target = temporaryFolder()
    expect((await materialiseCode({ repository, pin, target })).differences).toEqual([])
    expect(Object.keys(filesOf(target))).toEqual(['lib/scale.ts', 'run.sh', 'steps/train.ts'])
    expect(stateOf(repository)).toEqual(before)
  }
})

it('a shallow clone fetches an older commit from its remote and keeps it through gc, without moving any branch', async () => {
  const origin = repositoryWith(code)
  const past = await pinNow(origin)
  commitFiles(origin, { 'steps/train.ts': 'later\n' })
  const clone = join(temporaryFolder(), 'clone')
  runGit(origin, 'clone', '-q', '--depth', '1', `file://${origin}`, clone)
  commitFiles(origin, { 'steps/train.ts': 'later still\n' })
  runGit(clone, 'config', 'fetch.prune', 'true')
  const pin = { ...past, remote: `file://${origin}` }
  const before = stateOf(clone)
  const told: string[] = []
  const target = temporaryFolder()
  const made = await materialiseCode({ repository: clone, pin, target, onProgress: (text) => told.push(text) })
  expect(made.fetchedFrom).toContain('origin')
  expect(told).toHaveLength(1)
  expect(readFileSync(join(target, 'steps/train.ts'), 'utf8')).toBe(code['steps/train.ts'])
  const { refs, shallow: _shallow, ...after } = stateOf(clone)
  const { refs: refsBefore, shallow: _before, ...rest } = before
  expect(after).toEqual(rest)
  expect(refs!.split('\n').filter((line) => !line.includes('refs/zenml/fetched/'))).toEqual(refsBefore!.split('\n'))
  runGit(clone, 'gc', '-q', '--prune=now')
  const again = await materialiseCode({ repository: clone, pin, target: temporaryFolder() })
  expect(again.fetchedFrom).toBeNull()
})

it('a pin of a real commit with the tree of another takes nothing away from what is kept, whether that tree can be had or not', async () => {
  const origin = repositoryWith(code)
  const past = await pinNow(origin)
  const unknown = 'b'.repeat(40)
  const branch = join(temporaryFolder(), 'branch')
  runGit(origin, 'worktree', 'add', '-q', branch, '-b', 'other')
  commitFiles(branch, { 'steps/train.ts': 'of the other branch\n' })
  const other = runGit(branch, 'rev-parse', 'HEAD^{tree}')
  commitFiles(origin, { 'steps/train.ts': 'later\n' })
  const clone = join(temporaryFolder(), 'clone')
  runGit(origin, 'clone', '-q', '--depth', '1', `file://${origin}`, clone)
  const pin = { ...past, remote: `file://${origin}`, branch: 'other' }
  await materialiseCode({ repository: clone, pin, target: temporaryFolder() })
  // As an older version named it.
  runGit(clone, 'update-ref', `refs/zenml/fetched/${pin.commit}`, pin.commit!)
  runGit(clone, 'update-ref', `refs/zenml/fetched/${unknown}`, pin.commit!)
  const kept = runGit(clone, 'for-each-ref', 'refs/zenml')
  const wrong = { ...pin, tree: unknown }
  await expect(materialiseCode({ repository: clone, pin: wrong, target: temporaryFolder() })).rejects.toMatchObject({
    code: 'ZEN_CODE_GONE',
  })
  expect(runGit(clone, 'for-each-ref', 'refs/zenml')).toBe(kept)
  await materialiseCode({ repository: clone, pin: { ...pin, tree: other }, target: temporaryFolder() })
  expect(runGit(clone, 'for-each-ref', 'refs/zenml').split('\n')).toEqual(expect.arrayContaining(kept.split('\n')))
  expect(runGit(clone, 'for-each-ref', 'refs/heads').split('\n')).toHaveLength(1)
})

it('a dirty snapshot comes from a remote it was pushed to, and names the way out where it was not', async () => {
  const origin = join(temporaryFolder(), 'origin.git')
  const root = repositoryWith(code)
  runGit(root, 'clone', '-q', '--bare', root, origin)
  const clone = join(temporaryFolder(), 'clone')
  runGit(root, 'clone', '-q', origin, clone)
  writeFileSync(join(root, 'lib/scale.ts'), 'export const factor = 3\n')
  const pin = { ...(await pinNow(root)), remote: origin }
  const target = temporaryFolder()
  await expect(materialiseCode({ repository: clone, pin, target })).rejects.toMatchObject({
    code: 'ZEN_CODE_GONE',
    next: expect.stringContaining('zenml code push'),
    message: expect.stringContaining('origin'),
  })
  expect(readdirSync(target)).toEqual([])
  expect(runGit(clone, 'for-each-ref', 'refs/zenml')).toBe('')
  runGit(root, 'push', '-q', origin, pin.ref!)
  await materialiseCode({ repository: clone, pin, target })
  expect(readFileSync(join(target, 'lib/scale.ts'), 'utf8')).toBe('export const factor = 3\n')
})

it('neither a path of this machine nor a helper nor an option is fetched from because a record says so', async () => {
  const secret = repositoryWith({ 'secret.txt': 'x' })
  const root = repositoryWith(code)
  const pin = await pinNow(secret)
  const mark = join(root, 'ran')
  for (const remote of [
    secret,
    `file://${secret}`,
    `ext::sh -c touch% ${mark}`,
    `--upload-pack=touch ${mark}`,
    'ssh://-oProxyCommand=x/y',
  ]) {
    await expect(
      materialiseCode({ repository: root, pin: { ...pin, remote }, target: temporaryFolder() }),
    ).rejects.toMatchObject({
      code: 'ZEN_CODE_GONE',
      message: expect.stringContaining('only https, ssh and git'),
    })
  }
  expect(existsSync(mark)).toBe(false)
})

it('only addresses that name another machine are taken from outside', () => {
  for (const url of [
    'https://a.example/x.git',
    'https://a.example:8443/x',
    'ssh://git@a.example/x',
    'git://a.example/x',
    'git@a.example:team/x.git',
    'host.example:x',
    'ssh://[::1]:22/x',
  ])
    expect([url, isFetchable(url)]).toEqual([url, true])
  for (const url of [
    '',
    '-x',
    '/srv/x',
    '../x',
    'x',
    'file:///x',
    'http://a.example/x',
    'ext::sh',
    'C:/x',
    'C:x',
    'ssh://-x/y',
    '-o:x',
    'git@-o:x',
    'a b:c',
    'https://a/x\n',
    'fd::3',
    'git@h:-x',
    'javascript://x',
    'https://-h/x',
    'https://u@-h/x',
  ])
    expect([url, isFetchable(url)]).toEqual([url, false])
  expect(hideCredentials("fatal: 'https://u:p@h/x' and ssh://k@h/y")).toBe("fatal: 'https://h/x' and ssh://h/y")
})

it('a damaged pin and a folder with something in it are refused before anything happens', async () => {
  const root = repositoryWith(code)
  const pin = await pinNow(root)
  const at = { repository: root, target: temporaryFolder() }
  for (const bad of [{ tree: '--help' }, { commit: 'main' }, { ref: 'refs/heads/main' }])
    await expect(materialiseCode({ ...at, pin: { ...pin, ...bad } })).rejects.toMatchObject({ code: 'ZEN_CODE_PIN' })
  await expect(materialiseCode({ ...at, pin: { ...pin, tree: null } })).rejects.toMatchObject({
    code: 'ZEN_CODE_UNPINNED',
  })
  await expect(materialiseCode({ ...at, target: root, pin })).rejects.toMatchObject({ code: 'ZEN_CODE_TARGET' })
})

it('a place that takes no file of the code is named as that, not as damage of the repository', async () => {
  const root = repositoryWith(code)
  const pin = await pinNow(root)
  // Git holds a name that no file system takes.
  const blob = runGit(root, 'rev-parse', 'HEAD:run.sh')
  runGit(root, 'update-index', '--add', '--cacheinfo', `100644,${blob},${'name'.repeat(75)}`)
  const tree = runGit(root, 'write-tree')
  const target = temporaryFolder()
  await expect(materialiseCode({ repository: root, pin: { ...pin, tree }, target })).rejects.toMatchObject({
    code: 'ZEN_CODE_TARGET',
    message: expect.stringContaining('File name too long'),
    next: expect.stringContaining('can be written'),
  })
  expect(readdirSync(target)).toEqual([])
})

it('line ends are those that the run read, whatever this clone makes of them', async () => {
  const root = repositoryWith({ 'a.ts': 'one\ntwo\n', 'b.ts': 'one\r\ntwo\r\n', 'data.csv': 'x\n1\n' })
  const pin = await pinNow(root)
  runGit(root, 'config', 'core.autocrlf', 'true')
  const target = temporaryFolder()
  const files = { 'a.ts': sha256('one\ntwo\n'), 'b.ts': sha256('one\r\ntwo\r\n') }
  expect((await materialiseCode({ repository: root, pin, target, files })).differences).toEqual([])
  expect(filesOf(target)).toEqual({ 'a.ts': 'one\ntwo\n', 'b.ts': 'one\r\ntwo\r\n', 'data.csv': 'x\r\n1\r\n' })

  runGit(root, 'config', 'core.autocrlf', 'false')
  const second = temporaryFolder()
  const windows = { 'a.ts': sha256('one\r\ntwo\r\n') }
  expect((await materialiseCode({ repository: root, pin, target: second, files: windows })).differences).toEqual([])
  expect(readFileSync(join(second, 'a.ts'), 'utf8')).toBe('one\r\ntwo\r\n')
})

it('what a run read and the tree does not hold is named, and a link that leads outside is not followed', async () => {
  const outside = temporaryFolder()
  writeFileSync(join(outside, 'x.ts'), 'one\n')
  const root = repositoryWith({ '.gitignore': 'generated.ts\n', ...code })
  symlinkSync(outside, join(root, 'out'))
  symlinkSync('../..', join(root, 'lib/up'))
  commitFiles(root, {})
  const files = {
    'generated.ts': sha256('x'),
    'steps/train.ts': sha256('other'),
    'out/x.ts': sha256('one\r\n'),
    '../x': sha256('y'),
  }
  const made = await materialiseCode({ repository: root, pin: await pinNow(root), target: temporaryFolder(), files })
  expect(made.differences).toEqual([
    { path: '../x', kind: 'missing' },
    { path: 'generated.ts', kind: 'missing' },
    { path: 'out/x.ts', kind: 'missing' },
    { path: 'steps/train.ts', kind: 'content' },
  ])
  expect(made.leading).toEqual(['lib/up', 'out'])
  expect(readFileSync(join(outside, 'x.ts'), 'utf8')).toBe('one\n')
})

it('submodules are laid out from their repository here, nested ones too, else from the configured address, else named', async () => {
  const deep = repositoryWith({ 'deep.ts': 'deep\n' })
  const inner = repositoryWith({ 'inner.ts': 'inner\n' })
  runGit(inner, 'submodule', '--quiet', 'add', '--name', 'deep', deep, 'deep')
  commitFiles(inner, {})
  const root = repositoryWith(code)
  runGit(root, 'submodule', '--quiet', 'add', '--name', 'inner', inner, 'vendor/inner')
  runGit(root, 'submodule', '--quiet', 'update', '--init', '--recursive')
  commitFiles(root, {})
  const pin = await pinNow(root)
  const before = stateOf(root)
  const target = temporaryFolder()
  await materialiseCode({ repository: root, pin, target })
  const laidOut = filesOf(target)
  expect(laidOut['vendor/inner/inner.ts']).toBe('inner\n')
  expect(laidOut['vendor/inner/deep/deep.ts']).toBe('deep\n')
  expect(stateOf(root)).toEqual(before)

  const clone = join(temporaryFolder(), 'clone')
  runGit(root, 'clone', '-q', root, clone)
  const at = { repository: clone, pin }
  // The address in .gitmodules is a path, which anyone could have committed.
  await expect(materialiseCode({ ...at, target: temporaryFolder() })).rejects.toMatchObject({
    code: 'ZEN_CODE_GONE',
    message: expect.stringContaining('vendor/inner'),
  })
  const without = await materialiseCode({
    ...at,
    target: temporaryFolder(),
    files: { 'lib/scale.ts': sha256(code['lib/scale.ts']) },
  })
  expect(without.differences).toEqual([{ path: 'vendor/inner', kind: 'submodule' }])
  runGit(clone, 'submodule', '--quiet', 'init')
  renameSync(join(root, '.git/modules/inner'), join(root, '.git/modules/away'))
  const second = temporaryFolder()
  await expect(materialiseCode({ ...at, target: second })).rejects.toMatchObject({
    message: expect.stringContaining('vendor/inner/deep'),
  })
  mkdirSync(join(clone, '.git/modules'), { recursive: true })
  runGit(clone, 'submodule', '--quiet', 'update', '--init', '--recursive')
  await materialiseCode({ ...at, target: second })
  expect(filesOf(second)['vendor/inner/deep/deep.ts']).toBe('deep\n')
})

it('changes in a submodule, and a repository inside of this one, come back as they ran', async () => {
  const inner = repositoryWith({ 'inner.ts': 'inner\n' })
  const root = repositoryWith(code)
  runGit(root, 'submodule', '--quiet', 'add', inner, 'vendor/inner')
  commitFiles(root, {})
  writeFileSync(join(root, 'vendor/inner/inner.ts'), 'changed\n')
  mkdirSync(join(root, 'own'))
  runGit(join(root, 'own'), 'init', '-q', '-b', 'main')
  commitFiles(join(root, 'own'), { 'own.ts': 'own\n' })
  const pin = await pinNow(root)
  runGit(join(root, 'vendor/inner'), 'checkout', '-q', '.')
  const target = temporaryFolder()
  expect((await materialiseCode({ repository: root, pin, target })).differences).toEqual([])
  expect(filesOf(target)).toMatchObject({ 'vendor/inner/inner.ts': 'changed\n', 'own/own.ts': 'own\n' })
})

it('git filters run as the user configured them, and a filtered file counts as what its object says', async () => {
  const root = repositoryWith({ '.gitattributes': '*.big filter=shout\n' })
  runGit(root, 'config', 'filter.shout.clean', 'tr A-Z a-z')
  runGit(root, 'config', 'filter.shout.smudge', 'tr a-z A-Z')
  commitFiles(root, { 'model.big': 'WEIGHTS\n' })
  expect(runGit(root, 'cat-file', 'blob', 'HEAD:model.big')).toBe('weights')
  const target = temporaryFolder()
  expect((await materialiseCode({ repository: root, pin: await pinNow(root), target })).differences).toEqual([])
  expect(readFileSync(join(target, 'model.big'), 'utf8')).toBe('WEIGHTS\n')
})

it('a stopped call ends with the reason and leaves the folder empty', async () => {
  const root = repositoryWith(code)
  const target = temporaryFolder()
  const call = materialiseCode({
    repository: root,
    pin: await pinNow(root),
    target,
    signal: AbortSignal.abort(new Error('stop')),
  })
  await expect(call).rejects.toThrow('stop')
  expect(readdirSync(target)).toEqual([])
})

it('line ends go there and back again', () => {
  fc.assert(
    fc.property(fc.array(fc.constantFrom(10, 13, 65)), (codes) => {
      const bytes = Uint8Array.from(codes)
      expect(withLineFeeds(withCarriageReturns(bytes))).toEqual(bytes)
    }),
  )
})
