/** What of the world outside of its declared inputs a step used. */
export type TouchKind = 'file' | 'variable' | 'network' | 'clock' | 'randomness' | 'process' | 'threads' | 'host'

/** One thing that a step touched outside of its declared inputs, and where in its code. Plain data. */
export interface Touch {
  readonly kind: TouchKind
  /** A path (relative to the repository, or absolute outside of it), variable, host, call (`Date.now`) or command. */
  readonly what: string
  /** Place in the user's source, `steps/train.ts:12:5`; null where no code of the user's was on the way. */
  readonly at: string | null
  /** The package whose code made the call; null where the user's own did. */
  readonly package: string | null
  /** How often. */
  readonly count: number
}

/** Calls that packages make all the time for logging, profiling and settings, and that seldom get into a result. */
const ordinaryInPackages: ReadonlySet<TouchKind> = new Set(['variable', 'clock', 'threads', 'host'])

/** Whether a touch may change a result in a way that its user can do something about: what is warned of. */
export function concernsUser(touch: Touch): boolean {
  if (touch.kind === 'file' && isObserved(touch)) return false
  if (touch.package === null) return true
  if (ordinaryInPackages.has(touch.kind)) return false
  return touch.kind !== 'file' || touch.at !== null
}

/** Whether a strict step may not do it: everything but what packages read all the time of clock, host and unset variables. */
export function breaksStrict({ kind, package: owner }: Pick<Touch, 'kind' | 'package'>): boolean {
  return owner === null || !ordinaryInPackages.has(kind)
}

/** Whether a file is inside of the repository: it is checked before the execution is reused. */
function isObserved({ what }: Touch): boolean {
  return !/^(?:[/\\]|[A-Za-z]:)/.test(what)
}

/** What of each kind is done about it, as the next action of a warning or of a refusal. */
export const touchAdvice: { readonly [kind in TouchKind]: string } = {
  file: 'Make it a datasource, or part of the code: new URL("./name", import.meta.url).',
  variable: 'Declare it under "environment" of the step; it is not set otherwise.',
  network: 'Fetch the data into a file and make that a datasource.',
  clock: 'Pass the time as a parameter.',
  randomness: 'Use context.random: bytes(), uuid(), integer().',
  process: 'Do it in this process, or keep what it gives as a datasource.',
  threads: 'Set the number of threads as a parameter.',
  host: 'Pass it as a parameter.',
}

/**
 * What a step did, as a clause: `reads the clock (Date.now)`.
 *
 * @example
 * touchClause({ kind: 'network', what: 'example.com' }) // 'connects to example.com'
 */
export function touchClause({ kind, what }: Pick<Touch, 'kind' | 'what'>): string {
  switch (kind) {
    case 'file':
      return `reads the file ${what}, which is not among its inputs`
    case 'variable':
      return what === '*'
        ? 'lists all environment variables'
        : `reads the environment variable ${what}, which it does not declare`
    case 'network':
      return `connects to ${what}`
    case 'clock':
      return `reads the clock (${what})`
    case 'randomness':
      return `takes randomness that is not seeded (${what})`
    case 'process':
      return `starts another process (${what})`
    case 'threads':
      return `asks for threads or their number (${what})`
    case 'host':
      return `asks for facts of the machine (${what})`
  }
}

/** ` at steps/train.ts:12:5, in package uuid`, as far as known. */
export function touchPlace({ at, package: owner }: Pick<Touch, 'at' | 'package'>): string {
  return `${at === null ? '' : ` at ${at}`}${owner === null ? '' : `${at === null ? ' in' : ', in'} package ${owner}`}`
}
