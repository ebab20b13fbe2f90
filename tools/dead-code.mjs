// `npm run deadcode`: files that nothing imports, and exports that no other file names. By text, so a name in a comment counts as used.
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const entries =
  /^packages\/zenml\/src\/(public\/|cli\/main\.ts|backends\/host\/main\.ts|config\/json-schema\.ts)|^packages\/(tensorflow|bigquery|gcs|s3)\/src\/index\.ts|^packages\/tensorflow\/src\/deploy\.ts|\.test\.ts$|test\/support\/global-|^examples\/|^bench\/|^tools\//
// What tools/build.mjs puts into the code of serving folders, and the types of the modules that it makes.
const served =
  /^packages\/(zenml\/src\/steps\/serving|tensorflow\/src)\/(predict-main\.ts|serve-main\.ts|serving-code\.d\.ts)$|\/(image-decoders|tokenizers-library)-inlined\.ts$/
const files = new Map()
for (const folder of ['packages', 'examples', 'bench', 'tools']) {
  for (const entry of readdirSync(join(root, folder), { withFileTypes: true, recursive: true })) {
    const path = relative(root, join(entry.parentPath, entry.name))
    if (entry.isFile() && /\.(ts|mjs)$/.test(path) && !/node_modules|\/dist\//.test(path))
      files.set(path, readFileSync(join(root, path), 'utf8'))
  }
}
const problems = []
const imported = new Set()
for (const [path, text] of files) {
  for (const match of text.matchAll(/['"](\.[^'"]+\.ts)['"]/g))
    imported.add(relative(root, resolve(root, dirname(path), match[1])))
}
for (const [path, text] of files) {
  if (!entries.test(path) && !served.test(path) && !imported.has(path)) problems.push(`${path}: nothing imports it`)
  if (entries.test(path) || served.test(path) || !path.includes('/src/')) continue
  for (const match of text.matchAll(/^export (?:async )?(?:const|function\*?|class) (\w+)/gm)) {
    const word = new RegExp(`\\b${match[1]}\\b`)
    const own = text.match(new RegExp(`\\b${match[1]}\\b`, 'g')).length
    const elsewhere = [...files].some(([other, content]) => other !== path && word.test(content))
    if (!elsewhere && own < 2) problems.push(`${path}: nothing uses ${match[1]}`)
  }
}
for (const problem of problems) console.error(problem)
process.exitCode = problems.length > 0 ? 1 : 0
