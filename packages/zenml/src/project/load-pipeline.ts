import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { extname, isAbsolute, join, relative, resolve } from 'node:path'
import { askHost } from '../backends/ask-host.ts'
import type { PipelineResponse } from '../backends/host/read-pipeline.ts'
import { type ErrorCode, systemCode, ZenmlError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import { writeBundle } from '../code/bundle.ts'
import { bundlePipeline } from '../code/bundle-pipeline.ts'
import { parseConfig } from '../config/parse-config.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import type { PipelineSpec } from '../model/pipeline-spec.ts'
import { PlanError } from '../run/plan.ts'
import type { Project } from './open-project.ts'

/** A pipeline's declared state and where its parts are written down. */
export interface LoadedPipeline {
  readonly spec: PipelineSpec
  /** The pins of a configuration that was printed of a run; not checked here. */
  readonly run?: Json
  /** The file as it was given. */
  readonly file: string
  /** Source text of a YAML file, for showing the line of a problem. */
  readonly text?: string
  /** Line and column of a path such as `steps.train.parameters.epochs`. */
  locate(path: string): { readonly line: number; readonly column: number } | undefined
}

/**
 * Loads `CONFIG.yaml`, or `MODULE.ts#export` by compiling it to the same declared state.
 *
 * Throws a `PlanError` with every problem of a YAML file, `ZEN_PIPELINE_…` and `ZEN_CODE_…` for a module.
 *
 * @example
 * await initProject(directory)
 * await using project = await openProject(directory)
 * const { spec } = await loadPipeline(project, 'pipeline.yaml', directory)
 * spec.name // 'numbers'
 */
export async function loadPipeline(project: Project, argument: string, directory: string): Promise<LoadedPipeline> {
  const hash = argument.lastIndexOf('#')
  const file = hash < 0 ? argument : argument.slice(0, hash)
  const exportName = hash < 0 ? null : argument.slice(hash + 1)
  const path = resolve(directory, file)
  const inside = relative(project.root, path)
  if (inside.startsWith('..') || isAbsolute(inside)) {
    throw new ZenmlError('ZEN_PIPELINE_OUTSIDE', `${file} is outside of the project at ${project.root}.`, {
      next: 'Move it into the repository: a run pins the code and configuration that it holds.',
    })
  }
  const extension = extname(path)
  if (extension === '.yaml' || extension === '.yml') return await loadYaml(path, file)
  if (/^\.[cm]?[jt]sx?$/.test(extension)) {
    return { spec: await compile(project, path, file, exportName), file, locate: () => undefined }
  }
  throw new ZenmlError('ZEN_PIPELINE_FILE', `${file} is neither a YAML file nor a TypeScript or JavaScript module.`)
}

async function loadYaml(path: string, file: string): Promise<LoadedPipeline> {
  const text = await read(path, file)
  const parsed = await parseConfig(text, file)
  if (!parsed.ok) throw new LoadError(parsed.error, text)
  const { spec, run, locate } = parsed.value
  return { spec, file, text, locate, ...(run === undefined ? {} : { run }) }
}

async function compile(project: Project, path: string, file: string, exportName: string | null): Promise<PipelineSpec> {
  await read(path, file)
  const bundle = await bundlePipeline({ root: project.root, file: path })
  const { temporaryDirectory, host } = project.workspace
  const place = await mkdtemp(join(temporaryDirectory, `pipeline-${process.pid}-`))
  try {
    await writeBundle(bundle, place)
    const request = { bundle: join(place, 'step.mjs'), exportName }
    const { spec, problem } = await askHost<PipelineResponse>(
      { host, node: process.execPath, directory: temporaryDirectory },
      'pipeline',
      request,
    )
    if (problem === null) return spec
    throw new ZenmlError(problem.code as ErrorCode, `${file}: ${problem.message}`, {
      facts: problem.facts,
      ...(problem.next === null ? {} : { next: problem.next }),
    })
  } finally {
    await rm(place, { recursive: true, force: true })
  }
}

async function read(path: string, file: string): Promise<string> {
  try {
    return await readFile(path, 'utf8')
  } catch (error) {
    if (systemCode(error) === 'ENOENT') throw new ZenmlError('ZEN_PIPELINE_MISSING', `There is no file ${file}.`)
    if (systemCode(error) === 'EISDIR')
      throw new ZenmlError('ZEN_PIPELINE_FILE', `${file} is a folder; name the pipeline's YAML file or module in it.`)
    throw error
  }
}

/** A YAML file that cannot be read as a pipeline, with its text for showing the lines. */
export class LoadError extends PlanError {
  readonly text: string

  constructor(diagnostics: readonly Diagnostic[], text: string) {
    super(diagnostics)
    this.text = text
  }
}
