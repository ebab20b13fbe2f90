import { canonical, canonicalJson } from '../base/canonical.ts'
import { ZenmlError } from '../base/errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import { noArtifact, readPart } from './file-tree.ts'

/**
 * The text of a JSON value with its keys sorted, so that equal values are equal bytes. Throws `ZEN_ARTIFACT_VALUE` with the place of what
 * JSON cannot say: to write NaN as null, or a Map as {}, would lose it silently.
 */
export function jsonText(value: unknown, type: string): string {
  try {
    return canonicalJson(value as Json)
  } catch (error) {
    if (error instanceof RangeError) throw wrong(type, 'the value', 'contains itself, or is nested too deeply', error)
    const { place, found } = firstWrong(value, 'value')
    throw wrong(type, place, `is ${described(found)}`, error)
  }
}

/** The JSON value in a file of an artifact; throws `ZEN_ARTIFACT_FORMAT` where there is none. */
export async function readJson(path: string, directory: string, type: string): Promise<Json> {
  const bytes = await readPart(path, type)
  try {
    return JSON.parse(new TextDecoder('utf-8', { fatal: true }).decode(bytes)) as Json
  } catch (error) {
    throw noArtifact(directory, type, `${path} is no JSON`, error)
  }
}

/** An object with `version: 1` in a file of an artifact; throws `ZEN_ARTIFACT_FORMAT` for anything else. */
export async function readVersion1(path: string, directory: string, type: string): Promise<JsonObject> {
  return await readVersions(path, directory, type, [1])
}

/** An object with one of some versions in a file of an artifact; throws `ZEN_ARTIFACT_FORMAT` for anything else. */
export async function readVersions(
  path: string,
  directory: string,
  type: string,
  versions: readonly number[],
): Promise<JsonObject> {
  const value = await readJson(path, directory, type)
  if (isJsonObject(value) && versions.some((version) => value['version'] === version)) return value
  const found = isJsonObject(value) ? JSON.stringify(value['version']) : undefined
  const known = `version${versions.length > 1 ? 's' : ''} ${versions.join(' and ')}`
  throw noArtifact(directory, type, `${path} has version ${found ?? 'none'}, this zenml reads ${known}`)
}

/** The innermost value that has no encoding. */
function firstWrong(value: unknown, place: string): { place: string; found: unknown } {
  if (typeof value === 'object' && value !== null && (Array.isArray(value) || isPlain(value))) {
    for (const [key, part] of Object.entries(value)) {
      if (part === undefined && !Array.isArray(value)) continue
      if (!key.isWellFormed()) return { place: `a key of ${place}`, found: key }
      const inner =
        Array.isArray(value) || !/^[A-Za-z_$][\w$]*$/.test(key)
          ? `[${Array.isArray(value) ? key : JSON.stringify(key)}]`
          : `.${key}`
      if (!hasEncoding(part)) return firstWrong(part, `${place}${inner}`)
    }
  }
  return { place, found: value }
}

function isPlain(value: object): boolean {
  const prototype: unknown = Object.getPrototypeOf(value)
  return prototype === Object.prototype || prototype === null
}

function hasEncoding(value: unknown): boolean {
  try {
    canonical(value as Json)
    return true
  } catch {
    return false // the one thing that it throws for
  }
}

function described(value: unknown): string {
  if (typeof value === 'string') return 'a text with half of a surrogate pair'
  if (typeof value === 'object' && value !== null) {
    const maker: unknown = value.constructor
    return typeof maker === 'function' && maker.name !== '' ? `a ${maker.name}` : 'no plain object'
  }
  return typeof value === 'function' || typeof value === 'symbol'
    ? `a ${typeof value}`
    : typeof value === 'bigint'
      ? `the bigint ${value}`
      : String(value)
}

function wrong(type: string, place: string, reason: string, cause: unknown): ZenmlError {
  return new ZenmlError('ZEN_ARTIFACT_VALUE', `An artifact of type ${type} holds JSON, but ${place} ${reason}.`, {
    facts: { type, place, reason },
    next: 'Give finite numbers, texts, booleans, null, arrays and plain objects.',
    exitCode: 1,
    cause,
  })
}
