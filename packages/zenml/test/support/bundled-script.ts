import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const modules = fileURLToPath(new URL('../../../../node_modules', import.meta.url))

/** Makes a script in a folder that Node runs by itself, for tests that kill it; `external` packages are found beside it. Gives its path. */
export async function bundleScript(folder: string, contents: string, external: readonly string[]): Promise<string> {
  const { build } = await import('esbuild')
  const script = join(folder, 'script.mjs')
  await build({
    stdin: { contents, resolveDir: modules },
    bundle: true,
    platform: 'node',
    format: 'esm',
    outfile: script,
    external: [...external],
  })
  symlinkSync(modules, join(folder, 'node_modules'))
  return script
}

/** The text of an import of a source file. */
export function importOf(name: string, source: string): string {
  return `import { ${name} } from ${JSON.stringify(fileURLToPath(new URL(`../../src/${source}`, import.meta.url)))}\n`
}
