// `npm start`: makes this repository a project and runs the quick-start pipeline. A second time, every step is reused.
import { spawnSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const zenml = `${root}packages/zenml/bin/zenml.js`
const run = (...args) => {
  const { status } = spawnSync(process.execPath, args, { cwd: root, stdio: 'inherit' })
  if (status !== 0) process.exit(status ?? 1)
}
if (!existsSync(`${root}packages/zenml/dist/cli/main.js`)) run('tools/build.mjs')
if (!existsSync(`${root}.zenml/config.json`)) run(zenml, 'init')
run(zenml, 'pipeline', 'run', 'examples/penguins/pipeline.ts', ...process.argv.slice(2))
