import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'

/** The oldest Node that runs bundles: what it does not know is compiled down. */
export const bundleTarget = 'node20.19'

let version: string | undefined

/** `esbuild 0.28.2`, without loading it. */
export function bundlerName(): string {
  version ??= (
    JSON.parse(readFileSync(createRequire(import.meta.url).resolve('esbuild/package.json'), 'utf8')) as {
      version: string
    }
  ).version
  return `esbuild ${version}`
}
