import { Command, CommanderError, Option } from 'commander'
import type { CommandEntry, OptionEntry } from './command.ts'
import { commands, groups } from './commands.ts'
import { reportError } from './report-error.ts'
import { type CliEnvironment, terminal } from './terminal.ts'

/** Exit code of an interrupted command. */
const interrupted = 130

/** Ctrl-C, a service manager, a closed terminal. */
const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** Runs the command line and returns its exit code; throws nothing. */
export async function run(argv: readonly string[], cli: CliEnvironment): Promise<number> {
  let exitCode = 0
  const json = argv.includes('--json')
  const program = buildProgram(cli, json, async (entry, args, options) => {
    const abort = new AbortController()
    const interrupt = (): void => {
      // A second Ctrl-C does not wait for steps to stop, and most commands have none.
      if (abort.signal.aborted || entry.stops === undefined) process.exit(interrupted)
      cli.stderr.write('\nStopping; press Ctrl-C again to leave at once.\n')
      abort.abort()
    }
    for (const signal of signals) process.on(signal, interrupt)
    try {
      const { command } = await entry.load()
      const code = await command({ cli, terminal: terminal(cli, json), args, options, signal: abort.signal })
      exitCode = code
    } finally {
      for (const signal of signals) process.off(signal, interrupt)
      if (abort.signal.aborted && entry.stops !== 'well') exitCode = interrupted
    }
  })
  try {
    // What one types at any tool before reading its help.
    const asked = argv.map((word) => (word === '--version' && !argv.includes('--') ? 'version' : word))
    await program.parseAsync(/^--(version|json)$/.test(argv[0] ?? '') ? asked : [...argv], { from: 'user' })
    return exitCode
  } catch (error) {
    if (error instanceof CommanderError) {
      if (error.exitCode === 0) return 0
      if (json) reportUsage(cli, error)
      return 2
    }
    const code = reportError(error, terminal(cli, json), cli)
    return exitCode === interrupted ? interrupted : code
  }
}

type Action = (
  entry: CommandEntry,
  args: (string | undefined)[],
  options: { readonly [name: string]: unknown },
) => Promise<void>

function buildProgram(cli: CliEnvironment, json: boolean, action: Action): Command {
  const program = new Command('zenml')
    .description('Reproducible machine-learning pipelines: versioned data, pinned code, tracked and cached runs.')
    .exitOverride()
    .configureOutput({
      writeOut: (text) => void cli.stdout.write(text),
      writeErr: (text) => void (json ? undefined : cli.stderr.write(text)),
      outputError: (text, write) => write(text.replace(/^error: /, 'ZEN_USAGE: ')),
    })
    .configureHelp({ showGlobalOptions: true })
    .showHelpAfterError('See --help.')
    .option('--json', 'print exactly one JSON document on stdout')
    .helpCommand(false)
  const parents = new Map<string, Command>()
  for (const entry of commands) {
    const words = entry.usage.split(' ')
    let parent = program
    let depth = 1
    // `config metadata set`: the words before the last that name a group of commands.
    for (let name = words[0]!; groups[name] !== undefined; name += ` ${words[depth++]}`) {
      let group = parents.get(name)
      if (group === undefined) {
        group = parent
          .command(words[depth - 1]!)
          .description(groups[name]!)
          .helpCommand(false)
        parents.set(name, group)
      }
      parent = group
    }
    addCommand(parent, entry, words.slice(depth - 1).join(' '), action)
  }
  program.addHelpText('after', helpTail)
  return program
}

const helpTail = `
Start:
  zenml init                        make this repository a project
  zenml pipeline run pipeline.yaml  run a pipeline; steps that did not change are reused
  zenml pipeline status @latest     look at the newest run
`

function addCommand(parent: Command, entry: CommandEntry, usage: string, action: Action): void {
  const command = parent.command(usage).description(entry.description)
  command.option('--json', 'print exactly one JSON document on stdout')
  for (const option of entry.options ?? []) command.addOption(toOption(option))
  command.action(async (...given: unknown[]) => {
    const args = given.slice(0, -2) as (string | undefined)[]
    await action(entry, args, given.at(-2) as { [name: string]: unknown })
  })
}

function toOption({ flags, description, many }: OptionEntry): Option {
  const option = new Option(flags, description)
  if (many !== true) return option
  return option.argParser((value: string, before: string[] | undefined) => [...(before ?? []), value])
}

function reportUsage(cli: CliEnvironment, error: CommanderError): void {
  // Commander's message for a group without a command is no message.
  const message = error.code === 'commander.help' ? 'A command is missing.' : error.message.replace(/^error: /, '')
  cli.stdout.write(
    `${JSON.stringify({ error: { code: 'ZEN_USAGE', message, facts: {}, next: 'See --help.' } }, null, 2)}\n`,
  )
}
