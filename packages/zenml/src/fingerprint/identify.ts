import { canonical, compareText, digestOf } from '../base/canonical.ts'
import type { Digest } from '../base/digest.ts'
import type { Json } from '../base/json.ts'
import type { Fingerprint, FingerprintField, Identity } from '../model/fingerprint.ts'
import { observedDigest } from './observed.ts'

/** The fields that the key is made of, in the order of the encoding. A change here is a new format of fingerprints. */
export const keyFields: readonly Exclude<FingerprintField, 'observed'>[] = [
  'format',
  'code',
  'packages',
  'parameters',
  'inputs',
  'outputs',
  'variables',
  'environment',
]

/**
 * The identity of an execution: a digest of each field, and a key over those of all that is known before it runs.
 *
 * A field's digest is SHA-256 over the canonical encoding of `['zenml field 1', field, value]`, the key's over
 * `['zenml identity 1', [field, digest], …]` in the order of `keyFields`. Left out of both are the parts that are for people:
 * `code.source`, `code.files` and `inputs.*.from`. Packages are a set: neither order nor repetition counts.
 *
 * Throws a `TypeError` where a parameter has no canonical encoding (NaN, infinities, lone surrogates).
 *
 * @example
 * identify(fingerprint).key // equal for equal code, packages, parameters, inputs, outputs, variables and environment
 */
export function identify(fingerprint: Fingerprint): Identity {
  const fields: { [field in FingerprintField]?: Digest } = {}
  for (const field of keyFields) fields[field] = digestOf(['zenml field 1', field, countedValue(fingerprint, field)])
  const key = digestOf(['zenml identity 1', ...keyFields.map((field) => [field, fields[field]!])])
  if (fingerprint.observed !== undefined) fields.observed = observedDigest(fingerprint.observed)
  return { key, fields, fingerprint }
}

/** Digest over the key and what was observed: equal only where two executions must have given the same. */
export function identityDigest({ key, fields }: Identity): Digest {
  return digestOf(['zenml execution 1', key, fields.observed ?? null])
}

/**
 * Digest of all that is known of an execution before it runs but the content of some inputs: two with the same one give the same for the same item
 * of those.
 *
 * SHA-256 over the canonical encoding of `['zenml increment 1', names, key]`: the sorted names of those inputs, and the key of the fingerprint without
 * them.
 */
export function incrementKey(fingerprint: Fingerprint, inputs: readonly string[]): Digest {
  const rest = Object.entries(fingerprint.inputs).filter(([input]) => !inputs.includes(input))
  const { key } = identify({ ...fingerprint, inputs: Object.fromEntries(rest) })
  return digestOf(['zenml increment 1', [...inputs].sort(compareText), key])
}

/** What of a field counts. */
function countedValue(fingerprint: Fingerprint, field: (typeof keyFields)[number]): Json {
  switch (field) {
    case 'format':
      return fingerprint.format
    case 'code':
      return { digest: fingerprint.code.digest, bundler: fingerprint.code.bundler }
    case 'packages':
      return packageSet(fingerprint)
    case 'parameters':
      return fingerprint.parameters
    case 'inputs':
      return Object.fromEntries(Object.entries(fingerprint.inputs).map(([input, { digest }]) => [input, digest]))
    case 'outputs':
      return { ...fingerprint.outputs }
    case 'variables':
      return { ...fingerprint.variables }
    case 'environment': {
      const { node, platform, arch, image = null, canary = null } = fingerprint.environment
      return { node, platform, arch, image, canary }
    }
  }
}

function packageSet({ packages }: Fingerprint): Json {
  const leaves = packages.map(({ name, version, integrity }) => [name, version, integrity])
  const byEncoding = new Map(leaves.map((leaf) => [canonical(leaf), leaf]))
  return [...byEncoding].sort(([a], [b]) => compareText(a, b)).map(([, leaf]) => leaf)
}
