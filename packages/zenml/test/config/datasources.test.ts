import { expect, test } from 'vitest'
import { configJsonSchema } from '../../src/config/json-schema.ts'
import { parseConfig } from '../../src/config/parse-config.ts'
import { printConfig } from '../../src/config/print-config.ts'

const parse = (sources: string) =>
  parseConfig(`version: 1\npipeline: p\ndatasources:\n${sources}\nsteps:\n  s: { source: a.ts }\n`, 'p.yaml')

async function problems(sources: string): Promise<(string | number | undefined)[][]> {
  const parsed = await parse(sources)
  return parsed.ok ? [] : parsed.error.map(({ code, line, message }) => [code, line, message])
}

test('every type of datasource is read, printed and read back as the same', async () => {
  const parsed = await parse(`  files: { path: a.csv, options: { header: false, columns: [x] }, version: latest }
  web: { type: http, url: "https://example.com/a.jsonl.gz?x=1", headers: { Accept: text/plain }, maxBytes: 5, version: "0123456789abcdef" }
  plain: { type: http, url: "http://example.com/a", format: csv }
  table: { type: sqlite, path: a.db, table: t, versionColumn: changed }
  query: { type: sqlite, path: a.db, query: "SELECT 1 AS a", key: [a] }
  some: { type: artifact, artifact: abc/split.examples, splits: [train] }
  newest: { type: artifact, pipeline: prepare, output: split.examples }
  texts: { path: notes, format: text, options: { rows: line } }
  duck: { type: duckdb, path: a.duckdb, table: main.t, key: [a] }
  pg: { type: postgres, host: db, port: 5433, database: d, username: u, password: "\${env:P}", tls: { verify: false, ca: a.pem }, table: s.t, version: latest }
  big: { type: bigquery, project: p, table: d.t, key: [a], location: EU, maxBytesBilled: 1000000 }
  bigger: { type: bigquery, project: p, dataset: d, query: "SELECT 1 AS a", key: [a], version: latest }
  objects: { type: gcs, uri: "gs://shop/2024/*.csv.gz" }
  folder: { type: gcs, uri: "gs://shop/", format: image, options: { labels: l.csv }, endpoint: "http://localhost:4443", anonymous: true, maxBytes: 5, version: latest }
  bucket: { type: s3, uri: "s3://shop.example/a b/{x,y}/**/*.png", region: eu-central-1, pathStyle: true, endpoint: "http://minio:9000/" }
  my: { type: mysql, socket: /run/my.sock, database: d, username: u, query: "SELECT 1 AS a", key: [a], versionColumn: a }`)
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.error))
  const { spec } = parsed.value
  expect(spec.datasources['plain']).toEqual({
    type: 'http',
    url: 'http://example.com/a',
    headers: {},
    maxBytes: 10737418240,
    format: 'csv',
    options: {},
  })
  const printed = await printConfig(spec)
  const again = await parseConfig(printed, 'printed.yaml')
  expect(again.ok && again.value.spec).toEqual(spec)
})

test('keys of another type, unknown types and parts that do not fit are told with their lines', async () => {
  expect(await problems('  a: { type: sqlite, path: a.db, table: t, format: csv }')).toEqual([
    [
      'ZEN_CONFIG_UNKNOWN',
      4,
      expect.stringContaining('Unknown key "format". Known here: type, path, table, query, key,'),
    ],
  ])
  expect(await problems('  a: { type: htp, url: x }')).toEqual([
    [
      'ZEN_CONFIG_VALUE',
      4,
      '"datasources.a.type" must be file, http, sqlite, artifact, duckdb, postgres, mysql, bigquery, gcs, s3, not "htp". Did you mean "http"?',
    ],
  ])
  expect(await problems('  a: 5\n  b: { type: 7 }')).toEqual([
    ['ZEN_CONFIG_TYPE', 4, '"datasources.a" must be a map, not the number 5.'],
    ['ZEN_CONFIG_VALUE', 5, expect.stringContaining('not the number 7')],
  ])
  expect(await problems('  a: { path: a.csv, version: newest }')).toEqual([
    ['ZEN_CONFIG_VALUE', 4, expect.stringContaining('must be latest, the id of a commit')],
  ])
  expect(await problems('  a: { type: http, url: "https://example.com/a" }')).toEqual([
    ['ZEN_CONFIG_MISSING', 4, expect.stringContaining('The format of "https://example.com/a" is not told')],
  ])
  for (const wrong of [
    'table: t, query: "SELECT 1", key: [a]',
    'key: [a]',
    'table: t, key: []',
    'table: t, key: [a, a]',
    'query: "SELECT 1"',
  ])
    expect(await problems(`  a: { type: sqlite, path: a.db, ${wrong} }`), wrong).toEqual([
      ['ZEN_CONFIG_SOURCE', 4, expect.any(String)],
    ])
  for (const wrong of [
    '',
    'artifact: a1, pipeline: p, output: s.o',
    'pipeline: p',
    'pipeline: p, output: o',
    'artifact: a1, splits: [a, a]',
    'artifact: a1, splits: []',
  ])
    expect(
      (await problems(`  a: { type: artifact, ${wrong} }`)).map(([code]) => code),
      wrong,
    ).toEqual(['ZEN_CONFIG_SOURCE'])
  for (const wrong of ['table: t', 'dataset: d, table: t.', 'dataset: d', 'query: "SELECT 1"'])
    expect(
      (await problems(`  a: { type: bigquery, project: p, ${wrong} }`)).map(([code]) => code),
      wrong,
    ).toEqual(['ZEN_CONFIG_SOURCE'])
  expect(await problems('  a: { type: bigquery, project: p, table: d.t, maxBytesBilled: 0 }')).toHaveLength(1)
  for (const wrong of [
    'uri: "s3://shop/a.csv"',
    'uri: "gs://shop", format: csv',
    'uri: "gs:///a.csv"',
    'uri: "gs://shop//a.csv"',
    'uri: "gs://shop/a/../b.csv"',
    'uri: "gs://shop/..", format: csv',
    'uri: "gs://shop/a\\nb.csv"',
    'uri: "gs://shop/a.csv", endpoint: "ftp://x"',
    'uri: "gs://shop/a.csv", endpoint: "https://u:p@x"',
    'uri: "gs://shop/a.csv", endpoint: "https://x/?a"',
    'uri: "gs://shop/a.csv", endpoint: "http://example.com"',
  ])
    expect(await problems(`  a: { type: gcs, ${wrong} }`), wrong).toEqual([
      ['ZEN_CONFIG_SOURCE', 4, expect.any(String)],
    ])
  for (const wrong of [
    'uri: "gs://shop/a.csv"',
    'uri: "s3://shop/a.csv", region: "eu/../x"',
    'uri: "s3://shop/./a.csv"',
  ])
    expect(await problems(`  a: { type: s3, ${wrong} }`), wrong).toEqual([['ZEN_CONFIG_SOURCE', 4, expect.any(String)]])
  expect(await problems('  a: { type: gcs, uri: "gs://shop/a.csv", region: x }')).toEqual([
    ['ZEN_CONFIG_UNKNOWN', 4, expect.stringContaining('Unknown key "region"')],
  ])
  expect(await problems('  a: { type: gcs, uri: "gs://shop/a/" }')).toEqual([
    ['ZEN_CONFIG_MISSING', 4, expect.stringContaining('The format of "gs://shop/a/" is not told')],
  ])
  expect(await problems('  a: { type: gcs, uri: "gs://shop/a.csv", headers: {} }')).toEqual([
    ['ZEN_CONFIG_UNKNOWN', 4, expect.stringContaining('Unknown key "headers". Known here: type, uri,')],
  ])
  for (const url of ['ftp://example.com/a.csv', 'a.csv', 'https://user@example.com/a.csv'])
    expect(
      (await problems(`  a: { type: http, url: "${url}", format: csv }`)).map(([code]) => code),
      url,
    ).toEqual(['ZEN_CONFIG_SOURCE'])
  expect(await problems('  a: { type: http, url: "https://example.com/a.csv", headers: { X: 5 } }')).toEqual([
    ['ZEN_CONFIG_TYPE', 4, expect.any(String)],
  ])
})

test('the JSON Schema has the keys of each type, and needs the type of all but files', () => {
  // biome-ignore lint/suspicious/noExplicitAny: a schema is read into freely
  const { oneOf } = (configJsonSchema() as any).properties.datasources.additionalProperties
  expect(oneOf.map(({ properties }: { properties: { type: { const: string } } }) => properties.type.const)).toEqual([
    'file',
    'http',
    'sqlite',
    'artifact',
    'duckdb',
    'postgres',
    'mysql',
    'bigquery',
    'gcs',
    's3',
  ])
  expect(oneOf.map(({ required }: { required: string[] }) => required)).toEqual([
    ['path'],
    ['type', 'url'],
    ['type', 'path'],
    ['type'],
    ['type', 'path'],
    ['type', 'database', 'username'],
    ['type', 'database', 'username'],
    ['type', 'project'],
    ['type', 'uri'],
    ['type', 'uri'],
  ])
})
