// Writes the generated files, or with --check says which of them are out of date.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const bundle = `${root}node_modules/.zenml-generate-${process.pid}.mjs`
await build({
  absWorkingDir: root,
  stdin: { contents: `export { configJsonSchema } from './packages/zenml/src/config/json-schema.ts'`, resolveDir: root },
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
  outfile: bundle,
})
try {
  const { configJsonSchema } = await import(pathToFileURL(bundle).href)
  await generate('packages/zenml/schema/pipeline.schema.json', `${JSON.stringify(configJsonSchema(), null, 2)}\n`)
} finally {
  await rm(bundle, { force: true })
}

async function generate(path, wanted) {
  const found = await readFile(root + path, 'utf8').catch(() => '')
  if (found === wanted) return
  if (process.argv.includes('--check')) {
    console.error(`${path} is out of date: run "npm run generate".`)
    process.exitCode = 1
    return
  }
  await writeFile(root + path, wanted)
  console.log(`${path} written`)
}
