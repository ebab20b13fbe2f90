import { compareText } from '../base/canonical.ts'
import type { Digest } from '../base/digest.ts'
import { changedMeanwhile } from '../fingerprint/observe-file.ts'
import type { RunRecords } from '../metadata/run-records.ts'
import type { PriorExecution } from '../metadata/step-facts.ts'
import type { StoredArtifact } from '../model/artifact.ts'
import type { Identity } from '../model/fingerprint.ts'
import type { RunRecord } from '../model/run.ts'

/** An output that executions of one identity gave differently. */
export interface Nondeterminism {
  readonly step: string
  readonly output: string
  /** For each digest, the first run that gave it. */
  readonly runs: readonly string[]
  /** As long as `runs`, in the order in which they were first given. */
  readonly digests: readonly Digest[]
}

/**
 * Outputs on which the completed executions of one identity disagree. Executions of the same key that were seen to depend on
 * something else (another seed, another content of a file) are other identities and left out; so are those that read a file
 * which changed meanwhile: nobody knows what they read.
 *
 * @example
 * disagreements('train', identity, (await records.findByKeys([identity.key])).get(identity.key) ?? [])
 */
export function disagreements(
  step: string,
  identity: Identity,
  executions: readonly Pick<PriorExecution, 'execution' | 'run' | 'identity' | 'outputs'>[],
): Nondeterminism[] {
  if (Object.values(identity.fingerprint.observed?.files ?? {}).includes(changedMeanwhile)) return []
  const equal = executions
    .filter((other) => other.identity.key === identity.key)
    .filter((other) => other.identity.fields.observed === identity.fields.observed)
    .sort((a, b) => a.execution - b.execution)
  const outputs = [...new Set(equal.flatMap((execution) => Object.keys(execution.outputs)))].sort(compareText)
  return outputs.flatMap((output): Nondeterminism[] => {
    const first = new Map<Digest, string>()
    for (const { run, outputs: given } of equal) {
      const digest = given[output]?.digest
      if (digest !== undefined && !first.has(digest)) first.set(digest, run)
    }
    return first.size < 2 ? [] : [{ step, output, runs: [...first.values()], digests: [...first.keys()] }]
  })
}

/**
 * The disagreements that a run's steps take part in, executed and reused ones, in the order of the graph: among the newest 100
 * executions of each identity.
 */
export async function nondeterminismOf(records: RunRecords, run: RunRecord): Promise<Nondeterminism[]> {
  const known = run.steps.flatMap(({ name, outcome, identity }) =>
    identity !== null && (outcome === 'executed' || outcome === 'reused') ? [{ name, identity }] : [],
  )
  const executions = await records.findByKeys(known.map(({ identity }) => identity.key))
  return known.flatMap(({ name, identity }) => disagreements(name, identity, executions.get(identity.key) ?? []))
}

/** What one step's execution gave otherwise than earlier ones of the same identity. */
export function disagreementsWith(
  priors: readonly PriorExecution[],
  own: {
    readonly step: string
    readonly run: string
    readonly execution: number
    readonly identity: Identity
    readonly outputs: { readonly [output: string]: StoredArtifact }
  },
): Nondeterminism[] {
  const earlier = priors.filter(({ execution }) => execution !== own.execution)
  return disagreements(own.step, own.identity, [...earlier, own])
}

/** One sentence for people. */
export function nondeterminismSentence({ step, output, runs }: Nondeterminism): string {
  const named = runs.length === 2 ? `runs ${runs[0]} and ${runs[1]}` : `${runs.length} runs (${runs.join(', ')})`
  return `Step "${step}" gave another ${output} in ${named}, with the same code, packages, parameters, inputs, environment and seed: it is not deterministic.`
}
