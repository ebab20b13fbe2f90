// Writes the generated files, or with --check says which of them are out of date.
import { readFile, rm, writeFile } from 'node:fs/promises'
import { fileURLToPath, pathToFileURL } from 'node:url'
import { build } from 'esbuild'

const root = fileURLToPath(new URL('..', import.meta.url))
const bundle = `${root}node_modules/.zenml-generate-${process.pid}`
await build({
  absWorkingDir: root,
  stdin: {
    contents: `export { configJsonSchema } from './packages/zenml/src/config/json-schema.ts'
export { commands, groups } from './packages/zenml/src/cli/commands.ts'`,
    resolveDir: root,
  },
  splitting: true,
  outdir: bundle,
  entryNames: 'generate',
  outExtension: { '.js': '.mjs' },
  bundle: true,
  platform: 'node',
  format: 'esm',
  packages: 'external',
})
try {
  const { commands, configJsonSchema, groups } = await import(pathToFileURL(`${bundle}/generate.mjs`).href)
  await generate('docs/cli.md', commandReference(commands, groups))
  await generate('packages/zenml/schema/pipeline.schema.json', `${JSON.stringify(configJsonSchema(), null, 2)}\n`)
} finally {
  await rm(bundle, { recursive: true, force: true })
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

/** The reference of the command line, from the table that the command line itself is built from. */
function commandReference(commands, groups) {
  const lines = [
    '# Command line',
    '',
    'Generated from the commands themselves by `npm run generate`.',
    '',
    '- `--json` on every command prints exactly one JSON document on stdout; progress, warnings and hints go to stderr.',
    '- Exit codes: 0 success, 1 a run or check failed, 2 the command, configuration or project is wrong, 130 interrupted.',
    '- Every error has a stable code (`ZEN_…`), says where, what was expected, and what to do next.',
    '- Ids can be shortened to a unique prefix; `@latest` names the newest run.',
    '',
  ]
  const titled = new Set()
  for (const { usage, description, options = [] } of commands) {
    const [first] = usage.split(' ')
    const title = groups[first] === undefined ? 'General' : first
    if (!titled.has(title))
      lines.push(`## ${title}`, '', ...(groups[first] === undefined ? [] : [`${groups[first]}`, '']))
    titled.add(title)
    lines.push(`### \`zenml ${usage}\``, '', `${description}`, '')
    if (options.length > 0)
      lines.push(
        '| option | does |',
        '|---|---|',
        ...options.map((option) => `| \`${option.flags}\` | ${option.description} |`),
        '',
      )
  }
  return `${lines.join('\n').trimEnd()}\n`
}
