import { defaultMaxBytes, versionPattern } from '../model/datasource-spec.ts'
import type { KeyTable } from './config-keys.ts'

/** Formats of files. */
export const formats: readonly string[] = ['csv', 'json', 'jsonl', 'parquet', 'pbtxt']

const shared: KeyTable = {
  version: {
    type: 'string',
    description:
      'Which snapshot: latest (the newest commit), the id of a commit, or the digest of a snapshot. Default: the data as it is now.',
    pattern: versionPattern,
    item: 'latest, the id of a commit (16 hex digits) or a digest (sha256:…)',
  },
}

const file: KeyTable = {
  format: {
    type: 'string',
    description: 'Format of the files; told by their name where it is left out.',
    values: formats,
  },
  options: { type: 'free', description: 'Options of the format.' },
}

const sql: KeyTable = {
  table: { type: 'string', description: 'A table or view; either this or query.' },
  query: { type: 'string', description: 'One statement that gives rows; either this or table.' },
  key: {
    type: 'strings',
    description: 'Columns that no two rows share: rows are read in their order. Default the primary key of the table.',
    item: 'name of a column',
  },
  versionColumn: {
    type: 'string',
    description:
      'A column that grows with every change of a row; as long as its largest value and the number of rows stay, nothing is read.',
  },
}

/** The keys of a datasource by its type; file is the default. */
export const datasourceKeys: { readonly [type: string]: KeyTable } = {
  file: {
    type: kind('file'),
    path: {
      type: 'string',
      description: "A file, folder or glob relative to the repository's root, or package:NAME/PATH.",
      required: true,
    },
    ...file,
    ...shared,
  },
  http: {
    type: kind('http'),
    url: { type: 'string', description: 'http: or https:, without user and password.', required: true },
    headers: {
      type: 'texts',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: what one writes
      description: 'Sent with the request; secrets as ${env:NAME} only.',
    },
    maxBytes: {
      type: 'integer',
      description: `A longer file is refused. Default ${defaultMaxBytes}.`,
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
    },
    ...file,
    ...shared,
  },
  sqlite: {
    type: kind('sqlite'),
    path: {
      type: 'string',
      description: "The database file, relative to the repository's root or below a data root.",
      required: true,
    },
    ...sql,
    ...shared,
  },
}

function kind(type: string): KeyTable[string] {
  return {
    type: 'string',
    description: type === 'file' ? 'Kind of datasource. Default file.' : 'Kind of datasource.',
    values: [type],
  }
}
