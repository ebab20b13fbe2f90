import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { afterEach, expect, it } from 'vitest'
import { findBreaches, floors, specifiers } from './floors.ts'

const src = fileURLToPath(new URL('../../src', import.meta.url))
const planted: string[] = []
afterEach(() => {
  for (const directory of planted.splice(0)) rmSync(directory, { recursive: true })
})

function plant(files: { readonly [path: string]: string }): string {
  const directory = mkdtempSync(join(tmpdir(), 'zenml-floors-'))
  planted.push(directory)
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(directory, path)), { recursive: true })
    writeFileSync(join(directory, path), text)
  }
  return directory
}

it('no file imports from a higher floor or from a neighbour on its own', () => {
  expect(findBreaches(src)).toEqual([])
})

it('every folder of the sources has a floor', () => {
  expect(readdirSync(src).filter((folder) => floors[folder] === undefined)).toEqual([])
})

it.each([
  ['static', `import { run } from '../run/run.ts'`],
  ['of types', `import type { Run } from '../run/run.ts'`],
  ['over several lines', `import {\n  a,\n  b,\n} from '../run/run.ts'`],
  ['re-exporting', `export * from '../run/run.ts'`],
  ['for its side effects', `import '../run/run.ts'`],
  ['dynamic', `const run = await import('../run/run.ts')`],
])('an upward import, %s, is found', (_kind, text) => {
  const directory = plant({ 'base/digest.ts': text, 'run/run.ts': 'export {}' })
  expect(findBreaches(directory)).toEqual([
    { file: 'base/digest.ts', specifier: '../run/run.ts', why: 'floor 0 (base) imports floor 5 (run)' },
  ])
})

it('an import between two folders of one floor is found', () => {
  const directory = plant({ 'code/git.ts': `import '../formats/batch.ts'` })
  expect(findBreaches(directory)).toHaveLength(1)
})

it('imports in comments are none', () => {
  expect(specifiers(`// import '../run/run.ts'\n/* import '../cli/main.ts' */\n`)).toEqual([])
})
