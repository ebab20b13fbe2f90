import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { ZenmlError } from '../../base/errors.ts'
import { didYouMean } from '../../base/nearest.ts'
import { isPipeline, type Pipeline, type PipelineGraph, type PlacedStep } from '../../define/pipeline.ts'
import { isStep } from '../../define/step.ts'
import type { PipelineSpec, StepSpec } from '../../model/pipeline-spec.ts'
import { type Problem, problemOf } from './problem.ts'

/** Which export of which bundle to read. */
export interface PipelineRequest {
  readonly bundle: string
  /** Name of the export, or null for the only pipeline that the module exports. */
  readonly exportName: string | null
  /** A folder for the rows that the pipeline gives, each datasource in one of its own. */
  readonly directory: string
}

/** The declared state, or why there is none. */
export type PipelineResponse =
  | {
      /** Datasources of rows are artifacts that are not named yet. */
      readonly spec: PipelineSpec
      /** By datasource: where its rows are, as Examples to be stored. */
      readonly rows: { readonly [datasource: string]: string }
      readonly problem: null
    }
  | { readonly spec: null; readonly problem: Problem }

/** What a pipeline's bundle exports: its modules in the order in which a step's source is looked up, and the module itself. */
interface PipelineModule {
  readonly modules: readonly { readonly source: string; readonly namespace: { readonly [name: string]: unknown } }[]
  readonly pipeline: { readonly [name: string]: unknown }
}

/** Puts a pipeline written in TypeScript together and writes down its declarative form. */
export async function readPipeline(requestFile: string, responseFile: string): Promise<void> {
  const { bundle, exportName, directory } = JSON.parse(readFileSync(requestFile, 'utf8')) as PipelineRequest
  let response: PipelineResponse
  try {
    const loaded = (await import(pathToFileURL(bundle).href)) as PipelineModule
    const graph = choose(loaded.pipeline, exportName).build()
    const spec = specOf(graph, loaded.modules)
    response = { spec, rows: await stageRows(graph, directory), problem: null }
  } catch (error) {
    response = { spec: null, problem: problemOf(error) }
  }
  writeFileSync(responseFile, JSON.stringify(response))
  process.exit(0)
}

function choose(namespace: PipelineModule['pipeline'], exportName: string | null): Pipeline {
  const names = Object.keys(namespace).filter((name) => isPipeline(namespace[name]))
  if (exportName !== null) {
    const chosen = namespace[exportName]
    if (isPipeline(chosen)) return chosen
    throw new ZenmlError(
      'ZEN_PIPELINE_EXPORT',
      `The module exports no pipeline "${exportName}".${didYouMean(exportName, names)}`,
      {
        next: names.length === 0 ? 'Export one made with pipeline().' : `It exports ${names.join(', ')}.`,
      },
    )
  }
  const only = names.includes('default') ? 'default' : names.length === 1 ? names[0]! : undefined
  if (only !== undefined) return namespace[only] as Pipeline
  throw new ZenmlError(
    'ZEN_PIPELINE_EXPORT',
    names.length === 0 ? 'The module exports no pipeline.' : 'The module exports several pipelines.',
    {
      next:
        names.length === 0
          ? 'Add export default pipeline(…).'
          : `Name one: ${names.map((name) => `MODULE.ts#${name}`).join(', ')}.`,
    },
  )
}

/** Reads the rows of all datasources of rows. */
async function stageRows({ rows }: PipelineGraph, directory: string): Promise<{ [datasource: string]: string }> {
  const staged: { [datasource: string]: string } = {}
  for (const [name, given] of Object.entries(rows)) {
    const { writeGivenRows } = await import('../../sources/given-rows.ts')
    staged[name] = join(directory, name)
    await writeGivenRows(name, given, staged[name])
  }
  return staged
}

function specOf(graph: PipelineGraph, modules: PipelineModule['modules']): PipelineSpec {
  const sources = new Map<unknown, string>()
  for (const { source, namespace } of modules) {
    for (const name of Object.keys(namespace).sort()) {
      const value = namespace[name]
      if (isStep(value) && !sources.has(value)) sources.set(value, name === 'default' ? source : `${source}#${name}`)
    }
  }
  return {
    version: 1,
    name: graph.name,
    seed: graph.options.seed ?? 0,
    ...(graph.options.strict === undefined ? {} : { strict: graph.options.strict }),
    ...(graph.options.stores === undefined ? {} : { stores: graph.options.stores }),
    backend: graph.options.backend ?? { type: 'local' },
    datasources: graph.datasources,
    ...(Object.keys(graph.artifacts).length === 0 ? {} : { artifacts: graph.artifacts }),
    steps: Object.fromEntries(graph.steps.map((placed) => [placed.name, stepSpec(placed, sources.get(placed.step))])),
  }
}

function stepSpec(placed: PlacedStep, source: string | undefined): StepSpec {
  if (source === undefined) {
    throw new ZenmlError(
      'ZEN_STEP_NOT_EXPORTED',
      `Step "${placed.name}" is used in the pipeline, but no module exports it.`,
      {
        next: 'Write "export const" before it: a step is found again by its module and name.',
      },
    )
  }
  const { environment = [], timeout, memory, cache = true, strict } = placed.options
  return {
    source,
    parameters: placed.parameters,
    inputs: placed.inputs,
    environment,
    cache,
    ...(timeout === undefined ? {} : { timeout }),
    ...(memory === undefined ? {} : { memory }),
    ...(strict === undefined ? {} : { strict }),
  }
}
