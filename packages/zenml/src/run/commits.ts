import { canonicalJson } from '../base/canonical.ts'
import type { Digest } from '../base/digest.ts'
import { ZenmlError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import type { RunRecords } from '../metadata/run-records.ts'
import type { StoredArtifact } from '../model/artifact.ts'
import type { DatasourceSpec } from '../model/datasource-spec.ts'
import { type PipelineSpec, parseInputReference } from '../model/pipeline-spec.ts'
import type { CodePin, RunRecord, StepRecord } from '../model/run.ts'

/** The step that a commit runs. */
const snapshotStep = 'zenml/steps#snapshot'

/** A snapshot of a datasource that was taken on purpose: a run of a pipeline of one step. */
export interface Commit {
  /** Id of its run: 16 hex digits. */
  readonly id: string
  readonly datasource: string
  /** Milliseconds since the epoch. */
  readonly at: number
  /** Digest of the snapshot. */
  readonly digest: Digest
  readonly rows: number | null
  /** Kind by feature. */
  readonly features: JsonObject
  readonly code: CodePin
  /** What the source said of its version; null where it said nothing. */
  readonly version: string | null
  /** As it was declared. */
  readonly source: DatasourceSpec
}

/** The pipeline whose runs are the commits of a datasource. */
export function commitPipeline(name: string): string {
  return `datasource.${name}`
}

/** What a commit runs: the snapshot of the source as it is now. */
export function commitSpec(name: string, { version: _version, ...source }: DatasourceSpec): PipelineSpec {
  return {
    version: 1,
    name: commitPipeline(name),
    seed: 0,
    backend: { type: 'local' },
    datasources: { [name]: source as DatasourceSpec },
    steps: {
      snapshot: {
        source: snapshotStep,
        parameters: {},
        inputs: { source: `datasources.${name}` },
        environment: [],
        cache: true,
      },
    },
  }
}

/** A run as a commit; undefined for one that is none (another pipeline of that name, a commit made again) or that did not complete. */
export function commitOf(run: RunRecord): Commit | undefined {
  const [name, ...others] = Object.keys(run.spec.datasources)
  const step = run.steps.find((candidate) => candidate.source === snapshotStep)
  const examples = step?.outputs['examples']
  if (name === undefined || others.length > 0 || run.pipeline !== commitPipeline(name) || run.rerunOf !== null)
    return undefined
  if (run.status !== 'complete' || run.steps.length !== 1 || examples === undefined) return undefined
  const { rows = null, features = {} } = examples.properties
  return {
    id: run.id,
    datasource: name,
    at: run.startedAt,
    digest: examples.digest,
    rows: rows as number | null,
    features: features as JsonObject,
    code: run.code,
    version: run.sources[name]?.version ?? null,
    source: run.spec.datasources[name]!,
  }
}

/** The commits of a datasource, newest first, each with its run. */
export async function* commitsOf(
  records: Pick<RunRecords, 'listRuns' | 'getRun'>,
  name: string,
): AsyncGenerator<{ readonly commit: Commit; readonly run: RunRecord }> {
  for (let last: string | undefined; ; ) {
    const page = await records.listRuns({
      pipeline: commitPipeline(name),
      status: 'complete',
      ...(last === undefined ? {} : { behind: { run: last } }),
    })
    for (const { id } of page) {
      const run = await records.getRun(id)
      const commit = run && commitOf(run)
      if (commit !== undefined) yield { commit, run: run! }
    }
    if (page.length === 0) return
    last = page.at(-1)!.id
  }
}

/** A snapshot that `version` of a datasource names, and the step of the run that gave it. */
export interface CommittedSnapshot {
  /** The commit that gave it; null where a pipeline did. */
  readonly commit: string | null
  readonly run: RunRecord
  readonly step: StepRecord
  readonly output: string
  readonly artifact: StoredArtifact
  /** What the datasource is called in that run. */
  readonly name: string
}

/**
 * Finds the snapshot that a datasource's `version` names. `latest` is the newest commit of the same declared source, whatever else was
 * committed under the name.
 *
 * Throws `ZEN_COMMIT_UNKNOWN` where there is none.
 */
export async function findSnapshot(
  records: Pick<RunRecords, 'listRuns' | 'getRun' | 'getArtifact'>,
  name: string,
  source: DatasourceSpec,
): Promise<CommittedSnapshot> {
  const version = source.version!
  if (version === 'latest') return await newestCommit(records, name, source)
  if (version.startsWith('sha256:')) {
    const producer = (await records.getArtifact(version as Digest))?.producer
    const run = producer ? await records.getRun(producer.run) : undefined
    const step = run?.steps.find((candidate) => candidate.name === producer!.step)
    const found = run && step && snapshotIn(run, step, version as Digest)
    if (found !== undefined) return found
    throw unknown(name, `No snapshot ${version} of a datasource is on record.`)
  }
  const run = await records.getRun(version)
  const commit = run && commitOf(run)
  if (commit === undefined || commit.datasource !== name)
    throw unknown(name, `"${version}" is no commit of datasource "${name}".`)
  return snapshotIn(run!, run!.steps[0]!, commit.digest)!
}

async function newestCommit(
  records: Pick<RunRecords, 'listRuns' | 'getRun'>,
  name: string,
  source: DatasourceSpec,
): Promise<CommittedSnapshot> {
  let other: Commit | undefined
  for await (const { commit, run } of commitsOf(records, name)) {
    if (declared(commit.source) === declared(source)) return snapshotIn(run, run.steps[0]!, commit.digest)!
    other ??= commit
  }
  throw unknown(
    name,
    other === undefined
      ? `Datasource "${name}" has no commit yet.`
      : `Datasource "${name}" has no commit of what is declared here; commit ${other.id} is of another declaration.`,
  )
}

function snapshotIn(run: RunRecord, step: StepRecord, digest: Digest): CommittedSnapshot | undefined {
  const references = Object.values(run.spec.steps[step.name]?.inputs ?? {}).map(parseInputReference)
  const source = references.find((reference) => reference?.kind === 'datasource')
  const [output, artifact] = Object.entries(step.outputs).find(([, candidate]) => candidate.digest === digest) ?? []
  if (step.identity === null || source?.kind !== 'datasource' || output === undefined) return undefined
  return { commit: commitOf(run)?.id ?? null, run, step, output, artifact: artifact!, name: source.name }
}

function declared({ version: _version, ...rest }: DatasourceSpec): string {
  return canonicalJson(rest as unknown as JsonObject)
}

function unknown(name: string, message: string): ZenmlError {
  return new ZenmlError('ZEN_COMMIT_UNKNOWN', message, {
    facts: { datasource: name },
    next: `Take one with "zenml datasource commit ${name} CONFIG", or see "zenml datasource commits ${name}".`,
  })
}
