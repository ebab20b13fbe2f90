import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterEach } from 'vitest'

const made: string[] = []
afterEach(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true })
})

/** A folder with files in it, removed after the test; `-> target` as content makes a link. */
export function temporaryProject(files: { readonly [path: string]: string }, prefix = 'zenml-code-'): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), prefix)))
  made.push(root)
  writeFiles(root, files)
  return root
}

/** Writes files below a folder. */
export function writeFiles(root: string, files: { readonly [path: string]: string }): void {
  for (const [path, content] of Object.entries(files)) {
    const target = join(root, path)
    mkdirSync(dirname(target), { recursive: true })
    if (content.startsWith('-> ')) symlinkSync(content.slice(3), target)
    else writeFileSync(target, content)
  }
}

/** A package as npm would have installed it. */
export function installed(
  name: string,
  version: string,
  code: string,
  more: object = { sideEffects: false },
): { [path: string]: string } {
  return {
    [`node_modules/${name}/package.json`]: JSON.stringify({ name, version, type: 'module', main: 'index.js', ...more }),
    [`node_modules/${name}/index.js`]: code,
  }
}

/** Stand-ins for the packages that steps are written with. */
export const sdk: { readonly [path: string]: string } = {
  'package.json': '{ "name": "demo", "version": "1.0.0", "private": true, "type": "module" }',
  ...installed(
    'zenml',
    '1.0.0',
    'export const step = (definition) => Object.assign(() => {}, { definition })\nexport const split = step({ name: "split" })',
  ),
  ...installed(
    'zod',
    '4.0.0',
    'const chain = new Proxy(() => chain, { get: () => chain })\nexport const object = chain, number = chain, string = chain\nexport const z = { object, number, string }',
  ),
}

/** Two steps in one file, a helper three imports away, a re-exported constant and data. */
export const twoSteps: { readonly [path: string]: string } = {
  ...sdk,
  'steps/train.ts': `
import { step } from 'zenml'
import * as z from 'zod'
import { scale } from '../lib/a.ts'
import { rate } from '../lib/constants.ts'
import limits from '../data/limits.json' with { type: 'json' }
import { loud } from '../lib/loud.ts'

// trains
export const train = step({
  name: 'train',
  parameters: z.object({ epochs: z.number().int().default(3) }).strict(),
  run: () => scale(rate) + limits.most,
})

export const other = step({
  name: 'other',
  parameters: z.object({ 'volume': z.number().default(11) }),
  run: () => loud(2),
})
`,
  'lib/a.ts': `import { b } from './deep/b.ts'\nexport const scale = (x: number): number => b(x)\nexport const unused = 1\n`,
  'lib/deep/b.ts': `import { c } from '../../far/c.ts'\nexport const b = (x: number): number => c(x)\n`,
  'far/c.ts': `export function c(x: number): number {\n  return x * 2\n}\n`,
  'lib/constants.ts': `export { rate } from './rates.ts'\n`,
  'lib/rates.ts': `export const rate = 0.1\nexport const otherRate = 0.2\n`,
  'lib/loud.ts': `export const loud = (x: number): string => 'A'.repeat(x)\n`,
  'data/limits.json': '{ "most": 10, "least": 1 }',
}
