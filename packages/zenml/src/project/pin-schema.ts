import { mkdir, readFile, realpath, rename, rm, writeFile } from 'node:fs/promises'
import { dirname, isAbsolute, join, relative, resolve, sep } from 'node:path'
import { systemCode, ZenmlError } from '../base/errors.ts'
import { encodeSchema, parseSchema, printSchema, type Schema } from '../formats/schema-proto.ts'

/** What became of a file that a schema was pinned to. */
export type PinnedSchema =
  /** It was not there, or was to be replaced: `difference` is what it said before. */
  | { readonly kind: 'written'; readonly path: string; readonly difference: string | null }
  /** It says the same already, whatever its comments and layout. */
  | { readonly kind: 'same'; readonly path: string }
  /** It says something else, and is left as it is. */
  | { readonly kind: 'differs'; readonly path: string; readonly difference: string }

/**
 * Writes a schema as pbtxt into the repository, where one commits it. A file that says something else is only replaced with `force`: it
 * may have been edited. Throws `ZEN_SCHEMA_OUTSIDE` for a place outside of the repository.
 */
export async function pinSchema(
  root: string,
  file: string,
  schema: Schema,
  { force = false }: { readonly force?: boolean } = {},
): Promise<PinnedSchema> {
  const path = await placeInside(root, file)
  const name = relative(root, path).split(sep).join('/')
  const text = printSchema(schema)
  const found = await readFile(path, 'utf8').catch((error) => {
    if (systemCode(error) === 'ENOENT') return undefined
    throw error
  })
  if (found !== undefined && (found === text || saysTheSame(found, schema))) return { kind: 'same', path: name }
  const difference = found === undefined ? null : await differenceOf(name, found, text)
  if (difference !== null && !force) return { kind: 'differs', path: name, difference }
  await mkdir(dirname(path), { recursive: true })
  const part = `${path}.${process.pid}.part`
  try {
    await writeFile(part, text)
    await rename(part, path)
  } catch (error) {
    await rm(part, { force: true })
    throw error
  }
  return { kind: 'written', path: name, difference }
}

/** The path without links, but for the file itself; a link there is replaced, not followed. */
async function placeInside(root: string, file: string): Promise<string> {
  let folder = dirname(resolve(root, file))
  const missing: string[] = []
  let real = await realpath(folder).catch(orMissing)
  while (real === undefined) {
    missing.unshift(relative(dirname(folder), folder))
    folder = dirname(folder)
    real = await realpath(folder).catch(orMissing)
  }
  const path = join(real, ...missing, relative(dirname(resolve(root, file)), resolve(root, file)))
  const inside = relative(await realpath(root), path)
  if (inside !== '' && inside !== '..' && !inside.startsWith(`..${sep}`) && !isAbsolute(inside))
    return resolve(root, inside)
  throw new ZenmlError(
    'ZEN_SCHEMA_OUTSIDE',
    `${relative(root, resolve(root, file))} is outside of the repository, where nothing is pinned.`,
    {
      facts: { file },
      next: 'Name a file of the repository; without --write the schema is printed.',
    },
  )
}

function orMissing(error: unknown): undefined {
  if (systemCode(error) === 'ENOENT') return undefined
  throw error
}

function saysTheSame(text: string, schema: Schema): boolean {
  const parsed = parseSchema(text)
  return parsed.ok && Buffer.compare(encodeSchema(parsed.value), encodeSchema(schema)) === 0
}

/** Changed lines that are looked for; what differs more is not told line by line. */
const maxEditLength = 4000

async function differenceOf(name: string, before: string, after: string): Promise<string> {
  const { createTwoFilesPatch } = await import('diff')
  const patch = createTwoFilesPatch(name, `${name} of the data`, before, after, undefined, undefined, { maxEditLength })
  return patch === undefined
    ? `${name}: more than ${maxEditLength} lines differ`
    : patch.slice(patch.indexOf('---')).trimEnd()
}
