import { readdirSync, realpathSync, statSync } from 'node:fs'
import { basename, join, relative, resolve, sep } from 'node:path'
import { compareText } from '../base/canonical.ts'
import { systemCode, ZenmlError } from '../base/errors.ts'
import { didYouMean } from '../base/nearest.ts'
import { parseStepSource } from '../model/pipeline-spec.ts'
import { isScript } from './prepare-module.ts'
import { packageName } from './resolve-import.ts'
import type { SourceTree } from './source-tree.ts'

/** What a step's source names. */
export interface StepModule {
  /** What the bundle's entry imports: `./steps/train.ts` or `zenml/steps`. */
  readonly specifier: string
  readonly exportName: string
  /** Real path of the local file; null where a package is named. */
  readonly file: string | null
}

/**
 * Finds the module that a step's source names: a file inside the root, or a module of an installed package.
 *
 * Throws `ZEN_STEP_SOURCE_OUTSIDE` for a file that lies (really, behind links) outside of the root, and
 * `ZEN_STEP_SOURCE_MISSING` where there is neither file nor package.
 */
export function findStepModule(tree: SourceTree, source: string): StepModule {
  const { module, exportName } = parseStepSource(source)
  if (module === '' || exportName === '') {
    throw new ZenmlError('ZEN_STEP_SOURCE_MISSING', `"${source}" names no ${module === '' ? 'module' : 'export'}.`, {
      facts: { source },
      next: 'Write it as "steps/train.ts#train" or "zenml/steps#split".',
    })
  }
  const path = resolve(tree.root, module)
  if (/^(?:[A-Za-z][A-Za-z0-9+.-]*:|[\\/])/.test(module) || !isWithin(tree, path)) throw outside(source, module)
  const file = realFile(path)
  if (file !== undefined) {
    if (!tree.isLocal(file)) throw outside(source, module)
    if (!isScript(file)) {
      throw new ZenmlError('ZEN_STEP_SOURCE_MISSING', `${tree.name(file)} is no TypeScript or JavaScript module.`, {
        facts: { source },
        next: 'Name the module that exports the step.',
      })
    }
    return { specifier: `./${tree.name(file)}`, exportName, file }
  }
  const isPackage = !module.startsWith('.') && tree.findPackage(tree.root, packageName(module)) !== undefined
  if (isPackage) return { specifier: module, exportName, file: null }
  throw missing(tree, source, module)
}

/** The text of a bundle's entry: the step as default export. */
export function entryOf({ specifier, exportName }: StepModule): string {
  return `export { ${JSON.stringify(exportName)} as default } from ${JSON.stringify(specifier)}`
}

function isWithin(tree: SourceTree, path: string): boolean {
  const inside = relative(tree.root, path)
  return inside !== '' && inside !== '..' && !inside.startsWith(`..${sep}`)
}

function realFile(path: string): string | undefined {
  try {
    const real = realpathSync(path)
    return statSync(real).isFile() ? real : undefined
  } catch (error) {
    if (['ENOENT', 'ENOTDIR', 'ELOOP'].includes(systemCode(error) ?? '')) return undefined
    throw error
  }
}

function outside(source: string, module: string): ZenmlError {
  return new ZenmlError('ZEN_STEP_SOURCE_OUTSIDE', `"${module}" is not inside of the repository.`, {
    facts: { source },
    next: 'A step comes from a file of the repository or from an installed package: "steps/train.ts#train", "zenml/steps#split".',
  })
}

function missing(tree: SourceTree, source: string, module: string): ZenmlError {
  const files = scriptsBelow(tree)
  const byName =
    files.find((file) => file.replace(/\.[^./]+$/, '') === module) ??
    files.find((file) => basename(file) === basename(module))
  const hint = byName === undefined ? didYouMean(module, files) : ` Did you mean "${byName}"?`
  const isFile = isScript(module) || module.startsWith('.')
  const what = isFile
    ? `There is no file ${module}.`
    : `There is no file ${module}, and no package ${packageName(module)} is installed.`
  return new ZenmlError('ZEN_STEP_SOURCE_MISSING', `${what}${hint}`, {
    facts: { source },
    next: isFile
      ? 'Correct the path: it is relative to the root of the repository.'
      : `Correct the path, or run "npm install ${packageName(module)}".`,
  })
}

/** How many files a suggestion is sought among. */
const limit = 2_000

function scriptsBelow(tree: SourceTree): string[] {
  const found: string[] = []
  const open = [tree.root]
  for (let directory = open.shift(); directory !== undefined && found.length < limit; directory = open.shift()) {
    for (const entry of readdirSync(directory, { withFileTypes: true }).sort((a, b) => compareText(a.name, b.name))) {
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue
      const path = join(directory, entry.name)
      if (entry.isDirectory()) open.push(path)
      else if (entry.isFile() && isScript(path)) found.push(tree.name(path))
    }
  }
  return found
}
