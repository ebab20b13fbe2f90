import { datasourceFormats, defaultMaxBytes, defaultPorts, versionPattern } from '../model/datasource-spec.ts'
import type { KeyTable } from './config-keys.ts'

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
    values: datasourceFormats,
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

const tls: KeyTable = {
  ca: { type: 'string', description: "PEM file of the authority that signed the server's certificate." },
  cert: { type: 'string', description: "PEM file of the client's certificate." },
  key: { type: 'string', description: "PEM file of the client's key." },
  verify: { type: 'boolean', description: "Whether the server's certificate and name are checked. Default true." },
}

/** The keys of objects in a store. */
const objects = (scheme: string): KeyTable => ({
  uri: {
    type: 'string',
    description: `${scheme}://BUCKET/PATH: an object, a folder (/ at its end) or a glob.`,
    required: true,
  },
  endpoint: {
    type: 'string',
    description: 'Where the service is asked, http: or https:. Default where its vendor has it.',
  },
  anonymous: { type: 'boolean', description: 'Whether it is asked without credentials. Default false.' },
  maxBytes: {
    type: 'integer',
    description: `More bytes, of all objects together, are refused. Default ${defaultMaxBytes}.`,
    minimum: 1,
    maximum: Number.MAX_SAFE_INTEGER,
  },
  ...file,
  ...shared,
})

/** The keys of a database that is a file. */
const databaseFile: KeyTable = {
  path: {
    type: 'string',
    description: "The database file, relative to the repository's root or below a data root.",
    required: true,
  },
  ...sql,
  ...shared,
}

/** The keys of a database that a server holds. */
const server = (port: number): KeyTable => ({
  host: { type: 'string', description: 'Name or address of the server. Default localhost.' },
  port: { type: 'integer', description: `Default ${port}.`, minimum: 1, maximum: 65_535 },
  socket: { type: 'string', description: "A socket instead of host and port: MySQL's file, PostgreSQL's folder." },
  database: { type: 'string', description: 'Name of the database.', required: true },
  username: { type: 'string', description: 'Name of the user, who needs to read only.', required: true },
  // biome-ignore lint/suspicious/noTemplateCurlyInString: what one writes
  password: { type: 'string', description: 'The variable that holds the password: ${env:NAME}. Default none.' },
  tls: { type: 'object', description: 'Encrypts the connection; {} is enough. Default not encrypted.', keys: tls },
  ...sql,
  ...shared,
})

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
  sqlite: { type: kind('sqlite'), ...databaseFile },
  artifact: {
    type: kind('artifact'),
    artifact: {
      type: 'string',
      description: 'Examples in the artifact store: a digest, or RUN/step.output; either this or pipeline and output.',
    },
    pipeline: { type: 'string', description: 'A pipeline, of whose newest complete run the output is read.' },
    output: { type: 'string', description: 'step.output of that run.' },
    splits: {
      type: 'strings',
      description: 'The splits that are read, in this order. Default all, in the order of their names.',
      item: 'name of a split',
    },
    ...shared,
  },
  duckdb: { type: kind('duckdb'), ...databaseFile },
  postgres: { type: kind('postgres'), ...server(defaultPorts.postgres) },
  mysql: { type: kind('mysql'), ...server(defaultPorts.mysql) },
  bigquery: {
    type: kind('bigquery'),
    project: {
      type: 'string',
      description: 'The project that runs the jobs and pays for them, and the one of tables that name none.',
      required: true,
    },
    dataset: { type: 'string', description: 'The data set of tables that name none.' },
    location: {
      type: 'string',
      description: 'Where the jobs run: EU, europe-west1. Default where BigQuery finds the tables.',
    },
    maxBytesBilled: {
      type: 'integer',
      description: 'A job that would be billed for more is not run. Default what the project allows.',
      minimum: 1,
      maximum: Number.MAX_SAFE_INTEGER,
    },
    ...sql,
    ...shared,
  },
  gcs: { type: kind('gcs'), ...objects('gs') },
  s3: {
    type: kind('s3'),
    ...objects('s3'),
    region: {
      type: 'string',
      description: 'The region that is asked first. Default us-east-1; S3 says where another bucket is.',
    },
    pathStyle: {
      type: 'boolean',
      description: 'Whether the bucket stands in the path of addresses and not in their host. Default false.',
    },
  },
}

function kind(type: string): KeyTable[string] {
  return {
    type: 'string',
    description: type === 'file' ? 'Kind of datasource. Default file.' : 'Kind of datasource.',
    values: [type],
  }
}
