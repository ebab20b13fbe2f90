import { canonical } from '../base/canonical.ts'
import { type Digest, isDigest } from '../base/digest.ts'
import { ZenmlError } from '../base/errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import { identify, identityDigest } from '../fingerprint/identify.ts'
import type { Fingerprint } from '../model/fingerprint.ts'
import type { PipelineSpec } from '../model/pipeline-spec.ts'
import type { CodePin } from '../model/run.ts'
import type { PinnedRun, PinnedStep } from './pinned-run.ts'

/**
 * What a run's printed configuration says beside the pipeline itself: where the code is, the machine, and of each step all that makes its
 * identity and the digests of what it gave. With the stores, this alone makes the run again.
 */
export function pinsOf(run: PinnedRun): JsonObject {
  const { id, code, environment, sources, steps } = run
  return {
    id,
    code: { ...code },
    environment,
    ...(Object.keys(sources).length === 0 ? {} : { sources: sources as unknown as JsonObject }),
    steps: Object.fromEntries(
      Object.entries(steps).map(([name, { identity, outputs }]) => [
        name,
        {
          identity: identityDigest(identity),
          outputs: Object.fromEntries(
            Object.entries(outputs).map(([output, { type, digest }]) => [output, { type, digest }]),
          ),
          fingerprint: identity.fingerprint as unknown as JsonObject,
        },
      ]),
    ),
  }
}

/**
 * Reads pins back. A configuration is untrusted: each fingerprint must have the identity that is written beside it.
 *
 * Throws `ZEN_PINS` with the place of what is missing or does not fit.
 */
export function parsePins(spec: PipelineSpec, pins: Json | undefined): PinnedRun {
  if (!isJsonObject(pins)) throw wrong('run', 'it has no "run" block, as "zenml pipeline config RUN" prints it')
  const { id, code, environment, sources = {}, steps } = pins
  if (typeof id !== 'string' || !/^[0-9a-f]{16}$/.test(id)) throw wrong('run.id', 'it is no id of a run')
  if (!isJsonObject(environment)) throw wrong('run.environment', 'it is no object')
  if (!isJsonObject(steps)) throw wrong('run.steps', 'it is no object')
  return {
    id,
    spec,
    code: parseCode(code),
    environment,
    sources: parseSources(spec, sources),
    steps: Object.fromEntries(
      Object.entries(steps).map(([name, step]) => {
        if (!Object.hasOwn(spec.steps, name)) throw wrong(`run.steps.${name}`, 'the pipeline has no such step')
        return [name, parseStep(`run.steps.${name}`, step)]
      }),
    ),
  }
}

function parseSources(spec: PipelineSpec, sources: Json): PinnedRun['sources'] {
  if (!isJsonObject(sources)) throw wrong('run.sources', 'it is no object')
  return Object.fromEntries(
    Object.entries(sources).map(([name, use]) => {
      const place = `run.sources.${name}`
      if (!Object.hasOwn(spec.datasources, name)) throw wrong(place, 'the pipeline has no such datasource')
      if (!isJsonObject(use)) throw wrong(place, 'it is no object')
      const { identity, staged = null, version = null, commit = null, snapshot = null } = use
      if (typeof identity !== 'string' || !isDigest(identity)) throw wrong(`${place}.identity`, 'it is no digest')
      const digest = (key: string, value: Json): Digest | null => {
        if (value === null || (typeof value === 'string' && isDigest(value))) return value
        throw wrong(`${place}.${key}`, 'it is no digest')
      }
      if (version !== null && typeof version !== 'string') throw wrong(`${place}.version`, 'it is no text')
      if (commit !== null && (typeof commit !== 'string' || !/^[0-9a-f]{16}$/.test(commit)))
        throw wrong(`${place}.commit`, 'it is no id of a commit')
      const parsed = { staged: digest('staged', staged), snapshot: digest('snapshot', snapshot) }
      return [name, { identity, ...parsed, version, commit }]
    }),
  )
}

function parseCode(code: Json | undefined): CodePin {
  if (!isJsonObject(code)) throw wrong('run.code', 'it is no object')
  const sha = (name: string): string | null => {
    const value = code[name] ?? null
    if (value === null || (typeof value === 'string' && /^[0-9a-f]{40}([0-9a-f]{24})?$/.test(value))) return value
    throw wrong(`run.code.${name}`, 'it is no object name of git')
  }
  const text = (name: string): string | null => {
    const value = code[name] ?? null
    if (value === null || typeof value === 'string') return value
    throw wrong(`run.code.${name}`, 'it is no text')
  }
  const { archive = null, dirty } = code
  if (archive !== null && (typeof archive !== 'string' || !isDigest(archive)))
    throw wrong('run.code.archive', 'it is no digest')
  const ref = text('ref')
  if (ref !== null && !/^refs\/zenml\/[A-Za-z0-9/_-]+$/.test(ref))
    throw wrong('run.code.ref', 'it is no name below refs/zenml/')
  return {
    commit: sha('commit'),
    tree: sha('tree'),
    dirty: dirty === true,
    ref,
    remote: text('remote'),
    branch: text('branch'),
    ...(archive === null ? {} : { archive }),
  }
}

function parseStep(place: string, step: Json): PinnedStep {
  if (!isJsonObject(step) || !isJsonObject(step['fingerprint']) || !isJsonObject(step['outputs']))
    throw wrong(place, 'it has no fingerprint and outputs')
  const outputs = Object.entries(step['outputs']).map(([output, value]) => {
    if (!isJsonObject(value) || typeof value['type'] !== 'string')
      throw wrong(`${place}.outputs.${output}`, 'it has no type and digest')
    const digest = value['digest']
    if (typeof digest !== 'string' || !isDigest(digest))
      throw wrong(`${place}.outputs.${output}`, 'it has no type and digest')
    return [output, { type: value['type'], digest }] as const
  })
  let identity: PinnedStep['identity']
  try {
    identity = identify(step['fingerprint'] as unknown as Fingerprint)
  } catch (error) {
    if (!(error instanceof TypeError)) throw error
    throw wrong(`${place}.fingerprint`, 'it lacks parts')
  }
  if (identityDigest(identity) !== step['identity'])
    throw wrong(
      `${place}.fingerprint`,
      'it does not have the identity that is written beside it: one of the two was changed',
    )
  const declared = Object.keys(identity.fingerprint.outputs)
  // With fewer, a verification would have less to compare and say "reproduced" of what it did not look at.
  for (const name of new Set([...declared, ...Object.keys(step['outputs'])]))
    if (!declared.includes(name) || !Object.hasOwn(step['outputs'], name))
      throw wrong(`${place}.outputs.${name}`, 'the outputs are not those that the fingerprint names')
  return { identity, outputs: Object.fromEntries(outputs) }
}

/** Whether pins that were read from a file say the same as those of a record: only then is what is found out about them true of that run. */
export function samePins(a: PinnedRun, b: PinnedRun): boolean {
  // Absent and undefined are the same; stores are where a run is kept.
  const plain = (run: PinnedRun): string =>
    canonical(JSON.parse(JSON.stringify([{ ...run.spec, stores: null }, pinsOf(run)])) as Json)
  const { archive = null } = a.code
  return (
    plain({ ...a, code: { ...a.code, archive } }) ===
    plain({ ...b, code: { ...b.code, archive: b.code.archive ?? null } })
  )
}

function wrong(place: string, what: string): ZenmlError {
  return new ZenmlError('ZEN_PINS', `${place}: ${what}.`, {
    facts: { path: place },
    next: 'Print the configuration again with "zenml pipeline config RUN".',
  })
}
