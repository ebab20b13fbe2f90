// `npm run mutation`: changes the code that makes identities in small ways, one at a time, and runs its tests on each. Prints how
// many of these mutants no test noticed; exit code 1 where one of them is in the encoding. `npm run mutation -- PART` for one part.
import { rmSync } from 'node:fs'
import { join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Stryker } from '@stryker-mutator/core'

const root = fileURLToPath(new URL('../..', import.meta.url))
const source = 'packages/zenml/src'

/** What is mutated, by part; `encoding` is what no mutant may survive in. */
const parts = {
  identity: {
    encoding: ['base/canonical.ts', 'base/digest.ts', 'fingerprint/identify.ts', 'fingerprint/observed.ts'],
    others: ['fingerprint/observe-file.ts', 'fingerprint/compare.ts'],
  },
  bundles: {
    encoding: ['code/bundle.ts', 'code/bundle-format.ts'],
    others: ['code/text-edits.ts'],
  },
}

const wanted = process.argv.slice(2)
const unknown = wanted.filter((part) => !Object.hasOwn(parts, part))
if (unknown.length > 0) throw new Error(`no part ${unknown.join(', ')}: ${Object.keys(parts).join(', ')}`)
process.chdir(root)
const place = join(root, '.mutation')
const rows = []
const survivors = []
try {
  for (const part of wanted.length > 0 ? wanted : Object.keys(parts)) rows.push(...(await mutate(part)))
} finally {
  rmSync(place, { recursive: true, force: true })
}
console.table(Object.fromEntries(rows.map(({ file, ...counts }) => [file, counts])))
for (const { line } of survivors) console.log(line)
const kept = survivors.filter(({ encoding }) => encoding)
if (kept.length > 0) {
  console.error(`${kept.length} mutants survived in the encoding of identities: a test must notice each of them.`)
  process.exitCode = 1
}

/** Mutates one part and returns what became of its mutants, by file. */
async function mutate(part) {
  const { encoding, others } = parts[part]
  process.env.ZENML_MUTATION = part
  const results = await new Stryker({
    mutate: [...encoding, ...others].map((file) => `${source}/${file}`),
    ignorePatterns: [
      '**',
      '!package.json',
      '!packages/zenml/package.json',
      '!packages/zenml/{src,test}/**',
      '!tools/mutation/**',
    ],
    testRunner: 'vitest',
    plugins: ['@stryker-mutator/vitest-runner'],
    vitest: { configFile: 'tools/mutation/vitest.config.ts', related: false },
    coverageAnalysis: 'perTest',
    concurrency: 2,
    tempDirName: '.mutation',
    cleanTempDir: 'always',
    // Read by the TypeScript of before version 7 only, and not needed: Vitest strips types.
    tsconfigFile: 'none.json',
    reporters: [process.stdout.isTTY ? 'progress' : 'progress-append-only'],
    allowConsoleColors: process.stdout.isTTY === true,
    timeoutMS: 5000,
  }).runMutationTest()
  const files = [...new Set(results.map(({ fileName }) => fileName))].sort()
  return files.map((fileName) => {
    const file = relative(join(root, source), fileName)
    const mutants = results.filter((result) => result.fileName === fileName)
    const count = (...statuses) => mutants.filter(({ status }) => statuses.includes(status)).length
    for (const { status, location, mutatorName, replacement } of mutants) {
      if (status !== 'Survived' && status !== 'NoCoverage') continue
      const { line, column } = location.start
      survivors.push({
        encoding: encoding.includes(file),
        line: `${source}/${file}:${line}:${column} ${mutatorName}: ${JSON.stringify(replacement)}`,
      })
    }
    return {
      file,
      mutants: mutants.length,
      killed: count('Killed', 'Timeout'),
      survived: count('Survived', 'NoCoverage'),
      ignored: count('Ignored'),
      invalid: count('CompileError', 'RuntimeError'),
    }
  })
}
