// Builds what the packages ship: the CLI as a few lazily loaded chunks, the entry point of a step's process, the public
// entry points, and with --types their declarations.
import { execFileSync } from 'node:child_process'
import { rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { buildServingCode } from './serving-code.mjs'

const root = fileURLToPath(new URL('..', import.meta.url))
const common = {
  absWorkingDir: root,
  bundle: true,
  platform: 'node',
  format: 'esm',
  target: 'node20',
  charset: 'utf8',
  legalComments: 'none',
  logLevel: 'warning',
  conditions: ['zenml-source'],
}
// Native or heavy, or shared with the user's own code: these stay packages.
const packages = [
  ...['better-sqlite3', 'mysql2', 'pg', '@duckdb/*', '@grpc/grpc-js'],
  ...[
    'esbuild',
    'zod',
    'zenml',
    '@tensorflow/*',
    'jpeg-js',
    'pngjs',
    '@huggingface/tokenizers',
    '@google-cloud/bigquery',
    '@google-cloud/storage',
    '@aws-sdk/*',
  ],
]
// What a kind of datasource is read by.
const sourcePackages = ['packages/bigquery', 'packages/gcs', 'packages/s3']
// CommonJS parts of the bundled libraries ask for Node's own modules with require().
const banner = {
  js: "import { createRequire as __createRequire } from 'node:module'\nconst require = __createRequire(import.meta.url)",
}

await Promise.all(
  ['packages/zenml', 'packages/tensorflow', ...sourcePackages].map((path) =>
    rm(`${root}${path}/dist`, { recursive: true, force: true }),
  ),
)
await Promise.all([
  build({
    ...common,
    entryPoints: { main: 'packages/zenml/src/cli/main.ts' },
    outdir: 'packages/zenml/dist/cli',
    splitting: true,
    minify: true,
    keepNames: true,
    sourcemap: 'linked',
    sourcesContent: false,
    external: packages,
    banner,
  }),
  build({
    ...common,
    entryPoints: { 'step-host': 'packages/zenml/src/backends/host/main.ts' },
    outdir: 'packages/zenml/dist',
    minifyWhitespace: true,
    external: packages,
  }),
  build({
    ...common,
    entryPoints: {
      index: 'packages/zenml/src/public/index.ts',
      steps: 'packages/zenml/src/public/steps.ts',
      deploy: 'packages/zenml/src/public/deploy.ts',
      formats: 'packages/zenml/src/public/formats.ts',
      project: 'packages/zenml/src/public/project.ts',
    },
    outdir: 'packages/zenml/dist',
    splitting: true,
    external: packages,
    banner,
  }),
  build({
    ...common,
    entryPoints: { index: 'packages/tensorflow/src/index.ts', deploy: 'packages/tensorflow/src/deploy.ts' },
    outdir: 'packages/tensorflow/dist',
    external: [...packages, 'zenml/*', '@zenml/tensorflow/serving-code'],
  }),
  ...sourcePackages.map((path) =>
    build({ ...common, entryPoints: { index: `${path}/src/index.ts` }, outdir: `${path}/dist`, external: packages }),
  ),
])
const serving = 'packages/zenml/src/steps/serving'
await buildServingCode(root, common, {
  entries: { predict: `${serving}/predict-main.ts`, serve: `${serving}/serve-main.ts` },
  outfile: 'packages/zenml/dist/serving-code.js',
})
await buildServingCode(root, common, {
  entries: { predict: 'packages/tensorflow/src/predict-main.ts' },
  outfile: 'packages/tensorflow/dist/serving-code.js',
})
// What another package is declared with must be there first.
if (process.argv.includes('--types'))
  for (const config of ['tsconfig.build.json', ...sourcePackages.map((path) => `${path}/tsconfig.build.json`)])
    execFileSync('npx', ['tsc', '-p', config], { cwd: root, stdio: 'inherit' })
