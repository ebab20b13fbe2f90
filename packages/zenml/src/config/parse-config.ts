import {
  isAlias,
  isMap,
  isScalar,
  isSeq,
  LineCounter,
  type Node,
  type Pair,
  parseAllDocuments,
  type YAMLMap,
} from 'yaml'
import type { Json, JsonObject } from '../base/json.ts'
import { didYouMean } from '../base/nearest.ts'
import { ok, type Result, refuse } from '../base/result.ts'
import {
  completeDatasource,
  type DatasourceOptions,
  type DatasourceSpec,
  datasourceFormats,
} from '../model/datasource-spec.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import {
  type BackendSpec,
  type PipelineSpec,
  parseInputReference,
  reservedNames,
  type StepSpec,
  type StoresSpec,
  staysInside,
} from '../model/pipeline-spec.ts'
import { configKeys, type KeyRule, type KeyTable } from './config-keys.ts'
import { checkGraph } from './graph.ts'

/** A place in a file, counted from 1. */
export interface Place {
  readonly line: number
  readonly column: number
}

/** A configuration that holds, and where its parts stand. */
export interface ParsedConfig {
  readonly spec: PipelineSpec
  /** The pins of the run that it was printed from, where it has them; not checked here. */
  readonly run?: Json
  /** Place of `steps.train.parameters.epochs`, or of the nearest part around it. */
  locate(path: string): Place | undefined
}

const largest = 1 << 20
const deepest = 40
const mostAliases = 100

/**
 * Reads a pipeline's YAML (1.2, core schema). Every problem is found at once, each with its line and column.
 *
 * @example
 * const parsed = await parseConfig('version: 1\npipeline: demo\nsteps: {}', 'demo.yaml')
 */
export async function parseConfig(text: string, file: string): Promise<Result<ParsedConfig, readonly Diagnostic[]>> {
  const reader = new Reader(file)
  if (text.length > largest)
    return refuse([reader.problem('ZEN_CONFIG_SIZE', `The file is larger than ${largest} characters.`)])
  if (text.includes('\0'))
    return refuse([reader.problem('ZEN_CONFIG_SYNTAX', 'The file holds NUL characters; it is no text.')])
  const documents = parseAllDocuments(text, {
    lineCounter: reader.lines,
    uniqueKeys: false,
    version: '1.2',
    merge: false,
    prettyErrors: false,
    stringKeys: false,
    logLevel: 'silent',
  })
  const [document] = documents as { contents: Node | null; errors: { message: string; pos: [number, number] }[] }[]
  if (document === undefined || document.contents === null)
    return refuse([
      reader.problem('ZEN_CONFIG_EMPTY', 'The file is empty: a pipeline has at least version, pipeline and steps.'),
    ])
  for (const { errors } of documents as { errors: { message: string; pos: [number, number] }[] }[]) {
    for (const { message, pos } of errors) reader.add('ZEN_CONFIG_SYNTAX', `${message.split('\n')[0]}.`, pos[0], '')
  }
  if (reader.diagnostics.length > 0) return refuse(reader.diagnostics)
  if (documents.length > 1)
    return refuse([reader.problem('ZEN_CONFIG_DOCUMENTS', 'The file holds several documents; a pipeline is one.')])
  const value = reader.toJson(document.contents, '', 0)
  if (reader.diagnostics.length > 0) return refuse(reader.diagnostics)
  reader.checkObject(value as Json, configKeys, '')
  if (reader.diagnostics.length > 0) return refuse(reader.diagnostics)
  const spec = specOf(value as JsonObject, reader)
  if (reader.diagnostics.length > 0) return refuse(reader.diagnostics)
  const locate = (path: string): Place | undefined => reader.locate(path)
  const broken = checkGraph(spec).map((diagnostic) => ({
    ...diagnostic,
    file,
    ...(diagnostic.path === undefined ? {} : locate(diagnostic.path)),
  }))
  if (broken.length > 0) return refuse(broken)
  const { run } = value as JsonObject
  return ok({ spec, locate, ...(run === undefined ? {} : { run }) })
}

/** A value that nothing is asked of. */
const anything: KeyRule = { type: 'any', description: '' }

class Reader {
  readonly lines: LineCounter = new LineCounter()
  readonly diagnostics: Diagnostic[] = []
  private readonly file: string
  private readonly offsets = new Map<string, number>()
  private aliases = 0

  constructor(file: string) {
    this.file = file
  }

  problem(code: Diagnostic['code'], message: string, offset = 0, path = ''): Diagnostic {
    const { line, col } = this.lines.linePos(offset)
    return {
      code,
      message,
      file: this.file,
      line: Math.max(1, line),
      column: Math.max(1, col),
      ...(path === '' ? {} : { path }),
    }
  }

  add(code: Diagnostic['code'], message: string, offset: number, path: string): void {
    if (this.diagnostics.length < 100) this.diagnostics.push(this.problem(code, message, offset, path))
  }

  addAt(code: Diagnostic['code'], message: string, path: string): void {
    this.add(code, message, this.offsetOf(path), path)
  }

  locate(path: string): Place | undefined {
    const { line, col } = this.lines.linePos(this.offsetOf(path))
    return { line: Math.max(1, line), column: Math.max(1, col) }
  }

  /** Offset of a path, or of the nearest part around it. */
  private offsetOf(path: string): number {
    for (let current = path; current !== ''; current = current.slice(0, Math.max(0, current.lastIndexOf('.')))) {
      const offset = this.offsets.get(current)
      if (offset !== undefined) return offset
    }
    return 0
  }

  /** Plain JSON of a node; tags, duplicate and non-text keys, and more than a few aliases are problems. */
  toJson(node: Node | null, path: string, depth: number): Json {
    const offset = node?.range?.[0] ?? 0
    if (node === null) return null
    if (depth > deepest) {
      this.add('ZEN_CONFIG_DEPTH', `More than ${deepest} levels deep.`, offset, path)
      return null
    }
    if (isAlias(node)) {
      this.aliases++
      this.add(
        'ZEN_CONFIG_ALIASES',
        `Aliases are not read: write the value of *${node.source} here${this.aliases > mostAliases ? ' (and at the others)' : ''}.`,
        offset,
        path,
      )
      return null
    }
    if (
      (node as { tag?: string }).tag !== undefined &&
      !/^tag:yaml\.org,2002:(str|int|float|bool|null|map|seq)$/.test((node as { tag?: string }).tag!)
    ) {
      this.add('ZEN_CONFIG_TAG', `The tag ${(node as { tag?: string }).tag} is not read.`, offset, path)
      return null
    }
    if (isMap(node)) return this.mapToJson(node, path, depth)
    if (isSeq(node))
      return node.items.map((item, index) => this.toJson(item as Node | null, `${path}.${index}`, depth + 1))
    if (!isScalar(node)) return null
    const { value } = node
    if (typeof value === 'number' && !Number.isFinite(value))
      this.add('ZEN_CONFIG_NUMBER', `${node.source ?? value} is no finite number.`, offset, path)
    else if (typeof value === 'number' && Number.isInteger(value) && !Number.isSafeInteger(value))
      this.add(
        'ZEN_CONFIG_NUMBER',
        `${node.source ?? value} is beyond 2^53 and would lose digits; write it in quotes.`,
        offset,
        path,
      )
    else if (typeof value === 'bigint' || (typeof value === 'object' && value !== null))
      this.add('ZEN_CONFIG_TYPE', 'This value is not read.', offset, path)
    else if (typeof value === 'string' && !value.isWellFormed())
      this.add('ZEN_CONFIG_SYNTAX', 'The text is no valid Unicode.', offset, path)
    else return (value ?? null) as Json
    return null
  }

  private mapToJson(node: YAMLMap, path: string, depth: number): JsonObject {
    const entries: [string, Json][] = []
    const seen = new Set<string>()
    for (const pair of node.items as Pair<Node | null, Node | null>[]) {
      const offset = pair.key?.range?.[0] ?? node.range?.[0] ?? 0
      const key: unknown = isScalar(pair.key) ? pair.key.value : undefined
      if (typeof key !== 'string') {
        this.add('ZEN_CONFIG_KEY', 'A key must be a text; put it in quotes.', offset, path)
        continue
      }
      const inner = path === '' ? key : `${path}.${key}`
      if (key === '<<') this.add('ZEN_CONFIG_MERGE', 'Merge keys (<<) are not read.', offset, inner)
      else if (seen.has(key))
        this.add('ZEN_CONFIG_DUPLICATE', `The key "${key}" stands here a second time.`, offset, inner)
      else {
        seen.add(key)
        this.offsets.set(inner, offset)
        entries.push([key, this.toJson(pair.value, inner, depth + 1)])
      }
    }
    return Object.fromEntries(entries)
  }

  checkObject(value: Json, keys: KeyTable, path: string): void {
    if (!isObject(value)) {
      this.addAt(
        'ZEN_CONFIG_TYPE',
        `${path === '' ? 'The configuration' : `"${path}"`} must be a map, not ${kindOf(value)}.`,
        path,
      )
      return
    }
    for (const [key, rule] of Object.entries(keys)) {
      if (rule.required === true && !Object.hasOwn(value, key))
        this.addAt(
          'ZEN_CONFIG_MISSING',
          `${path === '' ? 'The configuration' : `"${path}"`} lacks "${key}": ${rule.description}`,
          path,
        )
    }
    for (const [key, inner] of Object.entries(value)) {
      const at = path === '' ? key : `${path}.${key}`
      if (!Object.hasOwn(keys, key))
        this.addAt(
          'ZEN_CONFIG_UNKNOWN',
          `Unknown key "${key}".${didYouMean(key, Object.keys(keys)) || ` Known here: ${Object.keys(keys).join(', ')}.`}`,
          at,
        )
      else this.checkRule(inner, keys[key]!, at)
    }
  }

  private checkRule(value: Json, rule: KeyRule, path: string): void {
    const wrong = (expected: string): void =>
      this.addAt('ZEN_CONFIG_TYPE', `"${path}" must be ${expected}, not ${kindOf(value)}.`, path)
    switch (rule.type) {
      case 'any':
        return
      case 'object':
        this.checkObject(value, rule.keys!, path)
        return
      case 'map':
        if (!isObject(value)) return wrong('a map')
        for (const [name, inner] of Object.entries(value)) {
          if (!new RegExp(rule.pattern!).test(name))
            this.addAt(
              'ZEN_CONFIG_NAME',
              `"${name}" cannot be a name: use letters, digits, "_" and "-".`,
              `${path}.${name}`,
            )
          else this.checkObject(inner, this.keysOf(inner, rule, `${path}.${name}`), `${path}.${name}`)
        }
        return
      case 'free':
        if (!isObject(value)) wrong('a map')
        return
      case 'texts':
        if (!isObject(value)) return wrong('a map of texts')
        for (const [name, inner] of Object.entries(value))
          if (typeof inner !== 'string')
            this.addAt('ZEN_CONFIG_TYPE', `"${path}.${name}" must be a text, not ${kindOf(inner)}.`, `${path}.${name}`)
        return
      case 'references':
        if (!isObject(value)) return wrong('a map of input names to step.output or datasources.name')
        for (const [input, from] of Object.entries(value)) {
          if (typeof from !== 'string' || parseInputReference(from) === undefined)
            this.addAt(
              'ZEN_CONFIG_REFERENCE',
              `Input "${input}" must be step.output or datasources.name, not ${typeof from === 'string' ? `"${from}"` : kindOf(from)}.`,
              `${path}.${input}`,
            )
        }
        return
      case 'strings':
        if (!Array.isArray(value)) return wrong('a list of texts')
        for (const [index, item] of value.entries()) {
          if (
            typeof item !== 'string' ||
            item === '' ||
            (rule.pattern !== undefined && !new RegExp(rule.pattern).test(item))
          )
            this.addAt(
              'ZEN_CONFIG_TYPE',
              `"${path}" holds ${JSON.stringify(item)}, which is no ${rule.item}.`,
              `${path}.${index}`,
            )
        }
        return
      case 'boolean':
        if (typeof value !== 'boolean') wrong('true or false')
        return
      case 'integer':
        if (typeof value !== 'number' || !Number.isInteger(value)) return wrong('a whole number')
        if (rule.values !== undefined && !rule.values.includes(value))
          return this.addAt('ZEN_CONFIG_VALUE', `"${path}" must be ${rule.values.join(' or ')}, not ${value}.`, path)
        if (value < (rule.minimum ?? value) || value > (rule.maximum ?? value))
          this.addAt(
            'ZEN_CONFIG_VALUE',
            `"${path}" must be from ${rule.minimum} to ${rule.maximum}, not ${value}.`,
            path,
          )
        return
      case 'string':
        if (typeof value !== 'string' || value === '') return wrong('a text')
        if (rule.values !== undefined && !rule.values.includes(value))
          return this.addAt(
            'ZEN_CONFIG_VALUE',
            `"${path}" must be ${rule.values.join(', ')}, not "${value}".${didYouMean(value, rule.values as string[])}`,
            path,
          )
        if (rule.pattern !== undefined && !new RegExp(rule.pattern).test(value))
          if (rule.item === undefined)
            this.addAt('ZEN_CONFIG_NAME', `"${value}" cannot be a name: use letters, digits, ".", "_" and "-".`, path)
          else this.addAt('ZEN_CONFIG_VALUE', `"${path}" must be ${rule.item}, not "${value}".`, path)
    }
  }

  /** The keys of an entry of a map, which its `type` may decide on. */
  private keysOf(entry: Json, { keys, types }: KeyRule, path: string): KeyTable {
    if (types === undefined) return keys!
    const [usual] = Object.keys(types)
    const type = isObject(entry) ? (entry['type'] ?? usual) : usual
    if (typeof type === 'string' && Object.hasOwn(types, type)) return types[type]!
    const known = Object.keys(types)
    const given = typeof type === 'string' ? `"${type}"` : kindOf(type!)
    this.addAt(
      'ZEN_CONFIG_VALUE',
      `"${path}.type" must be ${known.join(', ')}, not ${given}.${typeof type === 'string' ? didYouMean(type, known) : ''}`,
      `${path}.type`,
    )
    // What else is there cannot be judged: every key of any type may stand there.
    return Object.fromEntries(Object.keys(entry as JsonObject).map((key) => [key, anything]))
  }
}

/** The checked document with its defaults. */
function specOf(value: JsonObject, reader: Reader): PipelineSpec {
  const datasources: { [name: string]: DatasourceSpec } = {}
  for (const [name, given] of Object.entries((value['datasources'] ?? {}) as { [name: string]: JsonObject })) {
    const spec = completeDatasource(given as unknown as DatasourceOptions)
    const key = ['url', 'uri'].find((one) => given[one] !== undefined) ?? 'path'
    if (spec === undefined)
      reader.addAt(
        'ZEN_CONFIG_MISSING',
        `The format of "${given[key]}" is not told by its name: add format (${datasourceFormats.join(', ')}).`,
        `datasources.${name}.${key}`,
      )
    else datasources[name] = spec
  }
  const stores = value['stores'] as StoresSpec | undefined
  for (const [kind, store] of Object.entries(stores ?? {})) {
    if (!staysInside(store.path))
      reader.addAt(
        'ZEN_CONFIG_STORE',
        `The path "${store.path}" leads out of the repository; a store named here is a relative path inside of it. Others are set with "zenml config ${kind} set".`,
        `stores.${kind}.path`,
      )
  }
  const steps: { [name: string]: StepSpec } = {}
  for (const [name, given] of Object.entries(value['steps'] as { [name: string]: JsonObject })) {
    if (reservedNames.includes(name))
      reader.addAt('ZEN_CONFIG_NAME', `"${name}" cannot be the name of a step.`, `steps.${name}`)
    steps[name] = {
      source: given['source'] as string,
      parameters: (given['parameters'] ?? {}) as JsonObject,
      inputs: (given['inputs'] ?? {}) as { [input: string]: string },
      environment: (given['environment'] ?? []) as string[],
      cache: (given['cache'] ?? true) as boolean,
      ...(given['timeout'] === undefined ? {} : { timeout: given['timeout'] as number }),
      ...(given['memory'] === undefined ? {} : { memory: given['memory'] as number }),
      ...(given['strict'] === undefined ? {} : { strict: given['strict'] as boolean }),
    }
  }
  return {
    version: 1,
    name: value['pipeline'] as string,
    seed: (value['seed'] ?? 0) as number,
    ...(value['strict'] === undefined ? {} : { strict: value['strict'] as boolean }),
    ...(stores === undefined ? {} : { stores }),
    backend: (value['backend'] ?? { type: 'local' }) as unknown as BackendSpec,
    datasources,
    ...(value['artifacts'] === undefined ? {} : { artifacts: value['artifacts'] as unknown as ArtifactReferences }),
    steps,
  }
}

type ArtifactReferences = NonNullable<PipelineSpec['artifacts']>

function isObject(value: Json): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function kindOf(value: Json): string {
  if (value === null) return 'nothing'
  if (Array.isArray(value)) return 'a list'
  if (typeof value === 'object') return 'a map'
  return typeof value === 'string' ? 'a text' : typeof value === 'number' ? `the number ${value}` : `${value}`
}
