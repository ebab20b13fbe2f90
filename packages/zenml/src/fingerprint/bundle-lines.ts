import { decodeSegment, isMappings } from '../code/text-edits.ts'

/** What a bundle holds of one line of a source file. */
export interface BundleLine {
  /** Line in the source file, from 1. */
  readonly line: number
  /** The generated text, without blanks and comments, with the names that the source has. */
  readonly text: string
}

/** The export of the step at the end of every bundle, and where its source map is: of no source line. */
const bundleEnd = /export\{[^{}]*\};?\s*(?:\/\/# sourceMappingURL=\S*\s*)?$/

/**
 * What a bundle holds of its source files, line by line in the order of the source: comments, formatting within a line, and what
 * the step does not reach are not in it. Undefined where the source map is none (a store is not trusted).
 *
 * @example
 * linesOfBundle(bundle.text, bundle.map)?.get('lib/scale.ts') // [{ line: 1, text: 'var factor=2;' }, …]
 */
export function linesOfBundle(text: string, map: string): ReadonlyMap<string, readonly BundleLine[]> | undefined {
  const parsed = parseMap(map)
  if (parsed === undefined) return undefined
  const found = new Map<string, Map<number, string>>()
  const generated = text.replace(bundleEnd, '').split('\n')
  let [source, line, name] = [0, 0, 0]
  for (const [index, group] of parsed.mappings.split(';').entries()) {
    const content = generated[index] ?? ''
    const places: { column: number; source: number; line: number; name: string | undefined }[] = []
    let column = 0
    for (const segment of group.split(',').filter((part) => part !== '')) {
      const fields = decodeSegment(segment)
      column += fields[0]!
      if (fields.length < 4) continue
      source += fields[1]!
      line += fields[2]!
      if (fields.length > 4) name += fields[4]!
      places.push({ column, source, line, name: fields.length > 4 ? parsed.names[name] : undefined })
    }
    for (const [at, place] of places.entries()) {
      const file = parsed.sources[place.source]
      if (file === undefined) continue
      const piece = content.slice(place.column, places[at + 1]?.column ?? content.length)
      // Two modules may use one name: the bundler then numbers it, which is no change of the source.
      const own = place.name === undefined ? piece : piece.replace(/^[\p{ID_Start}$_][\p{ID_Continue}$]*/u, place.name)
      const lines = found.get(file) ?? new Map<number, string>()
      found.set(file, lines.set(place.line + 1, (lines.get(place.line + 1) ?? '') + own))
    }
  }
  return new Map(
    [...found].map(([file, lines]) => [
      file,
      [...lines]
        .filter(([, content]) => content !== '')
        .sort(([a], [b]) => a - b)
        .map(([number, content]) => ({ line: number, text: content })),
    ]),
  )
}

interface SourceMap {
  readonly mappings: string
  readonly sources: readonly string[]
  readonly names: readonly string[]
}

function parseMap(text: string): SourceMap | undefined {
  try {
    const { mappings, sources, names } = JSON.parse(text) as SourceMap
    const isTexts = (value: unknown): boolean => Array.isArray(value) && value.every((item) => typeof item === 'string')
    if (typeof mappings !== 'string' || !isMappings(mappings) || !isTexts(sources) || !isTexts(names)) return undefined
    return { mappings, sources, names }
  } catch {
    return undefined
  }
}
