import { canonical, compareText } from '../base/canonical.ts'
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import type { CodeLeaf, Fingerprint, FingerprintChange, FingerprintField, PackageLeaf } from '../model/fingerprint.ts'

/**
 * What moved between two fingerprints, leaf by leaf: most telling first (code, packages, parameters, inputs, outputs, variables,
 * environment, observed, format), then by path. `null` stands for what one of the two does not have. Only what counts for the
 * identity is compared: a file whose comment changed moves nothing while the bundle is the same.
 *
 * @example
 * compareFingerprints(before, after) // [{ field: 'code', path: 'lib/scale.ts', before: 'sha256:…', after: 'sha256:…' }]
 */
export function compareFingerprints(before: Fingerprint, after: Fingerprint): FingerprintChange[] {
  return [
    ...compareCode(before.code, after.code),
    ...comparePackages(before.packages, after.packages),
    ...compareLeaves('parameters', before.parameters, after.parameters),
    ...compareLeaves('inputs', digests(before), digests(after)),
    ...compareLeaves('outputs', before.outputs, after.outputs),
    ...compareLeaves('variables', before.variables, after.variables),
    ...compareLeaves('environment', { ...before.environment }, { ...after.environment }),
    ...compareObserved(before, after),
    ...compareLeaves('format', { format: before.format }, { format: after.format }),
  ]
}

function compareCode(before: CodeLeaf, after: CodeLeaf): FingerprintChange[] {
  const changes: FingerprintChange[] = []
  if (before.digest !== after.digest) {
    changes.push(...compareLeaves('code', before.files, after.files))
    // No file's text changed: another export, another asset or another way of bundling.
    if (changes.length === 0) {
      if (before.source !== after.source)
        changes.push({ field: 'code', path: 'source', before: before.source, after: after.source })
      else if (before.bundler === after.bundler)
        changes.push({ field: 'code', path: 'bundle', before: before.digest, after: after.digest })
    }
  }
  if (before.bundler !== after.bundler)
    changes.push({ field: 'code', path: 'bundler', before: before.bundler, after: after.bundler })
  return changes
}

/** By name: the versions where they differ, the integrities where only these do. */
function comparePackages(before: readonly PackageLeaf[], after: readonly PackageLeaf[]): FingerprintChange[] {
  const describe = (
    leaves: readonly PackageLeaf[],
    tell: (leaf: PackageLeaf) => string,
  ): { [name: string]: string } => {
    const byName = new Map<string, Set<string>>()
    for (const leaf of leaves) byName.set(leaf.name, (byName.get(leaf.name) ?? new Set()).add(tell(leaf)))
    return Object.fromEntries([...byName].map(([name, told]) => [name, [...told].sort(compareText).join(', ')]))
  }
  const versions = compareMaps(
    'packages',
    describe(before, ({ version }) => version),
    describe(after, ({ version }) => version),
  )
  const told = new Set(versions.map(({ path }) => path))
  const contents = compareMaps('packages', describe(before, fullName), describe(after, fullName)).filter(
    ({ path }) => !told.has(path),
  )
  return [...versions, ...contents].sort((a, b) => compareText(a.path, b.path))
}

function fullName({ version, integrity }: PackageLeaf): string {
  return `${version} (${integrity})`
}

function digests({ inputs }: Fingerprint): { [input: string]: string } {
  return Object.fromEntries(Object.entries(inputs).map(([input, { digest }]) => [input, digest]))
}

/** The seed and the observed files; a record of format 1 has none of these. */
function compareObserved(before: Fingerprint, after: Fingerprint): FingerprintChange[] {
  const seed = ({ observed }: Fingerprint): JsonObject => (observed === undefined ? {} : { seed: observed.seed })
  const files = ({ observed }: Fingerprint): JsonObject => ({ ...observed?.files })
  return [
    ...compareLeaves('observed', seed(before), seed(after)),
    ...compareMaps('observed', files(before), files(after)),
  ]
}

function compareMaps(field: FingerprintField, before: JsonObject, after: JsonObject): FingerprintChange[] {
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].sort(compareText).flatMap((path) => {
    const change = { field, path, before: ownValue(before, path) ?? null, after: ownValue(after, path) ?? null }
    return change.before === change.after ? [] : [change]
  })
}

/** Descends into objects and arrays of the same length; anything else that differs is a leaf. */
function compareLeaves(field: FingerprintField, before: JsonObject, after: JsonObject): FingerprintChange[] {
  const changes: FingerprintChange[] = []
  const visit = (path: string, left: Json | undefined, right: Json | undefined): void => {
    if (left !== undefined && right !== undefined && canonical(left) === canonical(right)) return
    if (left === undefined && right === undefined) return
    const parts = partsOf(left, right)
    if (parts === undefined) {
      changes.push({ field, path, before: left ?? null, after: right ?? null })
      return
    }
    for (const [name, a, b] of parts) visit(path === '' ? name : `${path}.${name}`, a, b)
  }
  visit('', before, after)
  return changes
}

type Part = readonly [name: string, left: Json | undefined, right: Json | undefined]

function partsOf(left: Json | undefined, right: Json | undefined): Part[] | undefined {
  if (Array.isArray(left) && Array.isArray(right) && left.length === right.length) {
    return left.map((item: Json, index): Part => [String(index), item, (right as readonly Json[])[index]])
  }
  if (!isJsonObject(left) || !isJsonObject(right)) return undefined
  const names = [...new Set([...Object.keys(left), ...Object.keys(right)])].sort(compareText)
  return names.map((name): Part => [name, ownValue(left, name), ownValue(right, name)])
}

function ownValue(object: JsonObject, name: string): Json | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined
}
