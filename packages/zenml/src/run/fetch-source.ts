import { mkdir, mkdtemp, readFile, rename, rm, writeFile } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { canonicalJson, digestOf } from '../base/canonical.ts'
import { type Digest, hexOf, isDigest } from '../base/digest.ts'
import { systemCode, ZenmlError } from '../base/errors.ts'
import { isJsonObject, type JsonObject } from '../base/json.ts'
import { createExamplesWriter, type ExamplesSummary } from '../formats/examples.ts'
import { type DatasourceSpec, placeOf } from '../model/datasource-spec.ts'
import type { AnyObjectDatasource } from '../model/object-uri.ts'
import type { SourceFile } from '../model/source-files.ts'
import { connectorOf, type ObjectConnector, type RowConnector, type SourceProgress } from '../sources/connector.ts'
import { fetchObjects, type ObjectsToFetch } from '../sources/fetch-objects.ts'
import { digestOfFiles } from '../sources/resolve-source.ts'
import type { PlannedSource } from './plan.ts'
import type { Workspace } from './workspace.ts'

/** A datasource that is no local file. */
export type RemoteDatasource = Exclude<DatasourceSpec, { readonly type: 'file' }>

/** A datasource that lies outside of the project and its stores. */
type ConnectedDatasource = Exclude<RemoteDatasource, { readonly type: 'artifact' }>

/** Options of a fetch. */
export interface FetchOptions {
  readonly signal?: AbortSignal | undefined
  readonly onProgress?: SourceProgress | undefined
}

/** What of an earlier fetch is remembered: it may be forgotten at any time, and is fetched again then. */
interface Fetch {
  readonly version: string | null
  readonly staged: Digest
}

/**
 * Reads a source that is no local file and keeps what it gave in the artifact store: rows as TFRecord files, a file as it is. Where the
 * source says that it is at the version of an earlier fetch of the same parameters, that one stands.
 *
 * Nothing is kept of a read that does not come to its end. Throws what connectors throw (`ZEN_SOURCE_…`).
 */
export async function fetchSource(
  workspace: Workspace,
  root: string,
  spec: ConnectedDatasource,
  { signal, onProgress }: FetchOptions = {},
): Promise<PlannedSource> {
  const { artifacts, temporaryDirectory, dataRoots, environment } = workspace
  const known = await recall(workspace, spec)
  const connector = await connectorOf(spec.type, root)
  const options = { spec, places: { root, dataRoots }, environment, signal, onProgress }
  await mkdir(temporaryDirectory, { recursive: true })
  const directory = await mkdtemp(join(temporaryDirectory, `fetch-${process.pid}-`))
  try {
    let version: string | undefined
    if (connector.kind === 'rows') {
      version = await connector.version(options)
      if (version !== undefined && version === known?.version)
        return await stagedSource(workspace, spec, known.staged, version)
      await writeRows(connector, options, directory)
    } else {
      const given = { ...options, known: known?.version ?? undefined, directory }
      const fetched =
        connector.kind === 'file'
          ? await connector.fetch(given)
          : // Only sources of objects have such a connector.
            await fetchObjects(connector as ObjectConnector<AnyObjectDatasource>, given as ObjectsToFetch)
      if (fetched.kind === 'unchanged') return await stagedSource(workspace, spec, known!.staged, known!.version)
      version = fetched.version
    }
    const type = connector.kind === 'rows' ? 'Examples' : 'SourceFile'
    const { digest } = await artifacts.put(type, directory, { move: true, ...(signal === undefined ? {} : { signal }) })
    await remember(workspace, spec, { version: version ?? null, staged: digest }, basename(directory))
    return await stagedSource(workspace, spec, digest, version ?? null)
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}

async function writeRows(
  connector: RowConnector,
  options: Parameters<RowConnector['read']>[0],
  directory: string,
): Promise<void> {
  await using reading = await connector.read(options)
  const writer = await createExamplesWriter(directory)
  try {
    let rows = 0
    for await (const batch of reading.batches) {
      await writer.write('all', batch)
      rows += batch.length
      options.onProgress?.(rows, null, 'rows')
    }
    if (rows === 0)
      throw new ZenmlError('ZEN_SOURCE_EMPTY', `${placeOf(options.spec)} has no rows.`, {
        next: 'Look at the table, query or objects: a snapshot has at least one row.',
        exitCode: 1,
      })
    await writer.finish()
  } catch (error) {
    await writer.abort()
    throw error
  }
}

/** A source as the store holds it. Its files are laid out for the step that reads them. Throws `ZEN_ARTIFACT_MISSING`, `ZEN_ARTIFACT_DAMAGED`. */
export async function stagedSource(
  { artifacts }: Pick<Workspace, 'artifacts'>,
  spec: RemoteDatasource,
  staged: Digest,
  version: string | null,
): Promise<PlannedSource> {
  const state = await artifacts.check(staged)
  const manifest = await artifacts.manifest(staged)
  if (state.kind !== 'whole' || manifest === undefined)
    throw new ZenmlError('ZEN_ARTIFACT_MISSING', `The store no longer holds what ${placeOf(spec)} gave.`, {
      exitCode: 1,
    })
  const splits = spec.type === 'artifact' ? spec.splits : undefined
  const { format, options, digest } =
    'format' in spec
      ? {
          ...spec,
          digest: digestOfFiles(
            spec.format,
            manifest.files.map(({ path, ...file }) => ({ inner: path, ...file })),
          ),
        }
      : {
          format: 'tfrecord',
          options: await schemaOf(artifacts, manifest.files),
          digest: splits === undefined ? staged : digestOf(['splits', staged, splitsIn(manifest.files, splits)]),
        }
  return {
    files: [],
    format,
    options,
    digest,
    identity: digestOf(['datasource 1', digest, format, options]),
    staged,
    version,
    ...(splits === undefined ? {} : { splits }),
  }
}

/** Checks that Examples have these splits. */
function splitsIn(files: readonly { readonly path: string }[], splits: readonly string[]): readonly string[] {
  const known = [...new Set(files.flatMap(({ path }) => /^Split-([^/]+)\//.exec(path)?.[1] ?? []))]
  const other = splits.find((split) => !known.includes(split))
  if (other === undefined) return splits
  throw new ZenmlError('ZEN_EXAMPLES_SPLIT', `The examples have no split "${other}"; they have ${known.join(', ')}.`, {
    facts: { split: other },
  })
}

/** The kinds of Examples that we wrote; of others, a read will tell. */
async function schemaOf(
  artifacts: Workspace['artifacts'],
  files: readonly { readonly path: string; readonly digest: Digest }[],
): Promise<JsonObject> {
  const file = files.find(({ path }) => path === 'examples.json')
  if (file === undefined) return {}
  const bytes = await artifacts.getBlob(file.digest)
  if (bytes === undefined)
    throw new ZenmlError('ZEN_ARTIFACT_DAMAGED', 'The examples.json of a datasource cannot be read.', { exitCode: 1 })
  return { schema: { ...(JSON.parse(new TextDecoder().decode(bytes)) as ExamplesSummary).features } }
}

/** Lays a staged source out in a folder, read-only; its files in reading order, of all splits or of some. */
export async function layOutSource(
  { artifacts }: Pick<Workspace, 'artifacts'>,
  staged: Digest,
  directory: string,
  splits?: readonly string[],
): Promise<readonly SourceFile[]> {
  await mkdir(directory, { recursive: true })
  await artifacts.materialise(staged, directory)
  const { files } = (await artifacts.manifest(staged))!
  const read =
    splits === undefined
      ? files.filter(({ path }) => path !== 'examples.json')
      : splits.flatMap((split) => files.filter(({ path }) => path.startsWith(`Split-${split}/`)))
  return read.map(({ path, size }) => ({ name: path, inner: path, path: join(directory, path), size }))
}

function noteOf({ cacheDirectory }: Workspace, spec: ConnectedDatasource): string {
  const { version: _version, ...declared } = spec
  return join(cacheDirectory, 'fetches', `${hexOf(digestOf(['fetch 1', declared as unknown as JsonObject]))}.json`)
}

async function recall(workspace: Workspace, spec: ConnectedDatasource): Promise<Fetch | undefined> {
  let value: unknown
  try {
    value = JSON.parse(await readFile(noteOf(workspace, spec), 'utf8'))
  } catch (error) {
    // A note that cannot be read is one that was forgotten.
    if (systemCode(error) === 'ENOENT' || error instanceof SyntaxError) return undefined
    throw error
  }
  if (!isJsonObject(value)) return undefined
  const { version, staged } = value
  if (typeof version !== 'string' || typeof staged !== 'string' || !isDigest(staged)) return undefined
  return (await workspace.artifacts.check(staged)).kind === 'whole' ? { version, staged } : undefined
}

/** `fetch` is a name that no other fetch has: the same source may be fetched twice at once. */
async function remember(workspace: Workspace, spec: ConnectedDatasource, fetched: Fetch, fetch: string): Promise<void> {
  const file = noteOf(workspace, spec)
  const part = `${file}.${fetch}.part`
  await mkdir(join(file, '..'), { recursive: true })
  await writeFile(part, canonicalJson(fetched as unknown as JsonObject))
  await rename(part, file)
}
