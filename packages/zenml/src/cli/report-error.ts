import { messageOf, systemCode, ZenmlError } from '../base/errors.ts'
import type { Json, JsonObject } from '../base/json.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import type { CliEnvironment, Terminal } from './terminal.ts'

/** Tells a user what went wrong and returns the exit code. */
export function reportError(error: unknown, terminal: Terminal, cli: CliEnvironment): number {
  if (!(error instanceof ZenmlError)) {
    const refused = refusalOf(error)
    if (refused !== undefined) return reportError(refused, terminal, cli)
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error)
    terminal.result({ error: { code: 'ZEN_INTERNAL', message: messageOf(error), facts: {}, next: null } }, () => '')
    terminal.note(`${terminal.colors.red('ZEN_INTERNAL')}: ${stack}`)
    terminal.note('This is a defect of zenml, not of your project. Please report it with the lines above.')
    return 1
  }
  const document: JsonObject = {
    code: error.code,
    message: error.message,
    facts: error.facts,
    next: error.next ?? null,
  }
  terminal.result({ error: document }, () => '')
  const diagnostics = 'diagnostics' in error ? (error.diagnostics as readonly Diagnostic[]) : []
  if (diagnostics.length > 0) {
    for (const diagnostic of diagnostics) terminal.note(lineOf(diagnostic, terminal))
    const count = diagnostics.length === 1 ? '1 problem' : `${diagnostics.length} problems`
    terminal.note(`${count}; nothing was run.`)
  } else {
    terminal.note(
      `${terminal.colors.red(error.code)}: ${error.message}${error.next === undefined ? '' : ` ${error.next}`}`,
    )
  }
  if (error.cause !== undefined && cli.environment['ZENML_DEBUG'] !== undefined)
    terminal.note(String((error.cause as Error).stack ?? error.cause))
  return error.exitCode
}

/** What the system or the database refused is no defect of ours: a full disk, a read-only folder, too many open files. */
function refusalOf(error: unknown): ZenmlError | undefined {
  const code = systemCode(error)
  if (code === undefined || error instanceof TypeError || error instanceof RangeError) return undefined
  const database = /^SQLITE_(FULL|IOERR|READONLY|CANTOPEN|PERM|BUSY|LOCKED)/.test(code)
  if (!database && !/^E[A-Z0-9]+$/.test(code)) return undefined
  const hint = hints.find(({ codes }) => codes.test(code))?.next
  return new ZenmlError(
    'ZEN_SYSTEM',
    `The ${database ? 'database' : 'system'} refused: ${messageOf(error)} (${code}).`,
    {
      facts: { code },
      cause: error,
      exitCode: 1,
      next: hint ?? 'Look at the file that is named.',
    },
  )
}

const hints: readonly { readonly codes: RegExp; readonly next: string }[] = [
  { codes: /^(ENOSPC|EDQUOT|SQLITE_FULL|SQLITE_IOERR)/, next: 'Free some space on the disk, and run it again.' },
  {
    codes: /^(EACCES|EPERM|EROFS|SQLITE_READONLY|SQLITE_CANTOPEN|SQLITE_PERM)/,
    next: 'zenml writes to .zenml, also where it only lists: make the folder writable.',
  },
  { codes: /^(EMFILE|ENFILE)/, next: 'Raise the number of open files ("ulimit -n").' },
  { codes: /^SQLITE_(BUSY|LOCKED)/, next: 'Another command is using the store: try again when it has ended.' },
]

function lineOf({ file, line, column, code, message }: Diagnostic, { colors }: Terminal): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(':')
  return `${place === '' ? '' : `${colors.cyan(place)}  `}${colors.red(code)}: ${message}`
}

/** A document with every field that is undefined left out, for JSON output. */
export function document(fields: { readonly [key: string]: unknown }): Json {
  return JSON.parse(JSON.stringify(fields)) as Json
}
