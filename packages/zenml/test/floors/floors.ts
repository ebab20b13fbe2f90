import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'

/** Lower may never import higher, and folders on one floor never import each other; see ARCHITECTURE.md. */
export const floors: { readonly [folder: string]: number } = {
  base: 0,
  model: 1,
  define: 2,
  config: 2,
  code: 2,
  environment: 2,
  metadata: 2,
  artifacts: 2,
  formats: 2,
  fingerprint: 3,
  sources: 3,
  steps: 4,
  backends: 4,
  run: 5,
  integrations: 6,
  project: 7,
  server: 8,
  cli: 9,
  public: 10,
}

/** An import that goes the wrong way. */
export interface Breach {
  readonly file: string
  readonly specifier: string
  readonly why: string
}

/** Finds every import below `src` that breaks the floors: static, re-exporting, side-effect, dynamic and type imports. */
export function findBreaches(src: string): Breach[] {
  const breaches: Breach[] = []
  for (const file of sources(src)) {
    const from = relative(src, file).split('/')[0]!
    for (const specifier of specifiers(readFileSync(file, 'utf8'))) {
      if (!specifier.startsWith('.')) continue
      const target = relative(src, resolve(dirname(file), specifier))
      const to = target.split('/')[0]!
      const why = judge(from, to)
      if (why !== undefined) breaches.push({ file: relative(src, file), specifier, why })
    }
  }
  return breaches
}

function judge(from: string, to: string): string | undefined {
  if (from === to) return undefined
  const [low, high] = [floors[from], floors[to]]
  if (low === undefined) return `folder "${from}" has no floor`
  if (high === undefined) return `imports from "${to}", which has no floor`
  if (high > low) return `floor ${low} (${from}) imports floor ${high} (${to})`
  if (high === low) return `${from} and ${to} share floor ${low}`
  return undefined
}

/** The specifiers of all imports in a source text, comments left out. */
export function specifiers(text: string): string[] {
  const code = text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/^\s*\/\/.*$/gm, '')
  const found: string[] = []
  const patterns = [
    /\b(?:import|export)\b[^'"`;]*?\bfrom\s*['"]([^'"]+)['"]/g,
    /\bimport\s*['"]([^'"]+)['"]/g,
    /\bimport\s*\(\s*['"`]([^'"`]+)['"`]/g,
  ]
  for (const pattern of patterns) for (const match of code.matchAll(pattern)) found.push(match[1]!)
  return found
}

function sources(directory: string): string[] {
  return readdirSync(directory, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile() && /\.tsx?$/.test(entry.name))
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
}
