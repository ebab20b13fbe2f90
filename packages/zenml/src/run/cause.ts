import { canonical, compareText } from '../base/canonical.ts'
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import { compareFingerprints } from '../fingerprint/compare.ts'
import { pathLed } from '../fingerprint/observe-file.ts'
import type { Fingerprint, FingerprintChange } from '../model/fingerprint.ts'
import type { Touch } from '../model/touch.ts'
import type { Call, Cause } from '../model/verification.ts'

/** What is known of a step that gave something else than its record says. */
export interface Evidence {
  readonly step: string
  readonly recorded: Fingerprint
  /** Of the execution that was compared, with what was observed. */
  readonly observed: Fingerprint
  /** Facts of the machines that are no part of an identity: then and now. */
  readonly environment: { readonly recorded: JsonObject; readonly observed: JsonObject }
  readonly touches: readonly Touch[]
  /** Whether two executions here gave the same as each other. */
  readonly stable: boolean
}

/**
 * Why a step gave something else, by what can be told: executions that differ among themselves are nondeterminism whatever else has
 * moved; else the first of code, packages, environment that is not as it was; else what the step read outside of its inputs.
 */
export function causeOf(evidence: Evidence): Cause {
  const { step, recorded, observed, touches, stable } = evidence
  const changes = compareFingerprints(recorded, observed)
  const calls = suspects(touches)
  const files = changes.filter(({ field, path }) => field === 'observed' && path !== 'seed')
  if (!stable) {
    return cause(
      'nondeterminism',
      `${step} gave something else each time it was executed here${named(calls)}.`,
      [],
      calls,
    )
  }
  for (const kind of ['code', 'packages'] as const) {
    const moved = changes.filter(({ field }) => field === kind)
    if (moved.length > 0)
      return cause(
        kind,
        `${kind === 'code' ? 'The code' : 'A package'} of ${step} is not what ran then: ${pathsOf(moved)}.`,
        moved,
      )
  }
  const rest = changes.filter(({ field }) => ['parameters', 'inputs', 'outputs', 'variables', 'format'].includes(field))
  const leaf = changes.filter(({ field }) => field === 'environment')
  if (files.length > 0) {
    const paths = [...new Set(files.map(({ path }) => pathLed(path)))]
    return cause(
      'nondeterminism',
      `${step} read files that are not among its inputs and that have changed: ${listed(paths)}.`,
      files,
      paths.map((path) => callOf(touches, path)),
    )
  }
  if (leaf.length > 0) return cause('environment', `${step} ran in another environment: ${told(leaf)}.`, leaf)
  if (rest.length > 0)
    return cause(
      rest.some(({ field }) => field === 'inputs') ? 'data' : 'environment',
      `${step} was not given what it was given then: ${told(rest)}.`,
      rest,
    )
  if (strong(calls).length > 0)
    return cause('nondeterminism', `${step} depends on more than its inputs${named(calls)}.`, [], calls)
  const facts = factChanges(evidence.environment.recorded, evidence.environment.observed)
  if (facts.length > 0) {
    return cause(
      'environment',
      `Nothing that identifies ${step} has changed, and it is stable here; these parts of the machine are not what they were: ${pathsOf(facts)}.`,
      facts,
    )
  }
  return cause(
    'nondeterminism',
    `${step} gave something else with the same code, packages, inputs, parameters, environment and seed, and no call was seen that explains it (native code, threads and timing are not seen).`,
    [],
    calls,
  )
}

function cause(
  kind: Cause['kind'],
  message: string,
  changes: readonly FingerprintChange[],
  calls: readonly Call[] = [],
): Cause {
  return { kind, message, changes, calls }
}

/** Calls that can give another result each time: the user's own first, then by how often they explain one. */
export function suspects(touches: readonly Touch[]): Call[] {
  const order = ['randomness', 'clock', 'network', 'file', 'process', 'host', 'threads', 'variable']
  return [...touches]
    .sort(
      (a, b) =>
        Number(a.package !== null) - Number(b.package !== null) ||
        order.indexOf(a.kind) - order.indexOf(b.kind) ||
        compareText(a.at ?? '', b.at ?? '') ||
        compareText(a.what, b.what),
    )
    .map(({ kind, what, at, package: from }) => ({ kind, what, at, package: from }))
}

/** Without what libraries do all the time and unset variables, which rarely explain anything. */
function strong(calls: readonly Call[]): Call[] {
  return calls.filter(({ kind, package: from }) => kind !== 'variable' && !(kind === 'clock' && from !== null))
}

function callOf(touches: readonly Touch[], path: string): Call {
  const touch = touches.find(({ kind, what }) => kind === 'file' && what === path)
  return { kind: 'file', what: path, at: touch?.at ?? null, package: touch?.package ?? null }
}

function named(calls: readonly Call[]): string {
  const [first] = calls
  if (first === undefined) return ''
  const where = first.at === null ? (first.package === null ? '' : ` in package ${first.package}`) : ` at ${first.at}`
  return `: it calls ${first.what}${where}${calls.length > 1 ? ` (and ${calls.length - 1} more)` : ''}`
}

function pathsOf(changes: readonly FingerprintChange[]): string {
  return listed(changes.map(({ path }) => path))
}

function listed(paths: readonly string[]): string {
  return paths.slice(0, 5).join(', ') + (paths.length > 5 ? ` and ${paths.length - 5} more` : '')
}

function told(changes: readonly FingerprintChange[]): string {
  return changes
    .slice(0, 5)
    .map(({ path, before, after }) => `${path} ${text(before)} → ${text(after)}`)
    .join(', ')
}

function text(value: Json): string {
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** What moved among facts of the machine that can change bits, leaf by leaf: the kernel's release is none of them. */
export function factChanges(before: JsonObject, after: JsonObject): FingerprintChange[] {
  const changes: FingerprintChange[] = []
  const visit = (path: string, a: Json | undefined, b: Json | undefined): void => {
    if (a !== undefined && b !== undefined && canonical(a) === canonical(b)) return
    if (isJsonObject(a) && isJsonObject(b)) {
      for (const name of [...new Set([...Object.keys(a), ...Object.keys(b)])].sort(compareText))
        visit(path === '' ? name : `${path}.${name}`, a[name], b[name])
    } else if (a !== undefined || b !== undefined)
      changes.push({ field: 'environment', path, before: a ?? null, after: b ?? null })
  }
  visit('', { ...before, release: null }, { ...after, release: null })
  return changes
}
