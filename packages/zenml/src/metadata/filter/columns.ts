import { type Attributes, type NodeKind, neighbours, nodeAttributes, propertyValues } from './attributes.ts'
import type { Cursor } from './cursor.ts'
import { expected } from './expected.ts'
import type { Column, Source } from './expression.ts'
import type { Token } from './tokens.ts'

type Word = Token & { readonly kind: 'word' }

/** Reads the path of an attribute: `name`, `contexts_A.name`, `properties.x.int_value`. */
export function readColumn(from: Cursor, node: NodeKind): Column {
  const first = from.take() as Word
  const { at } = first
  const written = first.text
  const own = written.toLowerCase()
  let source: Source = { kind: 'node' }
  let attributes: Attributes = nodeAttributes[node]
  let last = first
  if (own === 'properties' || own === 'custom_properties') {
    from.need('.')
    source = { kind: 'property', name: readName(from, 'the name of a property').text, custom: own !== 'properties' }
    attributes = propertyValues
    from.need('.')
    last = readName(from, oneOf(attributes))
  } else if (!Object.hasOwn(attributes, own)) {
    const prefix = Object.keys(neighbours[node]).find((one) => own.startsWith(one) && own.length > one.length)
    if (prefix === undefined) throw expected(at, ofNode(node))
    const neighbour = neighbours[node][prefix]!
    source = { kind: 'neighbour', alias: own, neighbour }
    attributes = neighbour.attributes
    from.need('.')
    last = readName(from, oneOf(attributes))
  }
  const name = last.text.toLowerCase()
  if (!Object.hasOwn(attributes, name)) throw expected(last.at, oneOf(attributes))
  const behind = from.next()
  if (behind.kind === 'sign' && behind.text === '.') throw expected(behind.at, 'an operator: an attribute has no parts')
  return { is: 'column', at, source, name, kind: attributes[name]! }
}

function readName(from: Cursor, what: string): Word {
  const token = from.next()
  if (token.kind !== 'word') throw expected(token.at, what)
  return from.take() as Word
}

function oneOf(attributes: Attributes): string {
  return `one of the attributes ${Object.keys(attributes).join(', ')}`
}

function ofNode(node: NodeKind): string {
  const others = Object.keys(neighbours[node]).map((prefix) => `${prefix}A`)
  return `an attribute (${[...Object.keys(nodeAttributes[node]), 'properties', 'custom_properties', ...others].join(', ')}) or a value`
}
