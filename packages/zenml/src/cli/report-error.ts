import { messageOf, ZenmlError } from '../base/errors.ts'
import type { Json, JsonObject } from '../base/json.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import type { CliEnvironment, Terminal } from './terminal.ts'

/** Tells a user what went wrong and returns the exit code. */
export function reportError(error: unknown, terminal: Terminal, cli: CliEnvironment): number {
  if (!(error instanceof ZenmlError)) {
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

function lineOf({ file, line, column, code, message }: Diagnostic, { colors }: Terminal): string {
  const place = [file, line, column].filter((part) => part !== undefined).join(':')
  return `${place === '' ? '' : `${colors.cyan(place)}  `}${colors.red(code)}: ${message}`
}

/** A document with every field that is undefined left out, for JSON output. */
export function document(fields: { readonly [key: string]: unknown }): Json {
  return JSON.parse(JSON.stringify(fields)) as Json
}
