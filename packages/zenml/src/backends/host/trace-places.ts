import { readdirSync, readFileSync, realpathSync } from 'node:fs'
import { SourceMap } from 'node:module'
import { dirname, join, relative, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import { systemCode } from '../../base/errors.ts'

/** Whose call it was. */
export interface Place {
  readonly package: string | null
  readonly at: string | null
}

/** What a frame's script is. Code of Node itself and code without a file are looked through. */
type Origin = { readonly kind: 'node' } | { readonly kind: 'runtime' } | Located

/** A script whose frames have a place. */
type Located =
  | { readonly kind: 'package'; readonly name: string }
  | { readonly kind: 'bundle'; readonly path: string }
  | { readonly kind: 'file'; readonly name: string }

/** How far up a package's call is followed to the user's line. */
const deepest = 64

/** The engine's own, whatever a step puts in its place. */
const EngineError = Error
const { captureStackTrace } = Error

/** The frames above a function, nearest first; none where the step has frozen the engine's settings. */
export function framesAbove(below: (...args: never[]) => unknown, limit: number = deepest): readonly NodeJS.CallSite[] {
  const { prepareStackTrace, stackTraceLimit } = EngineError
  const holder: { stack?: NodeJS.CallSite[] | string } = {}
  try {
    // Not by assignment, which throws where it is frozen.
    Reflect.set(EngineError, 'prepareStackTrace', (_error: unknown, sites: NodeJS.CallSite[]) => sites)
    Reflect.set(EngineError, 'stackTraceLimit', limit)
    captureStackTrace(holder, below)
    return Array.isArray(holder.stack) ? holder.stack : []
  } finally {
    Reflect.set(EngineError, 'prepareStackTrace', prepareStackTrace)
    Reflect.set(EngineError, 'stackTraceLimit', stackTraceLimit)
  }
}

/** Tells from a stack whose call it was, in terms of the user's source. */
export class Places {
  private readonly code: string
  private readonly root: string
  private readonly runtime: string = fileURLToPath(import.meta.url)
  private readonly origins = new Map<string, Origin>()
  private readonly maps = new Map<string, SourceMap | null>()
  private linked: readonly (readonly [directory: string, name: string])[] | undefined

  /** `code` is the folder of the bundle, `root` that of the repository; both without links. */
  constructor(code: string, root: string) {
    this.code = code
    this.root = root
  }

  /** Whether a script is Node's own. */
  isNode(script: string): boolean {
    return this.originOf(script).kind === 'node'
  }

  /** The nearest frame that is not Node's decides; a package's call also has the user's line that led to it. Null: the runtime's own. */
  placeOf(frames: readonly NodeJS.CallSite[]): Place | null {
    let owner: string | null = null
    for (const frame of frames) {
      const script = frame.getScriptNameOrSourceURL()
      if (script === null || script === undefined) continue
      const origin = this.originOf(script)
      if (origin.kind === 'node') continue
      if (origin.kind === 'runtime') break
      const place = this.resolve(origin, frame.getLineNumber() ?? 1, frame.getColumnNumber() ?? 1)
      if (place === undefined) continue
      if (place.package === null) return { package: owner, at: place.at }
      owner ??= place.package
    }
    return owner === null ? null : { package: owner, at: null }
  }

  /**
   * The text of a stack with the user's lines in place of the bundle's, which nobody has when they read it, and without the runtime's own calls and those in
   * packages, or in `node`, that `without` tells.
   */
  sourceStack(stack: string, without: (name: string) => boolean): string {
    const lines = stack.split('\n').flatMap((text) => {
      const [whole, script, line, column] = /(file:\/\/[^\s()]+|node:[^\s()]+):(\d+):(\d+)\)?$/.exec(text) ?? []
      if (whole === undefined || !/^\s+at /.test(text)) return [text]
      const origin = this.originOf(script!)
      if (origin.kind === 'runtime') return []
      if (origin.kind === 'node') return without('node') ? [] : [text]
      const place = this.resolve(origin, Number(line), Number(column))
      if (place === undefined || (place.package !== null && without(place.package))) return []
      return [place.at === null ? text : text.replace(`${script}:${line}:${column}`, place.at)]
    })
    return lines.join('\n')
  }

  /** The linked folder and name of the package that a file belongs to, of those that the bundle names. */
  packageAt(path: string): string | undefined {
    const parts = path.split(sep)
    const last = parts.lastIndexOf('node_modules')
    if (last >= 0 && last + 1 < parts.length) {
      const [first, second] = parts.slice(last + 1)
      return first!.startsWith('@') ? (second === undefined ? undefined : `${first}/${second}`) : first
    }
    return this.links().find(([directory]) => path === directory || path.startsWith(directory + sep))?.[1]
  }

  private originOf(script: string): Origin {
    let origin = this.origins.get(script)
    if (origin === undefined) {
      origin = this.classify(script)
      this.origins.set(script, origin)
    }
    return origin
  }

  private classify(script: string): Origin {
    const isUrl = script.startsWith('file:')
    if (!isUrl && !script.startsWith(sep) && !/^[A-Za-z]:\\/.test(script)) return { kind: 'node' }
    const path = isUrl ? fileURLToPath(script) : script
    if (path === this.runtime) return { kind: 'runtime' }
    if (path.startsWith(this.code + sep) && !path.startsWith(join(this.code, 'node_modules') + sep))
      return { kind: 'bundle', path }
    const name = this.packageAt(path)
    if (name !== undefined) return { kind: 'package', name }
    const inside = relative(this.root, path)
    return { kind: 'file', name: inside.startsWith('..') ? path : inside.split(sep).join('/') }
  }

  /** Undefined for the lines that the bundler wrote. */
  private resolve(origin: Located, line: number, column: number): Place | undefined {
    if (origin.kind === 'package') return { package: origin.name, at: null }
    if (origin.kind === 'file') return { package: null, at: `${origin.name}:${line}:${column}` }
    const map = this.mapOf(origin.path)
    if (map === null)
      return { package: null, at: `${relative(this.code, origin.path).split(sep).join('/')}:${line}:${column}` }
    const entry = map.findEntry(line - 1, column - 1)
    if (!('originalSource' in entry) || typeof entry.originalSource !== 'string') return undefined
    const { originalSource, originalLine, originalColumn } = entry
    const [, owner] = /(?:^|\/)node_modules\/((?:@[^/]+\/)?[^/]+)\/(?!.*\/node_modules\/)/.exec(originalSource) ?? []
    if (owner !== undefined) return { package: owner, at: null }
    if (originalSource.endsWith('zenml-entry.js')) return undefined
    return { package: null, at: `${originalSource}:${originalLine + 1}:${originalColumn + 1}` }
  }

  private mapOf(path: string): SourceMap | null {
    let map = this.maps.get(path)
    if (map === undefined) {
      try {
        map = new SourceMap(JSON.parse(readFileSync(`${path}.map`, 'utf8')))
      } catch (error) {
        // Programs that stand beside a bundle have no map: they are named by their own lines.
        if (systemCode(error) !== 'ENOENT') throw error
        map = null
      }
      this.maps.set(path, map)
    }
    return map
  }

  /** Packages that are links to folders outside of any node_modules. */
  private links(): readonly (readonly [directory: string, name: string])[] {
    if (this.linked !== undefined) return this.linked
    const modules = join(this.code, 'node_modules')
    const names = namesIn(modules).flatMap((name) =>
      name.startsWith('@') ? namesIn(join(modules, name)).map((inner) => `${name}/${inner}`) : [name],
    )
    this.linked = names.map((name) => [realpathSync(join(modules, ...name.split('/'))), name] as const)
    return this.linked
  }

  /** The folder of the runtime's own files. */
  get runtimeDirectory(): string {
    return dirname(this.runtime)
  }
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory)
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return []
    throw error
  }
}
