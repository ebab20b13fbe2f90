import { compareText } from '../base/canonical.ts'
import type { Json } from '../base/json.ts'
import type { CodeImports, Fingerprint, FingerprintField, ObservedLeaf, PackageLeaf } from '../model/fingerprint.ts'
import { parseStepSource } from '../model/pipeline-spec.ts'
import { compareFingerprints } from './compare.ts'
import { changedMeanwhile } from './observe-file.ts'

/** What can move: the fields of a fingerprint, the seed by itself, and `new` where nothing comparable ran before. */
export type ExplainField = FingerprintField | 'seed' | 'new'

/** A fact that two executions do not share, with what leads from it to the step. */
export interface StepChange {
  readonly field: ExplainField
  /** File, package, parameter, input, output, variable, or part of the environment. */
  readonly path: string
  readonly before: Json
  readonly after: Json
  /** Of a file or package: what it came in by, nearest first, up to the step's own module. Empty for that module itself. */
  readonly imports?: readonly string[]
  /** Of an input: what feeds it, `step.output` or `datasources.name`. */
  readonly from?: string
}

/**
 * What moved between two executions, the most telling first. Empty exactly where their identities are equal and neither saw a file
 * change while it ran: such a file equals nothing, and is told with two equal digests.
 *
 * @example
 * explainChanges(before.fingerprint, after.fingerprint)
 * // [{ field: 'code', path: 'lib/scale.ts', before: 'sha256:…', after: 'sha256:…', imports: ['steps/train.ts'] }]
 */
export function explainChanges(before: Fingerprint, after: Fingerprint): StepChange[] {
  const found = compareFingerprints(comparable(before), comparable(after)).map((change): StepChange => {
    const { field, path } = change
    // A file may be called "seed"; its digests are texts.
    if (field === 'observed' && path === 'seed' && typeof (change.before ?? change.after) !== 'string')
      return { ...change, field: 'seed' }
    if (field === 'inputs') {
      const from = (after.inputs[path] ?? before.inputs[path])?.from
      return from === undefined ? change : { ...change, from }
    }
    if (field === 'code' || field === 'packages') {
      const imports = field === 'code' ? wayOfFile(path, before, after) : wayOfPackage(path, before, after)
      return imports === undefined ? change : { ...change, imports }
    }
    return change
  })
  const moving = Object.entries(before.observed?.files ?? {})
    .filter(([path, digest]) => digest === changedMeanwhile && after.observed?.files?.[path] === changedMeanwhile)
    .map(([path, digest]): StepChange => ({ field: 'observed', path, before: digest, after: digest }))
  return [...found, ...moving]
}

/** Both sides with a list of files, so that a file is compared with a file. */
function comparable(fingerprint: Fingerprint): Fingerprint {
  if (fingerprint.observed === undefined) return fingerprint
  const observed: ObservedLeaf & { readonly files?: object } = fingerprint.observed
  return { ...fingerprint, observed: { ...observed, files: observed.files ?? {} } as ObservedLeaf }
}

function wayOfFile(path: string, ...sides: readonly [Fingerprint, Fingerprint]): string[] | undefined {
  // The later one first: it is what ran again.
  for (const { code } of [...sides].reverse()) {
    if (!Object.hasOwn(code.files, path)) continue
    if (path === parseStepSource(code.source).module) return []
    return code.imports === undefined ? undefined : wayUp(path, code.imports)
  }
  return undefined
}

function wayUp(path: string, { files }: CodeImports): string[] {
  const way: string[] = []
  for (let file = own(files, path); file !== undefined && !way.includes(file); file = own(files, file)) way.push(file)
  return way
}

function wayOfPackage(name: string, ...sides: readonly [Fingerprint, Fingerprint]): string[] | undefined {
  for (const { packages, code } of [...sides].reverse()) {
    if (code.imports === undefined || !packages.some((leaf) => leaf.name === name)) continue
    return wayToFile(name, packages, code.imports)
  }
  return undefined
}

/** Breadth first from a package over those that need it, until a file of the user imports one. */
function wayToFile(name: string, leaves: readonly PackageLeaf[], imports: CodeImports): string[] {
  const way = new Map<string, readonly string[]>([[name, []]])
  let longest: readonly string[] = []
  for (const [current, soFar] of way) {
    const importer = own(imports.packages, current)?.[0]
    if (importer !== undefined) return [...soFar, importer]
    if (soFar.length > longest.length) longest = soFar
    const needing = leaves.filter((leaf) => leaf.name === current).flatMap(({ neededBy = [] }) => neededBy)
    for (const next of [...new Set(needing)].sort(compareText)) if (!way.has(next)) way.set(next, [...soFar, next])
  }
  return [...longest]
}

function own<T>(object: { readonly [key: string]: T }, name: string): T | undefined {
  return Object.hasOwn(object, name) ? object[name] : undefined
}
