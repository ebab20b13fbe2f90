import { realpathSync } from 'node:fs'
import { compareText } from '../base/canonical.ts'
import { ZenmlError } from '../base/errors.ts'
import { type BuiltBundle, buildBundle } from './build-bundle.ts'
import { type StepBundle, stepBundle } from './bundle.ts'
import { throughCache } from './bundle-cache.ts'
import type { BundleTrace, PreparedModules } from './bundle-plugin.ts'
import { isScript } from './prepare-module.ts'
import { SourceTree } from './source-tree.ts'

/**
 * A pipeline written in TypeScript, ready to be put together in a process of its own. Its module exports `pipeline`, the namespace
 * of the file, and `modules`: `{ source, namespace }` of everything in which a step may be declared, so that the source of a step
 * is found by identity. Packages come first (`zenml/steps`), then files, each before those that import it.
 */
export interface PipelineBundle extends StepBundle {}

/**
 * Bundles the file in which a pipeline is declared. With a cache directory, an unchanged pipeline comes from the cache as
 * steps do, and the bundler is not loaded.
 *
 * Throws `ZEN_PIPELINE_OUTSIDE` where the file is not inside of the root, and what `bundleStep` throws.
 */
export async function bundlePipeline({
  root,
  file,
  cacheDirectory,
}: {
  readonly root: string
  /** Path of the module. */
  readonly file: string
  readonly cacheDirectory?: string
}): Promise<PipelineBundle> {
  const tree = new SourceTree(root)
  const path = realpathSync(file)
  if (!tree.isLocal(path) || !isScript(path)) {
    throw new ZenmlError('ZEN_PIPELINE_OUTSIDE', `${file} is no module inside of the repository.`, {
      next: 'A pipeline is a TypeScript or JavaScript file of the repository, outside of node_modules.',
    })
  }
  const make = (): Promise<{ readonly bundle: StepBundle; readonly built: BuiltBundle }> => bundleModules(tree, path)
  if (cacheDirectory === undefined) return (await make()).bundle
  return await throughCache(tree, `pipeline ${tree.name(path)}`, cacheDirectory, make)
}

async function bundleModules(
  tree: SourceTree,
  path: string,
): Promise<{ readonly bundle: StepBundle; readonly built: BuiltBundle }> {
  const prepared: PreparedModules = new Map()
  const first = await buildBundle(tree, { file: path }, prepared)
  const { bare, files } = modulesOf(first.trace, path)
  const sources = [
    ...bare.map((specifier) => ({ source: specifier, specifier })),
    ...files.map((module) => ({ source: tree.name(module), specifier: `./${tree.name(module)}` })),
  ]
  const contents = [
    ...sources.map(({ specifier }, index) => `import * as module${index} from ${JSON.stringify(specifier)}`),
    `export const modules = [${sources.map(({ source }, index) => `{ source: ${JSON.stringify(source)}, namespace: module${index} }`).join(', ')}]`,
    `export * as pipeline from ${JSON.stringify(`./${tree.name(path)}`)}`,
  ].join('\n')
  const built = await buildBundle(tree, { contents }, prepared)
  return { bundle: stepBundle(tree, tree.name(path), built), built }
}

/** Depth first from the pipeline's file, so that what is imported comes before what imports it. */
function modulesOf(
  { edges }: BundleTrace,
  path: string,
): { readonly bare: readonly string[]; readonly files: readonly string[] } {
  const bare = new Set<string>()
  const files: string[] = []
  const seen = new Set<string>()
  const visit = (file: string): void => {
    if (seen.has(file)) return
    seen.add(file)
    // Imports are resolved at the same time, in an order that is not always the same.
    const imports = [...(edges.get(file) ?? [])].sort(([a], [b]) => compareText(a, b))
    for (const [specifier, { to, eager }] of imports) {
      if (!eager) continue
      if (to.kind === 'package' || (to.kind === 'local' && to.linked)) bare.add(specifier)
      else if (to.kind === 'local' && isScript(to.path)) visit(to.path)
    }
    files.push(file)
  }
  visit(path)
  return { bare: [...bare].sort(compareText), files }
}
