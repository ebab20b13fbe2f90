import { posix } from 'node:path'
import { ZenmlError } from '../base/errors.ts'
import { didYouMean } from '../base/nearest.ts'
import type { FeatureKind } from '../formats/batch.ts'
import type { SourceFiles } from '../model/source-files.ts'
import type { CsvOptions } from './csv.ts'
import type { ImageOptions } from './image-rows.ts'
import type { TextOptions } from './text-rows.ts'

/** Checked options of any format. */
export interface SourceOptions extends CsvOptions, TextOptions, ImageOptions {
  /** Kinds that are given rather than found. */
  readonly schema: { readonly [feature: string]: FeatureKind }
}

const known: { readonly [format: string]: readonly string[] } = {
  csv: ['delimiter', 'quote', 'header', 'columns', 'missing', 'encoding', 'schema'],
  json: ['encoding', 'schema'],
  jsonl: ['encoding', 'schema'],
  parquet: ['schema'],
  tfrecord: ['schema'],
  text: ['rows', 'encoding'],
  image: ['labels'],
}

/** Checks the options of a source; throws `ZEN_SOURCE_OPTIONS` with what was expected. */
export function checkOptions({ format, options }: SourceFiles): SourceOptions {
  if (format === 'pbtxt')
    throw new ZenmlError('ZEN_SOURCE_ROWS', 'The datasource is a schema (pbtxt), which has no rows.', {
      next: 'Connect it to the step importSchema.',
    })
  const names = known[format]
  if (names === undefined) throw wrong(`There is no format "${format}".${didYouMean(format, Object.keys(known))}`)
  for (const name of Object.keys(options)) {
    if (!names.includes(name))
      throw wrong(
        `Format ${format} has no option "${name}".${didYouMean(name, names) || ` It has ${names.join(', ')}.`}`,
      )
  }
  const { delimiter, quote, header, columns, missing, encoding, rows, labels, schema = {} } = options
  for (const [name, value] of Object.entries({ delimiter, quote })) {
    if (value !== undefined && (typeof value !== 'string' || !/^[\t\x20-\x7e]$/.test(value)))
      throw wrong(`Option "${name}" must be one ASCII character.`)
  }
  if (header !== undefined && typeof header !== 'boolean') throw wrong('Option "header" must be true or false.')
  for (const [name, value] of Object.entries({ columns, missing })) {
    if (value !== undefined && (!Array.isArray(value) || value.some((item) => typeof item !== 'string')))
      throw wrong(`Option "${name}" must be a list of texts.`)
  }
  if (delimiter !== undefined && delimiter === (quote ?? '"'))
    throw wrong('Options "delimiter" and "quote" must differ.')
  if (columns !== undefined && new Set(columns as string[]).size < (columns as string[]).length)
    throw wrong('Option "columns" has a name twice.')
  if (columns !== undefined && ((columns as string[]).length === 0 || (columns as string[]).includes('')))
    throw wrong('Option "columns" must have names, and none that is empty.')
  if (encoding !== undefined && !['utf-8', 'utf-16le', 'utf-16be', 'latin1'].includes(encoding as string))
    throw wrong('Option "encoding" must be utf-8, utf-16le, utf-16be or latin1.')
  if (rows !== undefined && !['document', 'line', 'paragraph'].includes(rows as string))
    throw wrong('Option "rows" must be document, line or paragraph.')
  if (labels !== undefined && (typeof labels !== 'string' || labels === ''))
    throw wrong('Option "labels" must be the path of a CSV file.')
  if (
    typeof schema !== 'object' ||
    schema === null ||
    Array.isArray(schema) ||
    Object.values(schema).some((kind) => !['int', 'float', 'bytes'].includes(kind as string))
  ) {
    throw wrong('Option "schema" must map features to int, float or bytes.')
  }
  const inner = typeof labels === 'string' ? { labels: posix.normalize(labels) } : {}
  return { ...options, ...inner, schema } as unknown as SourceOptions
}

function wrong(message: string): ZenmlError {
  return new ZenmlError('ZEN_SOURCE_OPTIONS', message, { next: 'See docs/datasources.md.' })
}
