import { parse } from 'yaml'
import { canonicalJson } from '../base/canonical.ts'
import { messageOf } from '../base/errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../base/json.ts'
import { didYouMean } from '../base/nearest.ts'
import { ok, type Result, refuse } from '../base/result.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import type { PipelineSpec } from '../model/pipeline-spec.ts'

/** What a command line sets over a configuration. */
export interface Overrides {
  /** `step.name=value`, the value as in YAML; deeper names go on with dots. */
  readonly parameters?: readonly string[]
  readonly seed?: number
}

/** The configuration with parameters and seed set. */
export async function applyOverrides(
  spec: PipelineSpec,
  { parameters = [], seed = spec.seed }: Overrides,
): Promise<Result<PipelineSpec, readonly Diagnostic[]>> {
  const problems: Diagnostic[] = []
  const steps = { ...spec.steps }
  if (!Number.isInteger(seed) || seed < 0 || seed > 2147483647)
    problems.push({
      code: 'ZEN_CONFIG_VALUE',
      message: `The seed must be a whole number from 0 to 2147483647, not ${seed}.`,
    })
  for (const given of parameters) {
    const match = /^([^.=]+)\.([^=]+)=([\s\S]*)$/.exec(given)
    if (match === null) {
      problems.push({ code: 'ZEN_CONFIG_OVERRIDE', message: `"${given}" is not of the form step.name=value.` })
      continue
    }
    const [, step, path, text] = match as unknown as [string, string, string, string]
    if (!Object.hasOwn(steps, step)) {
      problems.push({
        code: 'ZEN_CONFIG_OVERRIDE',
        message: `There is no step "${step}".${didYouMean(step, Object.keys(steps)) || ` The steps are ${Object.keys(steps).join(', ')}.`}`,
      })
      continue
    }
    let value: Json
    try {
      value = parse(text, { merge: false, maxAliasCount: 0 }) as Json
      // What has no place in JSON: .nan, .inf, a date by its tag …
      canonicalJson(value)
    } catch (error) {
      problems.push({
        code: 'ZEN_CONFIG_OVERRIDE',
        message: `The value of "${given}" cannot be read: ${messageOf(error).split('\n')[0]}`,
      })
      continue
    }
    steps[step] = { ...steps[step]!, parameters: set(steps[step]!.parameters, path.split('.'), value) }
  }
  return problems.length > 0 ? refuse(problems) : ok({ ...spec, seed, steps })
}

function set(object: JsonObject, [key, ...rest]: readonly string[], value: Json): JsonObject {
  const inner = Object.hasOwn(object, key!) ? object[key!] : undefined
  const next = rest.length === 0 ? value : set(isJsonObject(inner) ? inner : {}, rest, value)
  return Object.fromEntries([...Object.entries(object).filter(([name]) => name !== key), [key!, next]])
}
