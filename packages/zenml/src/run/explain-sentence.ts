/** What a sentence needs of a change. */
interface Told {
  readonly field: string
  readonly before: unknown
  readonly after: unknown
  readonly reason: string
  readonly because?: { readonly reason: string }
}

/** Changes that one sentence holds; more are counted. */
const most = 3

/**
 * What stands behind "because". What an execution was seen to do otherwise is told only where nothing else changed: it mostly
 * follows from the rest. The first input's own cause goes last, so that it can go on to the root.
 */
export function because(changes: readonly Told[], since = ''): string {
  const own = changes.filter((change) => !follows(change))
  const told = own.length === 0 ? changes : own
  const named = told.slice(0, most).map(({ reason }) => reason)
  if (told.length > most) named.push(`${told.length - most} more changes`)
  const list = named.length < 2 ? named.join('') : `${named.slice(0, -1).join(', ')} and ${named.at(-1)}`
  const root = told.slice(0, most).find((change) => change.because !== undefined)?.because
  return [list, since].filter((part) => part !== '').join(' ') + (root === undefined ? '' : `: ${root.reason}`)
}

function follows({ field, before, after }: Told): boolean {
  return field === 'observed' || (field === 'seed' && (before === null || after === null))
}

/** Enough of a run's id to name it in a sentence. */
export function shortRun(id: string): string {
  return id.slice(0, 6)
}
