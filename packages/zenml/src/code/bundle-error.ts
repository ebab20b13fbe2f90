import type { Location, Message } from 'esbuild'
import type { ErrorCode } from '../base/errors.ts'
import { ZenmlError } from '../base/errors.ts'
import { didYouMean } from '../base/nearest.ts'
import type { SourceTree } from './source-tree.ts'

/** What our own plugin adds to a message of the bundler. */
interface Detail {
  readonly code: ErrorCode
  readonly next?: string
  readonly file?: string
}

/**
 * Turns what stopped the bundler into an error with a code, the file, line and column, and a next action. Anything else is
 * returned as it is.
 */
export async function bundleError(
  tree: SourceTree,
  error: unknown,
  exportsOf: (file: string) => Promise<readonly string[]>,
): Promise<unknown> {
  const messages = (error as { errors?: Message[] }).errors
  const first = messages?.toSorted(byPlace)[0]
  if (first === undefined) return error
  if (first.detail instanceof Error) return first.detail
  const more = messages!.length > 1 ? ` (and ${messages!.length - 1} more)` : ''
  const facts = {
    problems: messages!
      .toSorted(byPlace)
      .map((message) => ({ place: placeOf(message.location) ?? '', message: message.text })),
  }
  const missing = /^No matching export in "([^"]+)" for import "([^"]+)"$/.exec(first.text)
  if (missing !== null) {
    const [, file, name] = missing as unknown as [string, string, string]
    const known = await exportsOf(tree.path(file))
    const place = first.location === null || first.location.file === entryFile ? '' : `${placeOf(first.location)}: `
    return new ZenmlError(
      'ZEN_STEP_EXPORT_MISSING',
      `${place}${file} has no export "${name}".${didYouMean(name, known)}`,
      {
        facts: { file, export: name, exports: [...known] },
        next: known.length === 0 ? 'Export it with "export const".' : `It exports ${known.slice(0, 20).join(', ')}.`,
      },
    )
  }
  const detail = first.detail as Detail | undefined
  const place = placeOf(first.location) ?? detail?.file
  return new ZenmlError(
    detail?.code ?? 'ZEN_CODE_SYNTAX',
    `${place === undefined ? '' : `${place}: `}${first.text}${more}`,
    {
      facts,
      next: detail?.next ?? 'Correct it.',
    },
  )
}

const entryFile = 'zenml-entry.js'

function placeOf(location: Location | null): string | undefined {
  return location === null || location.file === entryFile
    ? undefined
    : `${location.file}:${location.line}:${location.column + 1}`
}

function byPlace(a: Message, b: Message): number {
  const [left, right] = [a.location, b.location]
  if (left === null || right === null) return left === right ? 0 : left === null ? 1 : -1
  if (left.file !== right.file) return left.file < right.file ? -1 : 1
  return left.line - right.line || left.column - right.column
}
