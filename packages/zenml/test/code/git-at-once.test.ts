import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { git } from '../../src/code/git.ts'
import { gitAtOnce } from '../../src/code/git-at-once.ts'

let folder: string
let repository: string
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'zenml-git-'))
  repository = join(folder, `it's a "strange" $(place) ; with\nlines`)
  mkdirSync(repository)
  execFileSync('git', ['init', '--quiet', repository])
  // More than a pipe holds.
  writeFileSync(join(repository, 'large'), 'ä'.repeat(500_000))
  execFileSync('git', ['-C', repository, 'add', '.'])
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

it('several commands print what each prints by itself, whatever the words are', async () => {
  const commands = [
    ['rev-parse', '--show-toplevel'],
    ['cat-file', 'blob', ':large'],
    ['rev-parse', '--sq-quote', `'`, `a'b`, '$HOME', '`id`', 'two\nlines', '', '\\', '*'],
    ['ls-files', '-v', '-z'],
  ]
  const results = await gitAtOnce(repository, commands)
  const alone = await Promise.all(commands.map((args) => git(repository, args)))
  expect(results).toEqual(alone)
  expect(alone[1]).toHaveLength(500_000)
})

it('one that fails leaves the others alone', async () => {
  const results = await gitAtOnce(repository, [
    ['ls-files', '-z'],
    ['cat-file', 'blob', ':absent'],
  ])
  expect(results).toEqual(['large\0', undefined])
})

it('more commands than a shell has descriptors for are run all the same', async () => {
  const results = await gitAtOnce(repository, new Array(12).fill(['ls-files', '-z']))
  expect(results).toEqual(new Array(12).fill('large\0'))
})
