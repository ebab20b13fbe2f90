import { stringify } from 'yaml'
import { canonicalJson } from '../base/canonical.ts'
import type { JsonObject } from '../base/json.ts'
import type { PipelineSpec } from '../model/pipeline-spec.ts'

/** A pipeline as YAML: defaults left out, keys in a fixed order, so that equal pipelines are equal texts. `run` is printed as it is. */
export async function printConfig(spec: PipelineSpec, run?: JsonObject): Promise<string> {
  const { name, seed, strict, stores, backend, datasources, steps } = spec
  const text = stringify(
    {
      version: 1,
      pipeline: name,
      seed,
      ...(strict === undefined ? {} : { strict }),
      ...(stores === undefined ? {} : { stores }),
      backend,
      ...(Object.keys(datasources).length === 0
        ? {}
        : {
            datasources: map(datasources, ({ type, path, format, options }) => ({
              type,
              path,
              format,
              ...(isEmpty(options) ? {} : { options: sorted(options) }),
            })),
          }),
      steps: map(steps, ({ source, parameters, inputs, environment, timeout, memory, cache, strict: own }) => ({
        source,
        ...(isEmpty(parameters) ? {} : { parameters: sorted(parameters) }),
        ...(isEmpty(inputs) ? {} : { inputs }),
        ...(environment.length === 0 ? {} : { environment }),
        ...(timeout === undefined ? {} : { timeout }),
        ...(memory === undefined ? {} : { memory }),
        ...(cache ? {} : { cache }),
        ...(own === undefined ? {} : { strict: own }),
      })),
      ...(run === undefined ? {} : { run }),
    },
    { lineWidth: 0, aliasDuplicateObjects: false },
  )
  return `# yaml-language-server: $schema=node_modules/zenml/schema/pipeline.schema.json\n${text}`
}

function map<T>(object: { readonly [name: string]: T }, change: (value: T) => object): { [name: string]: object } {
  return Object.fromEntries(Object.entries(object).map(([name, value]) => [name, change(value)]))
}

function isEmpty(object: object): boolean {
  return Object.keys(object).length === 0
}

function sorted(object: JsonObject): JsonObject {
  return JSON.parse(canonicalJson(object)) as JsonObject
}
