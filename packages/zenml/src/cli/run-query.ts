import { digestOf } from '../base/canonical.ts'
import { hexOf } from '../base/digest.ts'
import { ZenmlError } from '../base/errors.ts'
import { type RunPosition, type RunQuery, type RunSort, runSorts } from '../metadata/run-orders.ts'
import type { RunStatus } from '../model/run.ts'
import { instantOf } from './instant.ts'

const statuses: readonly string[] = ['running', 'complete', 'failed', 'canceled'] satisfies RunStatus[]

/** What the options of `pipeline runs` ask for, but the page; `now` is what `--since 7d` counts back from. */
export function runQueryOf(
  pipeline: string | undefined,
  options: { readonly [name: string]: unknown },
  now: number,
): RunQuery {
  const status = oneOf(options, 'status', statuses) as RunStatus | undefined
  const sort = oneOf(options, 'sort', runSorts) as RunSort | undefined
  const order = oneOf(options, 'order', ['asc', 'desc'])
  const [since, until] = ['since', 'until'].map((name) => {
    const given = options[name] as string | undefined
    return given === undefined ? undefined : instantOf(`--${name}`, given, now)
  })
  return {
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(status === undefined ? {} : { status }),
    ...(sort === undefined ? {} : { sort }),
    ...(order === undefined ? {} : { ascending: order === 'asc' }),
    ...(since === undefined ? {} : { since }),
    ...(until === undefined ? {} : { until }),
  }
}

function oneOf(
  options: { readonly [name: string]: unknown },
  name: string,
  known: readonly string[],
): string | undefined {
  const given = options[name] as string | undefined
  if (given !== undefined && !known.includes(given))
    throw new ZenmlError('ZEN_USAGE', `--${name} takes ${known.join(', ')}, not "${given}".`)
  return given
}

/** What a list is made of: a page of another list is no page of this one. */
export function listOf(pipeline: string | undefined, options: { readonly [name: string]: unknown }): string {
  const asked = ['status', 'since', 'until', 'sort', 'order'].map(
    (name) => (options[name] as string | undefined) ?? null,
  )
  return hexOf(digestOf([pipeline ?? null, ...asked])).slice(0, 16)
}

/** The token of the page behind a position; it holds the run and what it was in order by, and nothing secret. */
export function pageToken(list: string, { run, key }: RunPosition): string {
  return Buffer.from(JSON.stringify([list, run, ...(key === undefined ? [] : [key])])).toString('base64url')
}

/** The position in a token. Throws `ZEN_PAGE_TOKEN` where it is none, or one of another list. */
export function positionOf(list: string, token: string): RunPosition {
  const [of, run, key] = parsed(token)
  const isKey = key === undefined || typeof key === 'string' || (typeof key === 'number' && Number.isFinite(key))
  if (typeof of !== 'string' || typeof run !== 'string' || !/^[0-9a-f]{1,64}$/.test(run) || !isKey)
    throw new ZenmlError('ZEN_PAGE_TOKEN', `"${token}" is no page token.`, {
      next: 'Pass the "nextPageToken" of "zenml pipeline runs --json" as it is.',
    })
  if (of !== list)
    throw new ZenmlError('ZEN_PAGE_TOKEN', 'The page token belongs to a list with other filters or another order.', {
      next: 'Pass the name, --status, --since, --until, --sort and --order of the first page with each page.',
    })
  return { run, ...(key === undefined ? {} : { key }) }
}

function parsed(token: string): readonly unknown[] {
  try {
    const value: unknown = JSON.parse(Buffer.from(token, 'base64url').toString('utf8'))
    return Array.isArray(value) ? value : []
  } catch (error) {
    // What is no JSON is no token; the caller says so.
    if (error instanceof SyntaxError) return []
    throw error
  }
}
