import { isUtf8 } from 'node:buffer'
import { mkdir, mkdtemp, readFile, rm, stat } from 'node:fs/promises'
import { extname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { askHost } from '../backends/ask-host.ts'
import type { PipelineRequest, PipelineResponse } from '../backends/host/read-pipeline.ts'
import { type ErrorCode, systemCode, ZenmlError } from '../base/errors.ts'
import type { Json } from '../base/json.ts'
import { writeBundle } from '../code/bundle.ts'
import { bundlePipeline } from '../code/bundle-pipeline.ts'
import { parseConfig } from '../config/parse-config.ts'
import type { DatasourceSpec } from '../model/datasource-spec.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import type { PipelineSpec } from '../model/pipeline-spec.ts'
import { PlanError } from '../run/plan.ts'
import { artifactsOf, type Project } from './open-project.ts'

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
export async function loadPipeline(
  project: Project,
  argument: string,
  directory: string,
  { signal }: { readonly signal?: AbortSignal } = {},
): Promise<LoadedPipeline> {
  // A folder may have a # in its name: an export is behind the last one, and has no slash.
  const [, file, exportName = null] = /^(.*?)(?:#([^#/\\]*))?$/s.exec(argument) as unknown as [string, string, string?]
  const path = resolve(directory, file)
  const inside = relative(project.root, path)
  if (inside === '..' || inside.startsWith(`..${sep}`) || isAbsolute(inside)) {
    throw new ZenmlError('ZEN_PIPELINE_OUTSIDE', `${file} is outside of the project at ${project.root}.`, {
      next: 'Move it into the repository: a run pins the code and configuration that it holds.',
    })
  }
  const extension = extname(path)
  if (extension === '.yaml' || extension === '.yml') {
    if (exportName === null) return await loadYaml(path, file)
    throw new ZenmlError('ZEN_PIPELINE_EXPORT', `${file} is one pipeline and exports none by name.`, {
      next: `Leave out "#${exportName}".`,
    })
  }
  if (/^\.[cm]?[jt]sx?$/.test(extension)) {
    return { spec: await compile(project, path, file, exportName, signal), file, locate: () => undefined }
  }
  throw new ZenmlError('ZEN_PIPELINE_FILE', `${file} is neither a YAML file nor a TypeScript or JavaScript module.`)
}

/** Bytes; the parser has its own, smaller limit. */
const largest = 16 << 20

async function loadYaml(path: string, file: string): Promise<LoadedPipeline> {
  const bytes = await read(path, file)
  const text = bytes.toString('utf8')
  // Characters that do not decode would get into names and parameters as U+FFFD.
  if (!isUtf8(bytes)) throw new LoadError([notUtf8(bytes, file)], text)
  const parsed = await parseConfig(text, file)
  if (!parsed.ok) throw new LoadError(parsed.error, text)
  const { spec, run, locate } = parsed.value
  return { spec, file, text, locate, ...(run === undefined ? {} : { run }) }
}

function notUtf8(bytes: Buffer, file: string): Diagnostic {
  let line = 1
  let start = 0
  for (;;) {
    const found = bytes.indexOf(0x0a, start)
    const end = found < 0 ? bytes.length : found
    const part = bytes.subarray(start, end)
    if (!isUtf8(part) || found < 0) {
      return {
        code: 'ZEN_CONFIG_ENCODING',
        message: 'The file is not in UTF-8 from here on. Save it as UTF-8.',
        file,
        line,
        column: part.toString('utf8').indexOf('\ufffd') + 1,
      }
    }
    line++
    start = end + 1
  }
}

async function compile(
  project: Project,
  path: string,
  file: string,
  exportName: string | null,
  signal: AbortSignal | undefined,
): Promise<PipelineSpec> {
  await read(path, file)
  const bundle = await bundlePipeline({ root: project.root, file: path })
  const { temporaryDirectory, host } = project.workspace
  const place = await mkdtemp(join(temporaryDirectory, `pipeline-${process.pid}-`))
  try {
    await writeBundle(bundle, place)
    const directory = join(place, 'rows')
    await mkdir(directory)
    const request: PipelineRequest = { bundle: join(place, 'step.mjs'), exportName, directory }
    const response = await askHost<PipelineResponse>(
      {
        host,
        node: process.execPath,
        directory: temporaryDirectory,
        ...(signal === undefined ? {} : { signal }),
      },
      'pipeline',
      request,
    )
    const { problem } = response
    if (problem === null) return await storeRows(project, response.spec, response.rows, signal)
    throw new ZenmlError(problem.code as ErrorCode, `${file}: ${problem.message}`, {
      facts: problem.facts,
      ...(problem.next === null ? {} : { next: problem.next }),
    })
  } finally {
    await rm(place, { recursive: true, force: true })
  }
}

/** Puts the rows that a pipeline gives into the artifact store that it uses, and names them in its datasources by their digests. */
async function storeRows(
  project: Project,
  spec: PipelineSpec,
  rows: { readonly [datasource: string]: string },
  signal: AbortSignal | undefined,
): Promise<PipelineSpec> {
  if (Object.keys(rows).length === 0) return spec
  const artifacts = await artifactsOf(project, spec.stores)
  const datasources: { [name: string]: DatasourceSpec } = { ...spec.datasources }
  for (const [name, directory] of Object.entries(rows)) {
    const options = { move: true, ...(signal === undefined ? {} : { signal }) }
    const { digest } = await artifacts.put('Examples', directory, options)
    const { version } = datasources[name]!
    datasources[name] = { type: 'artifact', artifact: digest, ...(version === undefined ? {} : { version }) }
  }
  return { ...spec, datasources }
}

async function read(path: string, file: string): Promise<Buffer> {
  try {
    const found = await stat(path)
    // A pipe or device would be read for ever.
    if (!found.isFile() && !found.isDirectory())
      throw new ZenmlError('ZEN_PIPELINE_FILE', `${file} is no regular file.`)
    if (found.size > largest)
      throw new ZenmlError('ZEN_PIPELINE_FILE', `${file} is larger than ${largest >> 20} MiB: it is no pipeline.`)
    return await readFile(path)
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
