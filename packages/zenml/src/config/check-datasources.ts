import { didYouMean } from '../base/nearest.ts'
import { isOutputName, namesOneArtifact } from '../model/artifact-name.ts'
import {
  type BigQueryDatasource,
  type DatasourceSpec,
  type ServerDatasource,
  type SqlDatasource,
  variableReference,
  versionPattern,
} from '../model/datasource-spec.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import { type AnyObjectDatasource, objectSchemes, parseObjectUri } from '../model/object-uri.ts'
import { datasourceKeys } from './datasource-keys.ts'

/** Headers that hold a secret in every use. */
const secretHeader = /^(authorization|proxy-authorization|cookie|x-api-key|x-auth-token|api-key)$/i

/** What of a datasource does not fit together, whichever way it was declared. */
export function checkDatasource(name: string, spec: DatasourceSpec): readonly Diagnostic[] {
  const problems: Diagnostic[] = []
  const wrong = (key: string, message: string): void => {
    problems.push({
      code: 'ZEN_CONFIG_SOURCE',
      message: `Datasource "${name}": ${message}`,
      path: `datasources.${name}.${key}`,
    })
  }
  const known = datasourceKeys[spec.type]
  if (known === undefined) {
    const types = Object.keys(datasourceKeys)
    wrong(
      'type',
      `there is no kind "${spec.type}".${didYouMean(spec.type, types) || ` There are ${types.join(', ')}.`}`,
    )
    return problems
  }
  for (const key of Object.keys(spec)) {
    if (!Object.hasOwn(known, key))
      wrong(
        key,
        `unknown key "${key}".${didYouMean(key, Object.keys(known)) || ` Known of ${spec.type}: ${Object.keys(known).join(', ')}.`}`,
      )
  }
  if (spec.version !== undefined && !new RegExp(versionPattern).test(spec.version))
    wrong(
      'version',
      `version must be latest, the id of a commit (16 hex digits) or a digest (sha256:…), not "${spec.version}".`,
    )
  if (spec.type === 'http') checkHttp(spec, wrong)
  if (spec.type === 'artifact') checkArtifact(spec, wrong)
  if (spec.type === 'postgres' || spec.type === 'mysql') checkServer(spec, wrong)
  if (spec.type === 'bigquery') checkBigQuery(spec, wrong)
  if (spec.type === 'gcs' || spec.type === 's3') checkObjects(spec, wrong)
  else if (spec.type !== 'file' && spec.type !== 'http' && spec.type !== 'artifact') checkSql(spec, wrong)
  return problems
}

type Wrong = (key: string, message: string) => void

function checkHttp({ url, headers }: Extract<DatasourceSpec, { type: 'http' }>, wrong: Wrong): void {
  const parsed = URL.canParse(url) ? new URL(url) : undefined
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol)) {
    wrong('url', `"${url}" is no URL of http: or https:.`)
  } else if (parsed.username !== '' || parsed.password !== '') {
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what one writes
    wrong('url', 'the URL holds a user or password. Write headers: { Authorization: "${env:NAME}" } instead.')
  }
  for (const [header, value] of Object.entries(headers)) {
    if (!/^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/.test(header) || /[\r\n\0]/.test(value))
      wrong('headers', `"${header}" cannot be sent as a header.`)
    else if (secretHeader.test(header) && value.search(variableReference) < 0)
      wrong('headers', `the secret of "${header}" stands in clear. Write "\${env:NAME}" and set the variable.`)
  }
}

function checkObjects(spec: AnyObjectDatasource, wrong: Wrong): void {
  const { uri, endpoint, anonymous } = spec
  const scheme = objectSchemes[spec.type]
  const place = parseObjectUri(spec)
  if (place === undefined) wrong('uri', `"${uri}" is no ${scheme}://BUCKET/PATH.`)
  else if (/(^|\/)(\.{0,2})\/|(^|\/)\.{1,2}$/.test(place.path))
    wrong('uri', `"${uri}" has an empty part, or one that is . or .. only.`)
  if (spec.type === 's3' && spec.region !== undefined && !/^[a-z0-9-]{1,63}$/.test(spec.region))
    wrong('region', `"${spec.region}" is no region.`)
  if (endpoint === undefined) return
  const parsed = URL.canParse(endpoint) ? new URL(endpoint) : undefined
  if (parsed === undefined || !/^https?:$/.test(parsed.protocol) || parsed.search !== '' || parsed.hash !== '')
    wrong('endpoint', `"${endpoint}" is no URL of http: or https: without ? and #.`)
  else if (parsed.username !== '' || parsed.password !== '') wrong('endpoint', 'the URL holds a user or password.')
  // Whoever has an access token of Google may use it, so it is not sent in clear over a network.
  else if (spec.type === 'gcs' && anonymous !== true && parsed.protocol === 'http:' && !isOwnMachine(parsed.hostname))
    wrong('endpoint', 'credentials are not sent over http: but to this machine. Write https:, or anonymous: true.')
}

function isOwnMachine(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(\.\d+){3}$/.test(host)
}

function checkArtifact(spec: Extract<DatasourceSpec, { type: 'artifact' }>, wrong: Wrong): void {
  const { output, splits } = spec
  if (!namesOneArtifact(spec)) wrong('artifact', 'give either artifact, or pipeline and output.')
  if (output !== undefined && !isOutputName(output))
    wrong('output', `"${output}" is no output of a step; write step.output.`)
  if (splits !== undefined && (splits.length === 0 || new Set(splits).size < splits.length))
    wrong('splits', 'splits must name one split or more, none of them twice.')
}

function checkServer({ host, socket, password, tls }: ServerDatasource, wrong: Wrong): void {
  // The text itself may be a password, so it is not shown.
  if (password !== undefined && password.replace(variableReference, '') !== '')
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what one writes
    wrong('password', 'the password stands in clear. Write "${env:NAME}" and set the variable.')
  if (host !== undefined && socket !== undefined) wrong('socket', 'give either host or socket.')
  if (tls !== undefined && (tls.cert === undefined) !== (tls.key === undefined))
    wrong('tls', 'cert and key belong together.')
}

function checkBigQuery({ dataset, table }: BigQueryDatasource, wrong: Wrong): void {
  if (table?.split('.').some((part) => part === '') === true)
    wrong('table', `"${table}" is no table; write TABLE, DATASET.TABLE or PROJECT.DATASET.TABLE.`)
  else if (table !== undefined && !table.includes('.') && dataset === undefined)
    wrong('dataset', `name the data set of "${table}": dataset: NAME, or table: NAME.${table}.`)
}

function checkSql(spec: SqlDatasource, wrong: Wrong): void {
  const { table, query, key } = spec
  if ((table === undefined) === (query === undefined)) wrong('table', 'give either table or query.')
  if (query !== undefined && key === undefined)
    wrong('query', 'a query needs key: the columns in whose order its rows are read, and which no two rows share.')
  if (key !== undefined && (key.length === 0 || new Set(key).size < key.length))
    wrong('key', 'key must name one column or more, none of them twice.')
}
