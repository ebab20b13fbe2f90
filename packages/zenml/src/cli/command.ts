import type { CliEnvironment, Terminal } from './terminal.ts'

/** What a command's function is given. */
export interface CommandCall {
  readonly cli: CliEnvironment
  readonly terminal: Terminal
  /** Positional arguments; an optional one that was left out is undefined. */
  readonly args: readonly (string | undefined)[]
  readonly options: { readonly [name: string]: unknown }
  /** Aborted by Ctrl-C. */
  readonly signal: AbortSignal
}

/** A command's function; it returns the exit code. */
export type CommandFunction = (call: CommandCall) => Promise<number>

/** A command as `--help` shows it; its code is loaded only when it is called. */
export interface CommandEntry {
  /** `pipeline run <file>` */
  readonly usage: string
  readonly description: string
  readonly options?: readonly OptionEntry[]
  /**
   * Ends by itself when it is interrupted, with what was done recorded; any other command is left at once. `well`: that is how it
   * is meant to end, so the exit code is its own.
   */
  readonly stops?: true | 'well'
  readonly load: () => Promise<{ readonly command: CommandFunction }>
}

/** An option: flags as one writes them, and what it does. */
export interface OptionEntry {
  readonly flags: string
  readonly description: string
  /** May be given several times; the values are a list. */
  readonly many?: true
}
