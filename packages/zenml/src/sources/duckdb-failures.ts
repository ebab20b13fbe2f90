import { ZenmlError } from '../base/errors.ts'

const infinite = 'has an infinite date or time'

/** SQL for microseconds since the epoch; of an infinite time, for which DuckDB would give a missing value, an error. */
export function microseconds(name: string, column: string, time: string): string {
  const what = `the column "${name}" ${infinite}`.replaceAll("'", "''")
  return `CASE WHEN isinf(${column}) THEN error('${what}') ELSE epoch_us(${time}) END`
}

/** What DuckDB says of the values that it reads and not of the file or the query; undefined where it is something else. */
export function valueFailure(place: string, said: string): ZenmlError | undefined {
  const end = said.indexOf(infinite)
  if (end >= 0)
    return new ZenmlError(
      'ZEN_SOURCE_VALUE',
      `${place}: ${said.slice(said.indexOf('the column '), end)}${infinite}, which no feature holds.`,
      { next: 'Mend the values, or leave them out.', exitCode: 1 },
    )
  if (!said.startsWith('Out of Memory Error')) return undefined
  return new ZenmlError(
    'ZEN_SOURCE_LIMIT',
    `${place} needs more memory than a read may take (256 MB): its rows are too long for the 2,048 that are read at once.`,
    { next: 'Leave the long values out, or write Parquet files with fewer rows in a group.', exitCode: 1 },
  )
}
