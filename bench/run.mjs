// `npm run bench [-- NAME …]`: runs the benchmarks, each in a process of its own, and holds their ratios against budgets.json.
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { mkdtemp, rm } from 'node:fs/promises'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const all = readdirSync(`${root}bench`)
  .filter((name) => name.endsWith('.ts'))
  .map((name) => name.slice(0, -3))
  .sort()
const asked = process.argv.slice(2).filter((name) => !name.startsWith('--'))
const unknown = asked.filter((name) => !all.includes(name.split(':')[0]))
if (unknown.length > 0) {
  console.error(`no benchmark ${unknown.join(', ')}; there are ${all.join(', ')}`)
  process.exit(2)
}
const budgets = JSON.parse(readFileSync(`${root}bench/budgets.json`, 'utf8'))
const directory = await mkdtemp(`${root}node_modules/.zenml-bench-`)
let failed = false
try {
  for (const name of asked.length > 0 ? asked : all) {
    const [file, ...args] = name.split(':')
    const outfile = `${directory}/${file}.mjs`
    await build({
      absWorkingDir: root,
      stdin: {
        contents: `import { run } from './bench/${file}.ts'\nconst rows = await run(process.argv.slice(2))\nprocess.stdout.write('\\n@@' + JSON.stringify(rows ?? []) + '\\n')`,
        resolveDir: root,
      },
      bundle: true,
      platform: 'node',
      format: 'esm',
      target: 'node20',
      packages: 'external',
      conditions: ['zenml-source'],
      outfile,
    })
    console.log(`\n== ${name}`)
    const { stdout, status } = spawnSync(process.execPath, [outfile, ...args], {
      cwd: root,
      env: { ...process.env, BENCH_ROOT: root },
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      maxBuffer: 1 << 28,
    })
    const [text, document] = stdout.split('\n@@')
    console.log(text.trimEnd())
    if (status !== 0) failed = true
    for (const { bar, value } of document ? JSON.parse(document) : []) {
      const limit = budgets[bar]
      const verdict = limit === undefined ? 'no budget' : value <= limit ? 'within' : 'OVER'
      if (verdict === 'OVER') failed = true
      console.log(`${verdict.padEnd(9)} ${bar}: ${value} (budget ${limit ?? '-'})`)
    }
  }
} finally {
  await rm(directory, { recursive: true, force: true })
}
process.exitCode = failed ? 1 : 0
