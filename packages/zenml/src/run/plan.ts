import { digestOf } from '../base/canonical.ts'
import type { Digest } from '../base/digest.ts'
import { sha256 } from '../base/digest.ts'
import { type ErrorCode, ZenmlError } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import { deriveSeed } from '../base/random.ts'
import type { StepBundle } from '../code/bundle.ts'
import { bundleSteps } from '../code/bundle-cache.ts'
import { checkAgainstSteps, checkGraph, orderSteps } from '../config/graph.ts'
import { InstalledTree } from '../environment/installed-packages.ts'
import { installedClosure, type PackagePlace } from '../environment/lockfile.ts'
import { nativeAddons } from '../environment/native-addons.ts'
import { captureEnvironment } from '../environment/runtime.ts'
import type { StoredArtifact } from '../model/artifact.ts'
import type { DatasourceSpec } from '../model/datasource-spec.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import type { RunListener } from '../model/events.ts'
import type { EnvironmentLeaf, PackageLeaf } from '../model/fingerprint.ts'
import {
  type InputReference,
  isStrict,
  type PipelineSpec,
  parseInputReference,
  type StepSpec,
} from '../model/pipeline-spec.ts'
import type { StepDescriptor } from '../model/step-descriptor.ts'
import { type ResolvedSource, resolveSource } from '../sources/resolve-source.ts'
import { type ArtifactFinder, presentArtifacts } from './artifact-references.ts'
import { artifactSource } from './artifact-source.ts'
import { canariesOf } from './canaries.ts'
import { describeSteps } from './describe-steps.ts'
import { type FetchOptions, fetchSource } from './fetch-source.ts'
import { versionedSource } from './versioned-source.ts'
import type { Workspace } from './workspace.ts'

/** A step with everything that is known before its inputs are. */
export interface PlannedStep {
  readonly name: string
  readonly spec: StepSpec
  readonly descriptor: StepDescriptor
  readonly bundle: StepBundle
  readonly packages: readonly PackageLeaf[]
  /** Where these are installed. */
  readonly places: readonly PackagePlace[]
  /** Validated, defaults filled in. */
  readonly parameters: JsonObject
  readonly inputs: { readonly [input: string]: InputReference }
  /** Values of the declared variables that are set. */
  readonly variables: { readonly [name: string]: string }
  readonly variableDigests: { readonly [name: string]: Digest | null }
  readonly seed: number
  /** What its canary gave here; null where it has none. */
  readonly canary: Digest | null
  /** What it touches outside of its declared inputs is an error. */
  readonly strict: boolean
}

/** A pipeline, checked and ready to run. */
export interface Plan {
  readonly spec: PipelineSpec
  /** In the order of the graph. */
  readonly steps: readonly PlannedStep[]
  readonly sources: ReadonlyMap<string, PlannedSource>
  /** What other runs gave, by name; what is optional and was never given is not in it. */
  readonly artifacts: ReadonlyMap<string, StoredArtifact>
  readonly environment: EnvironmentLeaf
  readonly environmentFacts: JsonObject
}

/** A datasource that was found and digested. */
export interface PlannedSource extends ResolvedSource {
  /** Of the files that the step is given. */
  readonly format: string
  readonly options: JsonObject
  /** Over content, format and options: what goes into the identity of the step that reads it. */
  readonly identity: Digest
  /** Why its files cannot be read, where a run of the past is made again and they are no longer what they were. */
  readonly gone?: string
  /** The artifact that holds its files, where it is no local file; they are laid out for the step, and `files` is empty. */
  readonly staged?: Digest
  /** The splits of it that are read, in this order, where it has several and not all are. */
  readonly splits?: readonly string[]
  /** What the source says of its version; null where it says nothing. */
  readonly version?: string | null
  /** The commit that it is of; null where it is of none. */
  readonly commit?: string | null
  /** The snapshot that its `version` names: what stands for the step that takes it. */
  readonly snapshot?: {
    /** Where the code of the step is that took it. */
    readonly step: string
    readonly key: Digest
    readonly output: string
    readonly digest: Digest
  }
}

/** Finds the files of a datasource. */
export type SourceFinder = (name: string, source: DatasourceSpec) => Promise<PlannedSource>

/**
 * A configuration that cannot run: every problem at once.
 *
 * @example
 * await initProject(directory)
 * await using project = await openProject(directory)
 * try {
 *   await loadPipeline(project, 'broken.yaml', directory)
 * } catch (error) {
 *   if (!(error instanceof PlanError)) throw error
 *   for (const { code, line, message } of error.diagnostics) console.log(code, line, message)
 * }
 */
export class PlanError extends ZenmlError {
  readonly diagnostics: readonly Diagnostic[]

  constructor(diagnostics: readonly Diagnostic[], exitCode: 1 | 2 = 2) {
    const [first] = diagnostics
    const more = diagnostics.length > 1 ? ` (and ${diagnostics.length - 1} more)` : ''
    super(first?.code ?? ('ZEN_CONFIG' as ErrorCode), `${first?.message ?? 'The configuration is wrong.'}${more}`, {
      exitCode,
      facts: { diagnostics: diagnostics.map((diagnostic) => ({ ...diagnostic })) as unknown as JsonObject[] },
    })
    this.diagnostics = diagnostics
  }
}

/**
 * Finds the code, packages, parameters and data of every step, and checks that they fit together. Nothing has run, and
 * nothing is recorded, when it refuses: it throws a `PlanError` that names every problem. Datasources are found as they are now
 * unless another finder is given.
 */
export async function planRun(
  workspace: Workspace,
  spec: PipelineSpec,
  {
    findSource = (name, source) =>
      versionedSource(workspace, name, source, {
        signal,
        onProgress: (done, total, unit) => onEvent({ kind: 'source-progress', datasource: name, done, total, unit }),
      }),
    findArtifact = presentArtifacts(workspace),
    signal,
    onEvent = () => undefined,
  }: {
    readonly findSource?: SourceFinder | undefined
    readonly findArtifact?: ArtifactFinder | undefined
    readonly signal?: AbortSignal
    readonly onEvent?: RunListener
  } = {},
): Promise<Plan> {
  refuse(checkGraph(spec).filter((diagnostic) => !isWarning(diagnostic)))
  const [{ bundles, failures }, found, others, captured] = await Promise.all([
    bundleSteps({
      root: workspace.root,
      sources: [...new Set(Object.values(spec.steps).map((step) => step.source))],
      cacheDirectory: workspace.cacheDirectory,
    }),
    findSources(spec, findSource),
    findArtifacts(spec, findArtifact),
    captureEnvironment(),
  ])
  const broken = Object.entries(spec.steps).flatMap(([name, { source }]) => {
    const error = failures.get(source)
    return error === undefined ? [] : [diagnosticOf(error, `Step "${name}"`, `steps.${name}.source`)]
  })
  // A server that is down is not the configuration's fault.
  refuse(
    [...broken, ...found.problems, ...others.problems],
    broken.length === 0 ? (Math.max(found.exitCode, others.exitCode) as 1 | 2) : 2,
  )
  const { sources } = found
  const tree = new InstalledTree()
  const named = await Promise.all(
    Object.entries(spec.steps).map(async ([name, step]) => {
      const bundle = bundles.get(step.source)!
      const { leaves, places } = await installedClosure({
        root: workspace.root,
        packages: bundle.packages,
        cacheDirectory: workspace.cacheDirectory,
        tree,
      })
      return { name, step, bundle, packages: leaves, places }
    }),
  )
  const addons = await nativeAddons({
    places: named.flatMap(({ places }) => places),
    cacheDirectory: workspace.cacheDirectory,
  })
  const { described, problems } = await describeSteps(
    workspace,
    named.map(({ name, step, bundle, packages }) => ({
      step: name,
      bundle,
      parameters: step.parameters,
      packages: Object.fromEntries(packages.map((leaf) => [`${leaf.name}@${leaf.version}`, leaf.integrity])),
    })),
    signal,
  )
  const descriptors = Object.fromEntries([...described].map(([name, { descriptor }]) => [name, descriptor]))
  refuse([...problems, ...checkAgainstSteps(spec, descriptors)])

  const environmentFacts = { ...captured.facts, ...workspace.nodeFacts, addons }
  const withCanary = named.filter(({ name }) => descriptors[name]!.canary)
  const { canaries, problems: dead } = await canariesOf(
    workspace,
    environmentFacts,
    withCanary.map(({ name, bundle, packages }) => ({ step: name, bundle, packages })),
    signal,
  )
  refuse(dead)

  const byName = new Map(named.map((entry) => [entry.name, entry]))
  const steps = orderSteps(spec).map((name): PlannedStep => {
    const { step, bundle, packages, places } = byName.get(name)!
    const { descriptor, parameters } = described.get(name)!
    const values = step.environment.map((variable) => [variable, workspace.environment[variable]] as const)
    return {
      name,
      spec: step,
      descriptor,
      bundle,
      packages,
      places,
      parameters,
      inputs: Object.fromEntries(
        Object.entries(step.inputs)
          .map(([input, from]) => [input, parseInputReference(from)!] as const)
          // What is optional and was not found is no input.
          .filter(([, from]) => from.kind !== 'artifact' || others.artifacts.has(from.name)),
      ),
      variables: Object.fromEntries(values.filter((pair): pair is readonly [string, string] => pair[1] !== undefined)),
      variableDigests: Object.fromEntries(
        values.map(([variable, value]) => [variable, value === undefined ? null : sha256(value)]),
      ),
      seed: deriveSeed(spec.seed, name),
      canary: canaries.get(name) ?? null,
      strict: isStrict(spec, step),
    }
  })
  return {
    spec,
    steps,
    sources,
    artifacts: others.artifacts,
    environment: { ...captured.leaf, node: workspace.nodeFacts.node },
    environmentFacts,
  }
}

/** What steps read; nothing else that is declared is looked for. */
function usedInputs(spec: PipelineSpec): ReadonlySet<string> {
  return new Set(Object.values(spec.steps).flatMap((step) => Object.values(step.inputs)))
}

async function findSources(
  spec: PipelineSpec,
  findSource: SourceFinder,
): Promise<{
  readonly sources: ReadonlyMap<string, PlannedSource>
  readonly problems: readonly Diagnostic[]
  readonly exitCode: 1 | 2
}> {
  const used = usedInputs(spec)
  const sources = new Map<string, PlannedSource>()
  const problems: Diagnostic[] = []
  let exitCode: 1 | 2 = 1
  const names = Object.keys(spec.datasources).filter((name) => used.has(`datasources.${name}`))
  const found = await Promise.allSettled(names.map((name) => findSource(name, spec.datasources[name]!)))
  for (const [index, result] of found.entries()) {
    const name = names[index]!
    if (result.status === 'fulfilled') sources.set(name, result.value)
    else if (result.reason instanceof ZenmlError) {
      problems.push(diagnosticOf(result.reason, `Datasource "${name}"`, `datasources.${name}`))
      if (result.reason.exitCode === 2) exitCode = 2
    } else throw result.reason
  }
  return { sources, problems, exitCode }
}

async function findArtifacts(
  spec: PipelineSpec,
  find: ArtifactFinder,
): Promise<{
  readonly artifacts: ReadonlyMap<string, StoredArtifact>
  readonly problems: readonly Diagnostic[]
  readonly exitCode: 1 | 2
}> {
  const found = new Map<string, StoredArtifact>()
  const problems: Diagnostic[] = []
  let exitCode: 1 | 2 = 1
  const used = usedInputs(spec)
  for (const [name, reference] of Object.entries(spec.artifacts ?? {})) {
    if (!used.has(`artifacts.${name}`)) continue
    try {
      const artifact = await find(name, reference)
      if (artifact !== undefined) found.set(name, artifact)
    } catch (error) {
      if (!(error instanceof ZenmlError)) throw error
      problems.push(diagnosticOf(error, `Artifact "${name}"`, `artifacts.${name}`))
      if (error.exitCode === 2) exitCode = 2
    }
  }
  return { artifacts: found, problems, exitCode }
}

function diagnosticOf({ code, message, next }: ZenmlError, what: string, path: string): Diagnostic {
  return { code, message: `${what}: ${message}${next === undefined ? '' : ` ${next}`}`, path }
}

/** A datasource as it is now; paths are below a root. */
export async function presentSource(
  workspace: Workspace,
  root: string,
  source: DatasourceSpec,
  options: FetchOptions = {},
): Promise<PlannedSource> {
  if (source.type === 'artifact') return await artifactSource(workspace, source)
  if (source.type !== 'file') return await fetchSource(workspace, root, source, options)
  const { dataRoots, fileDigests } = workspace
  const { format } = source
  const found = await resolveSource(source, { root, dataRoots, digestCache: fileDigests })
  return {
    ...found,
    format,
    options: source.options,
    identity: digestOf(['datasource 1', found.digest, format, source.options]),
  }
}

function isWarning(diagnostic: Diagnostic): boolean {
  return 'severity' in diagnostic && diagnostic.severity === 'warning'
}

function refuse(diagnostics: readonly Diagnostic[], exitCode: 1 | 2 = 2): void {
  if (diagnostics.length > 0) throw new PlanError(diagnostics, exitCode)
}
