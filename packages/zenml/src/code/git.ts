import { execFile } from 'node:child_process'
import { messageOf, systemCode, ZenmlError } from '../base/errors.ts'

/** How a git process is started beside its arguments. */
export interface GitOptions {
  /** Added to the environment: `GIT_INDEX_FILE` … */
  readonly env?: { readonly [name: string]: string }
  /** Written to the standard input. */
  readonly input?: string
  /** Ends the process; the call then rejects with the signal's reason. */
  readonly signal?: AbortSignal
}

/** What makes git the same everywhere: no prompts, no locks that a reader need not take, messages in English. */
const fixed = { GIT_OPTIONAL_LOCKS: '0', GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C' }

/**
 * What would lead git to another repository than the one that holds the folder, or to other files than those named: git sets the
 * first ones itself for hooks and aliases, so a run that one of these starts has them.
 */
const misleading: readonly string[] = [
  ...['GIT_DIR', 'GIT_COMMON_DIR', 'GIT_WORK_TREE', 'GIT_INDEX_FILE', 'GIT_PREFIX', 'GIT_NAMESPACE'],
  ...['GIT_OBJECT_DIRECTORY', 'GIT_ALTERNATE_OBJECT_DIRECTORIES', 'GIT_SHALLOW_FILE', 'GIT_GRAFT_FILE'],
  ...['GIT_LITERAL_PATHSPECS', 'GIT_GLOB_PATHSPECS', 'GIT_NOGLOB_PATHSPECS', 'GIT_ICASE_PATHSPECS'],
]

/** The variables of a process of git: this process's own without what would mislead it, and `more`. */
export function gitVariables(more: { readonly [name: string]: string } = {}): NodeJS.ProcessEnv {
  const inherited = { ...process.env }
  for (const name of misleading) delete inherited[name]
  return { ...inherited, ...fixed, ...more }
}

/**
 * Runs git and gives its standard output.
 *
 * Throws `ZEN_GIT_MISSING` where git is not installed, `ZEN_GIT_OWNER` where git does not trust the folder's owner, `ZEN_GIT` otherwise.
 */
export function git(
  directory: string,
  args: readonly string[],
  { env = {}, input, signal }: GitOptions = {},
): Promise<string> {
  return new Promise((resolve, reject) => {
    const child = execFile(
      'git',
      ['-C', directory, ...args],
      {
        env: gitVariables(env),
        maxBuffer: 1 << 28,
        encoding: 'utf8',
        ...(signal === undefined ? {} : { signal }),
      },
      (error, stdout, stderr) => {
        if (error === null) resolve(stdout)
        else if (signal?.aborted === true) reject(signal.reason)
        else reject(gitError(error, directory, args, stderr))
      },
    )
    child.stdin?.on('error', () => undefined)
    child.stdin?.end(input ?? '')
  })
}

function gitError(error: unknown, directory: string, args: readonly string[], stderr: string): ZenmlError {
  if (systemCode(error) === 'ENOENT') {
    return new ZenmlError('ZEN_GIT_MISSING', 'git is not installed, or not on the PATH.', {
      next: 'Install it: it pins the code of runs.',
      cause: error,
    })
  }
  const text = stderr.trim() || messageOf(error)
  if (text.includes('dubious ownership')) {
    return new ZenmlError(
      'ZEN_GIT_OWNER',
      `git does not trust this repository, which another user owns: ${text.split('\n')[0]}`,
      {
        next: 'Run the "git config --global --add safe.directory …" that git suggests.',
        cause: error,
      },
    )
  }
  const command = args.find((arg, index) => !arg.startsWith('-') && args[index - 1] !== '-c') ?? ''
  return new ZenmlError('ZEN_GIT', `git ${command} failed in ${directory}: ${text}`, {
    facts: { stderr: text },
    next: 'Run "git status" there: where that fails too, mend what it says.',
    cause: error,
  })
}
