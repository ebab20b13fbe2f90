import type { Metafile } from 'esbuild'
import { compareText } from '../base/canonical.ts'
import type { CodeImports } from '../model/fingerprint.ts'

/** What a bundle's imports are found from. */
export interface ImportGraph {
  /** Name of the module that it starts with. */
  readonly entry: string
  /** Whether that is a file of the project (a program) and not the module that stands before the step's own. */
  readonly entryIsFile: boolean
  /** The files that gave code or content to it. */
  readonly files: readonly string[]
  /** The bundler's own account: what each module imports, by names relative to the root. */
  readonly inputs: Metafile['inputs']
  /** Package and importing file, each pair that is used. */
  readonly packages: readonly (readonly [name: string, importer: string])[]
  /** The imports of the programs (workers) that belong to it. */
  readonly programs: readonly CodeImports[]
}

/** How the bundler's account calls the module that stands for a file named by `new URL(…, import.meta.url)`. */
const assetName = /^zenml:(?:asset|program):/

/**
 * The shortest way from the step's module to each file of a bundle, as one importer a file, and the importers of each package.
 * A file that only passes names on (`export * from`) gave no code, but is named on the way.
 */
export function importsOf({ entry, entryIsFile, files, inputs, packages, programs }: ImportGraph): CodeImports {
  const importer = waysFrom(entry, inputs)
  const kept: { [path: string]: string } = {}
  for (const start of files) {
    for (let file = start; ; ) {
      const from = importer.get(file)
      if (from === undefined || kept[file] !== undefined || (from === entry && !entryIsFile)) break
      kept[file] = from
      file = from
    }
  }
  for (const program of programs)
    for (const [file, from] of Object.entries(program.files)) if (!importer.has(file)) kept[file] ??= from
  const byPackage = new Map<string, Set<string>>()
  const used = [...packages, ...programs.flatMap((program) => pairsOf(program.packages))]
  for (const [name, from] of used) {
    if (from !== entry || entryIsFile) byPackage.set(name, (byPackage.get(name) ?? new Set()).add(from))
  }
  return {
    files: sorted(kept),
    packages: sorted(Object.fromEntries([...byPackage].map(([name, from]) => [name, [...from].sort(compareText)]))),
  }
}

/** Breadth first, in the order of names, so that one graph always gives one answer. */
function waysFrom(entry: string, inputs: Metafile['inputs']): ReadonlyMap<string, string> {
  const importer = new Map<string, string>()
  const open = [entry]
  for (const file of open) {
    const targets = (inputs[file]?.imports ?? []).filter(({ external }) => external !== true)
    for (const target of targets.map(({ path }) => path.replace(assetName, '')).sort(compareText)) {
      if (importer.has(target) || target === entry) continue
      importer.set(target, file)
      open.push(target)
    }
  }
  return importer
}

function pairsOf(packages: CodeImports['packages']): (readonly [name: string, importer: string])[] {
  return Object.entries(packages).flatMap(([name, importers]) => importers.map((from) => [name, from] as const))
}

function sorted<T>(object: { readonly [key: string]: T }): { readonly [key: string]: T } {
  return Object.fromEntries(Object.entries(object).sort(([a], [b]) => compareText(a, b)))
}
