// `npm run check:bits`: the penguins pipeline gives the same digests in two fresh clones (other folder, user, home, time zone,
// locale, umask) and on Node 20, 22 and 24. Prints one line a comparison; exit code 1 where bits moved.
import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, cpSync, existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const root = fileURLToPath(new URL('..', import.meta.url))
const place = mkdtempSync(join(tmpdir(), 'zenml-bits-'))
const other = process.getuid?.() === 0 ? { uid: 65534, gid: 65534 } : undefined
const nodes = { 22: '22.23.3', 24: '24.21.0' }
let failed = false

try {
  chmodSync(place, 0o755)
  const first = clone(join(place, 'a'))
  const second = clone(join(place, 'another', 'folder with spaces', 'é'))
  if (other !== undefined) execFileSync('chown', ['-R', `${other.uid}:${other.gid}`, join(place, 'another')])
  const here = run(first, { TZ: 'America/New_York', LC_ALL: 'C', HOME: first, USER: 'ada' }, '022')
  const there = run(
    second,
    { TZ: 'Asia/Kathmandu', LC_ALL: 'tr_TR.UTF-8', LANG: 'de_DE.UTF-8', HOME: second, USER: 'grace' },
    '077',
    other,
  )
  compare(
    `another clone, folder, home, time zone, locale, umask${other === undefined ? '' : ' and user'}`,
    here,
    there,
    true,
  )
  const again = run(first, { TZ: 'UTC', LC_ALL: 'C', HOME: first, USER: 'ada' }, '022', undefined, ['--no-cache'])
  compare('the same clone, executed again', here, again, true)
  for (const [major, version] of Object.entries(nodes)) {
    const node = install(version)
    if (node === undefined) {
      console.log(`skipped: Node ${version} could not be installed here`)
      if (process.env.CI !== undefined) failed = true
      continue
    }
    compare(`Node ${process.versions.node} and Node ${version}`, here, runOn(first, node), false, major)
  }
} finally {
  rmSync(place, { recursive: true, force: true })
}
process.exitCode = failed ? 1 : 0

/** A fresh clone of HEAD with the installed packages, built. */
function clone(directory) {
  mkdirSync(join(directory, '..'), { recursive: true })
  execFileSync('git', ['clone', '-q', '--no-hardlinks', root, directory])
  cpSync(join(root, 'node_modules'), join(directory, 'node_modules'), { recursive: true, verbatimSymlinks: true })
  execFileSync(process.execPath, ['tools/build.mjs'], { cwd: directory })
  return directory
}

function run(directory, env, umask, user = {}, options = []) {
  const command = `umask ${umask} && "$0" packages/zenml/bin/zenml.js init >/dev/null && exec "$0" packages/zenml/bin/zenml.js pipeline run examples/penguins/pipeline.yaml --json ${options.join(' ')}`
  const { stdout, stderr, status } = spawnSync('/bin/sh', ['-c', command, process.execPath], {
    cwd: directory,
    env: { PATH: process.env.PATH, GIT_CONFIG_GLOBAL: '/dev/null', ...env },
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    ...user,
  })
  if (status !== 0) throw new Error(`the run in ${directory} ended with ${status}:\n${stdout}\n${stderr}`)
  return JSON.parse(stdout)
}

/** Executes every step by another Node, through the library. */
function runOn(directory, node) {
  const script = join(directory, 'run-on.mjs')
  writeFileSync(
    script,
    `import { loadPipeline, openProject, pinCode, runPipeline } from 'zenml/project'
await using project = await openProject(process.cwd(), { node: ${JSON.stringify(node)} })
const { spec } = await loadPipeline(project, 'examples/penguins/pipeline.yaml', process.cwd())
const { run, status } = await runPipeline(project.workspace, spec, pinCode(project.root, { requireClean: false, onEvent() {} }), { reuse: false })
console.log(JSON.stringify({ status, ...(await project.records.getRun(run)) }))
`.replace('await using project = await', 'const project = await'),
  )
  const stdout = execFileSync(process.execPath, [script], {
    cwd: directory,
    encoding: 'utf8',
    maxBuffer: 1 << 26,
    env: { PATH: process.env.PATH, HOME: directory },
  })
  return JSON.parse(stdout)
}

function install(version) {
  const directory = join(place, `node-${version}`)
  mkdirSync(directory)
  writeFileSync(join(directory, 'package.json'), '{ "private": true }')
  const name = `node-${process.platform}-${process.arch}`
  const { status } = spawnSync('npm', ['install', '--silent', '--no-audit', '--no-fund', `${name}@${version}`], {
    cwd: directory,
    stdio: 'ignore',
  })
  const node = join(directory, 'node_modules', name, 'bin', 'node')
  return status === 0 && existsSync(node) ? node : undefined
}

function compare(what, left, right, identities) {
  const moved = []
  let count = 0
  for (const [index, step] of left.steps.entries()) {
    const twin = right.steps[index]
    if (identities && step.identity !== twin.identity) moved.push(`${step.name}: identity`)
    for (const [output, { digest }] of Object.entries(step.outputs)) {
      count++
      if (twin.outputs[output]?.digest !== digest) moved.push(`${step.name}.${output}`)
    }
  }
  if (left.status !== 'complete' || right.status !== 'complete') moved.push('a run that did not complete')
  if (moved.length > 0) failed = true
  console.log(
    `${moved.length === 0 ? 'same bits' : 'DIFFERS  '}  ${what}: ${count - moved.length} of ${count} artifacts${moved.length === 0 ? '' : ` (${moved.join(', ')})`}`,
  )
}
