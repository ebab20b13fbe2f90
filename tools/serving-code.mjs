// The code of a serving folder: everything in one file each, kept as texts in a module that the `deploy` steps import.
import { readFileSync, writeFileSync } from 'node:fs'
import { isBuiltin } from 'node:module'
import { dirname, join, resolve } from 'node:path'
import { build } from 'esbuild'

const native = ['better-sqlite3', 'mysql2', 'pg', '@duckdb/*', '@grpc/grpc-js', 'esbuild']
// What node-fetch, which TensorFlow.js brings for models on the web, does without where it is not there.
const optional = ['encoding']
// CommonJS parts ask for Node's own modules with require(), and for their own place.
const banner = {
  js: [
    "import { createRequire as __createRequire } from 'node:module'",
    "import { dirname as __dirnameOf } from 'node:path'",
    "import { fileURLToPath as __pathOf } from 'node:url'",
    'const require = __createRequire(import.meta.url)',
    'const __filename = __pathOf(import.meta.url)',
    'const __dirname = __dirnameOf(__filename)',
    // TensorFlow.js keeps what it registers on the global object: two served networks in one process must not meet there.
    'const __ownGlobal = Object.assign(Object.create(globalThis), { _tfengine: undefined, _tfGlobals: undefined })',
  ].join('\n'),
}

/** Writes `serving-code.js` of a package: an export for each entry, and the versions of the packages that are in them. */
export async function buildServingCode(root, common, { entries, outfile }) {
  const texts = {}
  const packages = {}
  for (const [name, entry] of Object.entries(entries)) {
    const { outputFiles, metafile } = await build({
      ...common,
      entryPoints: [entry],
      outfile: join(root, `${name}.mjs`),
      write: false,
      metafile: true,
      minifyWhitespace: true,
      // The folder is passed on: licences that ask to go with the code do.
      legalComments: 'eof',
      banner,
      define: { global: '__ownGlobal' },
      plugins: [inlinedLibraries],
      // Drivers of the other steps, which fall away with them.
      external: native,
    })
    texts[name] = outputFiles[0].text
    const [{ inputs, imports }] = Object.values(metafile.outputs)
    const outside = imports.map(({ path }) => path).filter((path) => !isBuiltin(path) && !optional.includes(path))
    if (outside.length > 0) throw new Error(`${entry} is served without packages, but asks for ${outside.join(', ')}`)
    for (const [input, { bytesInOutput }] of Object.entries(inputs)) {
      if (bytesInOutput === 0) continue
      const { name: found, version } = owner(join(root, input))
      packages[found] = version
    }
  }
  const sorted = Object.fromEntries(Object.entries(packages).sort(([a], [b]) => (a < b ? -1 : 1)))
  const lines = Object.entries({ ...texts, packages: sorted }).map(
    ([name, value]) => `export const ${name} = ${JSON.stringify(value)}\n`,
  )
  writeFileSync(join(root, outfile), lines.join(''))
}

const inlinedLibraries = {
  name: 'inlined-libraries',
  setup(building) {
    building.onResolve({ filter: /\/(image-decoders|tokenizers-library)\.ts$/ }, ({ path, resolveDir }) => ({
      path: resolve(resolveDir, path.replace(/\.ts$/, '-inlined.ts')),
    }))
  },
}

/** The package that a file is of. */
function owner(file) {
  for (let folder = dirname(file); ; folder = dirname(folder)) {
    try {
      const { name, version } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'))
      if (name !== undefined && version !== undefined) return { name, version }
    } catch (error) {
      if (error.code !== 'ENOENT') throw error
    }
    if (folder === dirname(folder)) throw new Error(`${file} is in no package`)
  }
}
