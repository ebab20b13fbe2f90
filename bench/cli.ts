// The command line: `--help` beside an empty Node process, and a fully cached run of six steps beside Turborepo's of six tasks.
import { execFileSync } from 'node:child_process'
import { join } from 'node:path'
import { cli, testEnvironment, testProject } from '../packages/zenml/test/support/project.ts'
import { type BenchRow, interleaved, median, round, wall } from './support/measure.ts'

const rounds = 15

export async function run(): Promise<BenchRow[]> {
  using project = testProject()
  const names = ['a', 'b', 'c', 'd', 'e', 'f']
  project.write({
    'steps/six.ts': `
import { step } from 'zenml'
import { JsonArtifact } from 'zenml/formats'
export const first = step({ name: 'first', outputs: { value: JsonArtifact }, run: () => ({ value: 1 }) })
export const next = step({
  name: 'next',
  inputs: { value: JsonArtifact },
  outputs: { value: JsonArtifact },
  run: ({ inputs }) => ({ value: (inputs.value as number) + 1 }),
})
`,
    'pipeline.yaml': `version: 1\npipeline: six\nsteps:\n${names
      .map((name, index) =>
        index === 0
          ? `  ${name}: { source: "steps/six.ts#first" }`
          : `  ${name}: { source: "steps/six.ts#next", inputs: { value: ${names[index - 1]}.value } }`,
      )
      .join('\n')}\n`,
    'pipeline.ts': `
import { pipeline } from 'zenml'
import { first, next } from './steps/six.ts'
export default pipeline('six', () => {
  let { value } = first({}, {}, { name: 'a' })
  for (const name of ['b', 'c', 'd', 'e', 'f']) value = next({ value }, {}, { name }).value
})
`,
    // The same six steps as tasks of Turborepo, in the same project, with the same chain.
    'turbo.json': JSON.stringify({
      tasks: Object.fromEntries(
        names.map((name, index) => [
          name,
          { dependsOn: index === 0 ? [] : [names[index - 1]], outputs: [`out/${name}.json`] },
        ]),
      ),
    }),
    'package.json': JSON.stringify({
      name: 'demo',
      version: '1.0.0',
      private: true,
      type: 'module',
      packageManager: 'npm@11.0.0',
      scripts: Object.fromEntries(names.map((name) => [name, `mkdir -p out && echo 1 > out/${name}.json`])),
    }),
    'package-lock.json': JSON.stringify({
      name: 'demo',
      version: '1.0.0',
      lockfileVersion: 3,
      packages: { '': { name: 'demo', version: '1.0.0' } },
    }),
    '.gitignore': 'node_modules/\n.zenml/\n.turbo/\nout/\npeer/\n',
  })
  project.commit()
  const env = { ...testEnvironment, TURBO_TELEMETRY_DISABLED: '1', DO_NOT_TRACK: '1' }
  // Turborepo cannot be in our lockfile (see CONTRIBUTING.md), so it is installed for the measurement.
  execFileSync(
    'npm',
    [
      'install',
      '--silent',
      '--no-save',
      '--no-audit',
      '--no-fund',
      '--prefix',
      join(project.root, 'peer'),
      'turbo@2.11.11',
    ],
    { stdio: 'ignore' },
  )
  const turbo = join(project.root, 'peer/node_modules/.bin/turbo')
  const turboArgs = ['run', ...names, '--output-logs=errors-only']
  const times = interleaved(rounds, {
    node: () => wall(process.execPath, ['-e', '0']),
    help: () => wall(process.execPath, [cli, '--help']),
    yaml: () => wall(process.execPath, [cli, 'pipeline', 'run', 'pipeline.yaml'], { cwd: project.root, env }),
    typescript: () => wall(process.execPath, [cli, 'pipeline', 'run', 'pipeline.ts'], { cwd: project.root, env }),
    turbo: () => wall(turbo, turboArgs, { cwd: project.root, env }),
  })
  const last = JSON.parse(
    execFileSync(process.execPath, [cli, 'pipeline', 'status', '@latest', '--json'], {
      cwd: project.root,
      env,
      encoding: 'utf8',
    }),
  ) as {
    steps: { outcome: string }[]
  }
  if (last.steps.some(({ outcome }) => outcome !== 'reused')) throw new Error('the measured run was not fully cached')
  const full = execFileSync(turbo, ['run', ...names], { cwd: project.root, env, encoding: 'utf8' })
  if (!full.includes('FULL TURBO')) throw new Error(`the measured run of Turborepo was not fully cached:\n${full}`)
  const medians = Object.fromEntries(Object.entries(times).map(([name, values]) => [name, median(values)])) as {
    [name in keyof typeof times]: number
  }
  for (const [name, value] of Object.entries(medians))
    console.log(`${name.padEnd(12)} ${value.toFixed(1)} ms (median of ${rounds})`)
  return [
    { bar: 'help / node -e 0', value: round(medians.help / medians.node) },
    { bar: 'cached re-run of 6 steps, ms', value: round(medians.yaml) },
    { bar: 'cached re-run of 6 steps / node -e 0', value: round(medians.yaml / medians.node) },
    { bar: "cached re-run / Turborepo's of 6 tasks", value: round(medians.yaml / medians.turbo) },
    { bar: 'cached re-run of 6 steps from TypeScript, ms', value: round(medians.typescript) },
  ]
}
