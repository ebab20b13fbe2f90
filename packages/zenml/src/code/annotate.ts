import type { AnyNode, CallExpression, Expression, NewExpression, Node, Program, SpreadElement, Super } from 'acorn'
import type { Edit } from './text-edits.ts'

/** What is to be done to a module's text before it is bundled, and what was seen in it. */
export interface Annotations {
  readonly edits: readonly Edit[]
  /** Statements to append: the imports of assets. */
  readonly appended: string
  /** What the author should know, with the offset it is about. */
  readonly remarks: readonly { readonly at: number; readonly kind: 'import' | 'place' }[]
  /** Whether names of other modules are exported again: in TypeScript one of them may be a type. */
  readonly exportsAgain: boolean
}

/** What the module's own code does not say. */
export interface AnnotationContext {
  /** Whether calls of what this module exports have no effects of their own (the SDK's declarations, Zod). */
  isPure(specifier: string): boolean
  /** The asset that `new URL(literal, import.meta.url)` names: the specifier to import its place from, or undefined. */
  asset(literal: string, runs: boolean): string | undefined
}

const pureMark = '/* @__PURE__ */ '

/** Constructors and functions of the language whose call does nothing but give a value, when given no function to call. */
const pureGlobals: ReadonlySet<string> = new Set([
  ...[
    'Map',
    'Set',
    'WeakMap',
    'WeakSet',
    'RegExp',
    'Date',
    'Error',
    'TextEncoder',
    'TextDecoder',
    'AbortController',
    'URL',
  ],
  ...[
    'Array',
    'ArrayBuffer',
    'SharedArrayBuffer',
    'DataView',
    'Int8Array',
    'Uint8Array',
    'Uint8ClampedArray',
    'Int16Array',
  ],
  ...['Uint16Array', 'Int32Array', 'Uint32Array', 'Float32Array', 'Float64Array', 'BigInt64Array', 'BigUint64Array'],
  ...[
    'Symbol',
    'Symbol.for',
    'String',
    'Number',
    'Boolean',
    'String.raw',
    'Array.from',
    'Array.of',
    'Buffer.from',
    'Buffer.alloc',
  ],
  ...['Object.keys', 'Object.values', 'Object.entries', 'Object.fromEntries', 'Object.freeze', 'Object.create'],
  ...[
    'Math.abs',
    'Math.ceil',
    'Math.floor',
    'Math.log',
    'Math.log2',
    'Math.max',
    'Math.min',
    'Math.pow',
    'Math.round',
    'Math.sqrt',
  ],
])

/**
 * Reads a module for what a bundler cannot know: marks the calls that only declare (steps, schemas) as pure, so that the ones
 * another step of the same file needs can be dropped; finds the files that it names by `new URL(…, import.meta.url)`; keeps
 * `import()` of a computed name as it is; and takes needless quotes off keys, so that formatting never shows.
 */
export function annotate(
  program: Program,
  text: string,
  pureComments: ReadonlySet<number>,
  context: AnnotationContext,
): Annotations {
  const edits: Edit[] = []
  const remarks: { at: number; kind: 'import' | 'place' }[] = []
  const marker = new Marker(program, text, pureComments, context, edits)
  for (const statement of program.body) marker.statement(statement)

  const assets = new Map<string, string>()
  let prefix = '__zenml_asset'
  while (text.includes(prefix)) prefix += '_'
  const places = new Set<Node>()
  walk(program, [], (node, parents) => {
    if (node.type === 'ImportExpression') {
      if (textOf(node.source) !== undefined || namesFile(node.source)) return
      remarks.push({ at: node.start, kind: 'import' })
      edits.push({ at: node.source.start, remove: 0, insert: '(0, ' }, { at: node.source.end, remove: 0, insert: ')' })
    } else if (node.type === 'Property' && !node.computed && !node.shorthand && node.key.type === 'Literal') {
      if (
        typeof node.key.value === 'string' &&
        /^[A-Za-z_$][\w$]*$/.test(node.key.value) &&
        node.key.value !== '__proto__'
      ) {
        // Blanks for the quotes: every column stays where it was.
        edits.push({ at: node.key.start, remove: node.key.end - node.key.start, insert: ` ${node.key.value} ` })
      }
    } else if (node.type === 'NewExpression') {
      const named = fileNamedBy(node)
      if (named === undefined) return
      const specifier = context.asset(named.literal, runsIt(parents))
      if (specifier === undefined) return
      const name = assets.get(specifier) ?? `${prefix}_${assets.size}`
      assets.set(specifier, name)
      edits.push({ at: named.argument.start, remove: named.argument.end - named.argument.start, insert: name })
      places.add(named.place)
    } else if (isPlace(node) && !places.has(node)) {
      remarks.push({ at: node.start, kind: 'place' })
    }
  })
  return {
    edits,
    appended: [...assets].map(([specifier, name]) => `\nimport ${name} from ${JSON.stringify(specifier)};`).join(''),
    remarks,
    exportsAgain: marker.exportsAgain,
  }
}

/** Marks pure calls in what a module's top level evaluates. */
class Marker {
  exportsAgain = false
  private readonly imports = new Map<string, string>()
  private readonly declared = new Set<string>()
  private readonly text: string
  private readonly pureComments: ReadonlySet<number>
  private readonly context: AnnotationContext
  private readonly edits: Edit[]

  constructor(
    program: Program,
    text: string,
    pureComments: ReadonlySet<number>,
    context: AnnotationContext,
    edits: Edit[],
  ) {
    this.text = text
    this.pureComments = pureComments
    this.context = context
    this.edits = edits
    for (const statement of program.body) this.declare(statement)
  }

  statement(statement: Program['body'][number]): void {
    if (statement.type === 'ExportNamedDeclaration') {
      if (statement.source != null) this.exportsAgain = true
      for (const { local } of statement.specifiers)
        if (local.type === 'Identifier' && this.imports.has(local.name)) this.exportsAgain = true
    }
    const declaration =
      statement.type === 'ExportNamedDeclaration' || statement.type === 'ExportDefaultDeclaration'
        ? statement.declaration
        : statement
    if (declaration?.type === 'VariableDeclaration') {
      for (const { init } of declaration.declarations) if (init != null) this.pure(init)
    } else if (statement.type === 'ExportDefaultDeclaration') {
      this.pure(statement.declaration as Expression)
    }
  }

  private declare(statement: Program['body'][number]): void {
    if (statement.type === 'ImportDeclaration') {
      for (const { local } of statement.specifiers) this.imports.set(local.name, String(statement.source.value))
      return
    }
    const declaration = statement.type === 'ExportNamedDeclaration' ? statement.declaration : statement
    if (declaration?.type === 'VariableDeclaration') {
      for (const { id } of declaration.declarations)
        walk(id, [], (node) => node.type === 'Identifier' && this.declared.add(node.name))
    } else if (
      (declaration?.type === 'FunctionDeclaration' || declaration?.type === 'ClassDeclaration') &&
      declaration.id
    ) {
      this.declared.add(declaration.id.name)
    }
  }

  /** Whether evaluating an expression does nothing but give a value, once the marks are set that this sets. */
  private pure(node: Expression | SpreadElement | Super): boolean {
    switch (node.type) {
      case 'Literal':
      case 'Identifier':
      case 'ThisExpression':
      case 'MetaProperty':
      case 'FunctionExpression':
      case 'ArrowFunctionExpression':
        return true
      case 'TemplateLiteral':
        return this.all(node.expressions)
      case 'ArrayExpression':
        return this.all(node.elements.filter((element) => element !== null))
      case 'ObjectExpression':
        return this.all(
          node.properties.flatMap((property) =>
            property.type === 'SpreadElement'
              ? [property.argument]
              : [...(property.computed ? [property.key as Expression] : []), property.value as Expression],
          ),
        )
      case 'SpreadElement':
        return this.pure(node.argument)
      case 'MemberExpression':
        return this.all([node.object, ...(node.computed ? [node.property as Expression] : [])])
      case 'ChainExpression':
      case 'ParenthesizedExpression':
        return this.pure(node.expression)
      case 'UnaryExpression':
        return node.operator !== 'delete' && this.pure(node.argument)
      case 'BinaryExpression':
      case 'LogicalExpression':
        return this.all([node.left as Expression, node.right])
      case 'ConditionalExpression':
        return this.all([node.test, node.consequent, node.alternate])
      case 'CallExpression':
      case 'NewExpression':
        return this.call(node)
      default:
        return false
    }
  }

  /** Every part is looked at, also after one that is not pure: what is inside of it can still be marked. */
  private all(nodes: readonly (Expression | SpreadElement | Super)[]): boolean {
    return nodes.map((node) => this.pure(node)).every(Boolean)
  }

  private call(node: CallExpression | NewExpression): boolean {
    if (this.hasMark(node)) return this.all(node.arguments)
    const pureArguments = this.all(node.arguments)
    if (!this.pureCallee(node)) return false
    // The mark makes the bundler forget the callee with all calls in it; the arguments it looks at by itself.
    this.edits.push({ at: node.start, remove: 0, insert: pureMark })
    return pureArguments
  }

  /** Whether `a.b(x).c` leads to something known to be pure, and what it is given on the way has no effects either. */
  private pureCallee(call: CallExpression | NewExpression): boolean {
    const path: string[] = []
    for (let node: Expression | Super = call.callee; ; ) {
      if (node.type === 'MemberExpression') {
        if (node.computed && !this.pure(node.property as Expression)) return false
        path.unshift(!node.computed && node.property.type === 'Identifier' ? node.property.name : '[]')
        node = node.object
      } else if (node.type === 'CallExpression' || node.type === 'NewExpression') {
        if (!this.all(node.arguments)) return false
        path.unshift('()')
        node = node.callee
      } else if (node.type === 'Identifier') {
        const specifier = this.imports.get(node.name)
        if (specifier !== undefined) return this.context.isPure(specifier)
        if (this.declared.has(node.name)) return false
        return pureGlobals.has([node.name, ...path].join('.')) && call.arguments.every(harmless)
      } else {
        return false
      }
    }
  }

  /** TypeScript's enums and some libraries come with marks already. */
  private hasMark(node: Node): boolean {
    let end = node.start
    while (end > 0 && /\s/.test(this.text[end - 1]!)) end--
    return this.pureComments.has(end)
  }
}

/** No function that would be called, and nothing by name that would be changed (`Object.freeze(shared)`) or iterated. */
function harmless(node: Expression | SpreadElement): boolean {
  if (isPlace(node)) return true
  return !['Identifier', 'MemberExpression', 'FunctionExpression', 'ArrowFunctionExpression', 'SpreadElement'].includes(
    node.type,
  )
}

/** `new URL('./file', import.meta.url)` with a relative path. */
function fileNamedBy(
  node: NewExpression,
): { readonly literal: string; readonly argument: Node; readonly place: Node } | undefined {
  const [argument, place] = node.arguments
  if (node.callee.type !== 'Identifier' || node.callee.name !== 'URL' || argument === undefined || place === undefined)
    return undefined
  const literal = textOf(argument)
  if (literal === undefined || !/^[^/\\?#:]+(?:[/?#]|$)/.test(literal)) return undefined
  const isUrl = isPlace(place) && place.property.type === 'Identifier' && place.property.name === 'url'
  // "data/words.txt" and "./data/words.txt" are one URL.
  return isUrl ? { literal: /^\.\.?(?:\/|$)/.test(literal) ? literal : `./${literal}`, argument, place } : undefined
}

/** `import.meta.url`, `.dirname`, `.filename` and `.resolve`: where the code lies, which is elsewhere when it runs. */
function isPlace(node: Node): node is AnyNode & { type: 'MemberExpression'; property: { type: string; name: string } } {
  const member = node as AnyNode
  return (
    member.type === 'MemberExpression' &&
    member.object.type === 'MetaProperty' &&
    member.property.type === 'Identifier' &&
    ['url', 'dirname', 'filename', 'resolve'].includes(member.property.name)
  )
}

const runners: readonly string[] = ['Worker', 'fork', 'spawn', 'spawnSync', 'execFile', 'execFileSync', 'register']

/** Whether a file is named to be run (`new Worker(new URL(…))`), and so is a program of its own with imports of its own. */
function runsIt(parents: readonly AnyNode[]): boolean {
  return parents.some((parent) => {
    if (parent.type === 'ImportExpression') return true
    if (parent.type !== 'NewExpression' && parent.type !== 'CallExpression') return false
    const callee = parent.callee.type === 'MemberExpression' ? parent.callee.property : parent.callee
    return callee.type === 'Identifier' && runners.includes(callee.name)
  })
}

/** `new URL(…)` as above, or its `href`. */
function namesFile(node: Expression): boolean {
  const url = node.type === 'MemberExpression' ? node.object : node
  return url.type === 'NewExpression' && fileNamedBy(url) !== undefined
}

function textOf(node: Node): string | undefined {
  const expression = node as AnyNode
  if (expression.type === 'Literal') return typeof expression.value === 'string' ? expression.value : undefined
  if (expression.type !== 'TemplateLiteral' || expression.expressions.length > 0) return undefined
  return expression.quasis[0]?.value.cooked ?? undefined
}

/** Visits every node before its children, with the expressions around it up to the nearest function or statement. */
function walk(
  node: Node,
  parents: readonly AnyNode[],
  visit: (node: AnyNode, parents: readonly AnyNode[]) => void,
): void {
  visit(node as AnyNode, parents)
  const scoped = /Expression$/.test(node.type) && !/Function/.test(node.type) ? [...parents, node as AnyNode] : []
  for (const [key, value] of Object.entries(node)) {
    if (key === 'type' || typeof value !== 'object' || value === null) continue
    for (const child of Array.isArray(value) ? value : [value]) {
      if (typeof child === 'object' && child !== null && typeof (child as Node).type === 'string')
        walk(child as Node, scoped, visit)
    }
  }
}
