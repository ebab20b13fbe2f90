import { existsSync, readFileSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import protobuf from 'protobufjs'

const shared = (path: string): string =>
  fileURLToPath(new URL(`../../../../../../shared/mlmd/${path}`, import.meta.url))

/** Where the written contract lies, and what the real core answered; undefined where they are absent. */
export const contract: string | undefined = readIf('wire-contract.md')
export const goldenVectors: string | undefined = readIf('golden-vectors.json')
export const samplesFolder: string = shared('samples')

function readIf(path: string): string | undefined {
  return existsSync(shared(path)) ? readFileSync(shared(path), 'utf8') : undefined
}

/** The contract in protobufjs, read from the document itself: independent of our own specs. */
export function contractRoot(text: string): protobuf.Root {
  const root = new protobuf.Root()
  for (const name of ['any', 'struct', 'field_mask']) {
    const { nested } = protobuf.common.get(`google/protobuf/${name}.proto`) ?? {}
    if (nested !== undefined) root.addJSON(nested)
  }
  protobuf.parse(protoText(text), root)
  root.resolveAll()
  return root
}

/** Names of the remote procedures in the contract. */
export function contractRpcs(text: string): string[] {
  return /## RPCs \(\d+\)\n\n(.*)/.exec(text)![1]!.split(', ')
}

/** Names of the messages in the contract. */
export function contractMessages(text: string): string[] {
  return [...text.matchAll(/^- `([\w.]+)`:/gm)].map(([, name]) => name!)
}

interface Scope {
  lines: string[]
  inner: Map<string, Scope>
  keyword: 'message' | 'enum'
}

function protoText(text: string): string {
  const top: Scope = { lines: [], inner: new Map(), keyword: 'message' }
  const at = (name: string): Scope => {
    let scope = top
    for (const part of name.split('.')) {
      const next = scope.inner.get(part) ?? { lines: [], inner: new Map(), keyword: 'message' }
      scope.inner.set(part, next)
      scope = next
    }
    return scope
  }
  for (const [, kind, name, body] of text.matchAll(/^- (enum )?`([\w.]+)`: (.*)$/gm)) {
    const scope = at(name!)
    if (kind !== undefined) {
      scope.keyword = 'enum'
      scope.lines = body!.split(', ').map((value) => `${value};`)
    } else if (body !== '(empty)') scope.lines = fieldLines(body!)
  }
  const print = (scope: Scope): string =>
    [...scope.inner]
      .map(([name, inner]) => `${inner.keyword} ${name} {\n${inner.lines.join('\n')}\n${print(inner)}}\n`)
      .join('')
  return `syntax = "proto2";\npackage ml_metadata;\n${print(top)}`
}

function fieldLines(body: string): string[] {
  const lines: string[] = []
  const oneofs = new Map<string, string[]>()
  for (const text of body.split(/, (?=\w+=\d+:)/)) {
    const [, name, number, type, list, packed, oneof] =
      /^(\w+)=(\d+):(map<.*>|[\w.]+)(\[\])?(\{packed\})?(?:<oneof (\w+)>)?(?:\(default .*\))?$/.exec(text)!
    const field = `${type} ${name} = ${number}${packed === undefined ? '' : ' [packed = true]'};`
    if (oneof !== undefined) oneofs.set(oneof, [...(oneofs.get(oneof) ?? []), field])
    else if (type!.startsWith('map<')) lines.push(field)
    else lines.push(`${list === undefined ? 'optional' : 'repeated'} ${field}`)
  }
  for (const [name, fields] of oneofs) lines.push(`oneof ${name} {\n${fields.join('\n')}\n}`)
  return lines
}
