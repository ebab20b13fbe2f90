import { ZenmlError } from '../base/errors.ts'
import { cellAt } from '../formats/examples-reader.ts'
import type { SourceFile } from '../model/source-files.ts'
import { findCsvKinds, readCsv } from './csv.ts'
import type { KindsSoFar } from './kinds.ts'
import type { Row } from './row.ts'

/** What a file of labels says. */
export interface ImageLabels {
  /** Of all columns but `path`. */
  readonly kinds: KindsSoFar
  /** By the path of the image below the source's folder. */
  readonly rows: ReadonlyMap<string, Row>
}

/**
 * Reads the CSV file of labels among the files of a source: its column `path` names the image, every other column is a feature. It is in memory as a
 * whole: a few hundred bytes an image.
 *
 * Throws `ZEN_SOURCE_LABELS` for a file without the columns, with a column that images have already, or with a path that is missing or there twice.
 */
export async function readLabels(
  files: readonly SourceFile[],
  labels: string,
  taken: ReadonlySet<string>,
  signal: AbortSignal | undefined,
): Promise<ImageLabels> {
  const file = files.find(({ inner }) => inner === labels)
  if (file === undefined) throw wrong(labels, 'it is none of the files of the source')
  const found = await findCsvKinds([file], {}, false, signal)
  if (!found.has('path') || found.size < 2)
    throw wrong(labels, 'it needs the column "path" and others, such as "label"')
  found.set('path', 'bytes')
  const kinds: KindsSoFar = new Map([...found].filter(([name]) => name !== 'path'))
  const double = [...kinds.keys()].find((name) => taken.has(name))
  if (double !== undefined) throw wrong(labels, `its column "${double}" is what every image has already`)
  const rows = new Map<string, Row>()
  let line = 0
  for await (const { columns, length } of readCsv([file], {}, found, { path: 'bytes' }, 4096, signal)) {
    for (let row = 0; row < length; row++) {
      line++
      const path = cellAt(columns.get('path')!, row)
      if (typeof path !== 'string') throw wrong(labels, `row ${line} has no path`)
      const inner = path.replace(/^(\.\/)+/, '')
      if (rows.has(inner)) throw wrong(labels, `row ${line} is the second for ${inner}`)
      rows.set(inner, Object.fromEntries([...kinds.keys()].map((name) => [name, cellAt(columns.get(name)!, row)])))
    }
  }
  return { kinds, rows }
}

function wrong(labels: string, reason: string): ZenmlError {
  return new ZenmlError('ZEN_SOURCE_LABELS', `${labels} says nothing of the images: ${reason}.`, {
    facts: { labels, reason },
    next: 'Name as labels a CSV file with the column path, below the folder of the images, and columns such as label.',
    exitCode: 1,
  })
}
