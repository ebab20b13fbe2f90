import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'

/** A public name with its docstring. */
export interface PublicName {
  readonly name: string
  /** Where it is declared. */
  readonly file: string
  readonly doc: string
  /** Code of its `@example`. */
  readonly example: string | undefined
  /** Whether its example places it in a pipeline: it is a step. */
  readonly isStep: boolean
}

/** The values (not the types) that an entry point re-exports, with their docstrings. */
export function publicNames(entry: string): PublicName[] {
  const text = readFileSync(entry, 'utf8')
  const found: PublicName[] = []
  for (const [, names, from] of text.matchAll(/^export \{([^}]*)\} from '([^']+)'/gm)) {
    const file = join(dirname(entry), from!)
    for (const part of names!.split(',')) {
      const name = part.trim()
      if (name !== '' && !name.startsWith('type ')) found.push(readName(readFileSync(file, 'utf8'), file, name, entry))
    }
  }
  return found
}

function readName(text: string, file: string, name: string, entry: string): PublicName {
  const declared = new RegExp(
    `/\\*\\*((?:(?!\\*/)[\\s\\S])*)\\*/\\n(?://[^\\n]*\\n)*export (?:async )?(?:function|const|class) ${name}\\b([^\\n]*)`,
  ).exec(text)
  if (declared === null) {
    // Passed on from another file.
    const passed = new RegExp(`export \\{[^}]*\\b${name}\\b[^}]*\\} from '([^']+)'`).exec(text)
    if (passed === null) throw new Error(`${file} declares no documented ${name}, which ${entry} exports`)
    const next = join(dirname(file), passed[1]!)
    return readName(readFileSync(next, 'utf8'), next, name, entry)
  }
  const doc = declared[1]!
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''))
    .join('\n')
  const at = doc.indexOf('@example')
  return {
    name,
    file,
    doc,
    example: at < 0 ? undefined : doc.slice(at + '@example'.length).trim(),
    isStep: /^: Step</.test(declared[2]!),
  }
}

/**
 * An example as the body of a function: a line `expression // value` checks the value, in a step's example the step takes its place in
 * a pipeline.
 */
export function exampleBody({ example, isStep }: Pick<PublicName, 'example' | 'isStep'>): string {
  const lines = example!
    .replace(/^export default /gm, 'const exported = ')
    .replace(/^export /gm, '')
    .split('\n')
    .map((line) => {
      const parts = /^(?!const |let |import |\/\/)(\S.*?)\s+\/\/ (.+)$/.exec(line)
      return parts !== null && isValue(parts[2]!) ? `same(${parts[1]}, ${parts[2]})` : line
    })
  return isStep
    ? `inPipeline(({ examples, parts, facts, transform, model, evaluation }) => {\n{\n${lines.join('\n')}\n}\n})`
    : lines.join('\n')
}

function isValue(text: string): boolean {
  if (!/^(?:['"[{\d-]|[A-Z][A-Za-z0-9]*\.of\(|true|false|null|undefined)/.test(text)) return false
  try {
    new Function(`return (${text})`)
    return true
  } catch {
    return false // a sentence
  }
}
