import { stringify } from 'yaml'
import { canonicalJson } from '../base/canonical.ts'
import { isJsonObject, type JsonObject } from '../base/json.ts'
import { type DatasourceSpec, defaultMaxBytes } from '../model/datasource-spec.ts'
import type { PipelineSpec } from '../model/pipeline-spec.ts'
import { datasourceKeys } from './datasource-keys.ts'

/** A pipeline as YAML: defaults left out, keys in a fixed order, so that equal pipelines are equal texts. `run` is printed as it is. */
export async function printConfig(spec: PipelineSpec, run?: JsonObject): Promise<string> {
  const { name, seed, strict, stores, backend, datasources, artifacts = {}, steps } = spec
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
            datasources: map(datasources, printedSource),
          }),
      ...(isEmpty(artifacts)
        ? {}
        : {
            artifacts: map(artifacts, ({ type, artifact, pipeline, output, optional }) => ({
              type,
              ...(artifact === undefined ? {} : { artifact }),
              ...(pipeline === undefined ? {} : { pipeline }),
              ...(output === undefined ? {} : { output }),
              ...(optional === true ? { optional } : {}),
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

/** Its keys in the order of the table that they are checked by. */
function printedSource(source: DatasourceSpec): object {
  const given = source as unknown as JsonObject
  const keys = Object.keys(datasourceKeys[source.type]!)
  return Object.fromEntries(
    keys.flatMap((key) => {
      const value = given[key]
      if (value === undefined || (isJsonObject(value) && isEmpty(value))) return []
      if (key === 'maxBytes' && value === defaultMaxBytes) return []
      return [[key, isJsonObject(value) ? sorted(value) : value]]
    }),
  )
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
