import { type Digest, sha256 } from '../base/digest.ts'
import { identify, incrementKey } from '../fingerprint/identify.ts'
import type { StoredArtifact } from '../model/artifact.ts'
import type { Fingerprint, Identity, InputLeaf, ObservedLeaf } from '../model/fingerprint.ts'
import type { InputReference } from '../model/pipeline-spec.ts'
import type { Plan, PlannedStep } from './plan.ts'

/** Outputs by step: what is known so far. */
export type KnownOutputs = ReadonlyMap<string, { readonly [output: string]: StoredArtifact }>

/** The artifacts that feed a step, or undefined while one of them is not known. Datasources are not artifacts and left out. */
export function inputsOf(
  { artifacts }: Pick<Plan, 'artifacts'>,
  step: PlannedStep,
  known: KnownOutputs,
): { [input: string]: StoredArtifact } | undefined {
  const inputs: { [input: string]: StoredArtifact } = {}
  for (const [input, from] of Object.entries(step.inputs)) {
    if (from.kind === 'datasource') continue
    const artifact = from.kind === 'artifact' ? artifacts.get(from.name) : known.get(from.step)?.[from.output]
    if (artifact === undefined) return undefined
    inputs[input] = artifact
  }
  return inputs
}

/** The identity of a step whose inputs are known. */
export function identifyStep(
  plan: Plan,
  step: PlannedStep,
  inputs: { readonly [input: string]: StoredArtifact },
): Identity {
  return identify(fingerprintOf(plan, step, inputs))
}

/** The same identity with what the execution was seen to depend on. */
export function observe(identity: Identity, observed: ObservedLeaf): Identity {
  return identify({ ...identity.fingerprint, observed })
}

/** Digest of all that decides what a step gives but the items that it works on one by one; undefined for a step that works on all at once. */
export function incrementOf({ descriptor }: PlannedStep, { fingerprint }: Identity): Digest | undefined {
  return descriptor.incremental === undefined ? undefined : incrementKey(fingerprint, descriptor.incremental)
}

function fingerprintOf(
  plan: Plan,
  step: PlannedStep,
  inputs: { readonly [input: string]: StoredArtifact },
): Fingerprint {
  const { bundle } = step
  const leaves = Object.entries(step.inputs).map(([input, from]): [string, InputLeaf] =>
    from.kind === 'datasource'
      ? [input, { digest: plan.sources.get(from.name)!.identity, from: `datasources.${from.name}` }]
      : [input, { digest: inputs[input]!.digest, from: textOf(from) }],
  )
  return {
    format: 2,
    code: {
      digest: bundle.digest,
      source: step.spec.source,
      bundler: bundle.bundler,
      files: bundle.files,
      imports: bundle.imports,
      map: sha256(bundle.map),
    },
    packages: step.packages,
    parameters: step.parameters,
    inputs: Object.fromEntries(leaves),
    outputs: step.descriptor.outputs,
    variables: step.variableDigests,
    environment: { ...plan.environment, ...(step.canary === null ? {} : { canary: step.canary }) },
  }
}

function textOf(from: Exclude<InputReference, { readonly kind: 'datasource' }>): string {
  return from.kind === 'artifact' ? `artifacts.${from.name}` : `${from.step}.${from.output}`
}
