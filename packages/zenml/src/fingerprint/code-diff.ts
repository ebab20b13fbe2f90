import type { BundleLine } from './bundle-lines.ts'

/** One of two versions of a file. */
export interface DiffSide {
  /** What of it counts; empty where the version has no such file. */
  readonly lines: readonly BundleLine[]
  /** The file's real lines, where they are at hand: shown instead of the generated ones. */
  readonly source: readonly string[] | undefined
}

/** Lines around a change. */
const context = 3
/** Lines of a diff at the most; a step that was rewritten is not told line by line. */
const longest = 400
/** Lines that may differ before all are taken as replaced: the search for the smallest difference is quadratic in them. */
const mostEdits = 4_000

type Operation = {
  readonly kind: ' ' | '-' | '+'
  readonly before: BundleLine | undefined
  readonly after: BundleLine | undefined
}

/**
 * A unified diff between what two bundles hold of a file, in the file's own lines; undefined where nothing that counts differs. A
 * hunk holds neighbouring lines only, so its numbers are those of the two files although comments between are left out.
 */
export async function diffBundleLines(path: string, before: DiffSide, after: DiffSide): Promise<string | undefined> {
  const operations = await compareLines(before, after, coreOf)
  // Where nothing but closing marks differs, these are the change.
  const told = changes(operations) ? operations : await compareLines(before, after, ({ text }) => text)
  return changes(told) ? print(path, told, before, after) : undefined
}

/** A unified diff between two texts; undefined where they are equal. `undefined` stands for a file that is not there. */
export async function diffTexts(
  path: string,
  before: string | undefined,
  after: string | undefined,
): Promise<string | undefined> {
  const side = (text: string | undefined): DiffSide => {
    const source = text === undefined ? [] : linesOf(text)
    return { lines: source.map((line, index) => ({ line: index + 1, text: line })), source }
  }
  const [left, right] = [side(before), side(after)]
  const operations = await align(left.lines, right.lines, ({ text }) => text)
  return changes(operations) ? print(path, operations, left, right) : undefined
}

/** The lines of a text, whatever ends them; the last end starts no line. */
export function linesOf(text: string): string[] {
  const lines = text.split(/\r?\n/)
  if (lines.at(-1) === '') lines.pop()
  return lines
}

/** Closing marks belong to the line before in one version and to none in the other when a line is added at the end of a block. */
function coreOf({ text }: BundleLine): string {
  return text.replace(/[;,})\]]+$/, '')
}

/**
 * Compares the lines that say something. Lines of nothing but closing marks follow the line before them: aligned by themselves,
 * the end of one block would be taken for that of another.
 */
async function compareLines(
  before: DiffSide,
  after: DiffSide,
  keyOf: (line: BundleLine) => string,
): Promise<Operation[]> {
  const [left, right] = [before, after].map(({ lines }) => foldClosers(lines, keyOf))
  const operations = await align(left!.lines, right!.lines, keyOf)
  const kept: Operation[] = []
  let open: Closers = [[], []]
  for (let at = 0; at < operations.length; ) {
    const operation = operations[at]!
    if (operation.kind === ' ') {
      kept.push(operation)
      open = balance(kept, [left!.closers.get(operation.before!) ?? [], right!.closers.get(operation.after!) ?? []])
      at++
      continue
    }
    const block: Operation[] = []
    while (at < operations.length && operations[at]!.kind !== ' ') block.push(operations[at++]!)
    const removed = block.flatMap(({ before: line }) => line ?? [])
    const added = block.flatMap(({ after: line }) => line ?? [])
    const [gone, come] = reduce(removed, added, before, after, keyOf)
    const ends = [ending(gone, left!.closers), ending(come, right!.closers)] as const
    const closing: Closers = [
      [...open[0], ...ends[0].closers],
      [...open[1], ...ends[1].closers],
    ]
    const shared = Math.min(closing[0].length, closing[1].length)
    // What one version closes and the other does not goes with its lines; what both close stays as it is.
    const own = (lines: readonly BundleLine[], closers: readonly BundleLine[]): readonly BundleLine[] =>
      lines.length === 0 ? [] : [...lines, ...closers.slice(0, closers.length - shared)]
    kept.push(
      ...own(ends[0].lines, closing[0]).map((line): Operation => ({ kind: '-', before: line, after: undefined })),
      ...own(ends[1].lines, closing[1]).map((line): Operation => ({ kind: '+', before: undefined, after: line })),
    )
    if (gone.length > 0 || come.length > 0)
      balance(kept, [closing[0].slice(closing[0].length - shared), closing[1].slice(closing[1].length - shared)])
    open = [[], []]
  }
  return kept
}

/** Closing lines of the two versions that are not told yet. */
type Closers = readonly [before: readonly BundleLine[], after: readonly BundleLine[]]

/** Adds the closing lines that both have, and gives back what only one has. */
function balance(kept: Operation[], [before, after]: Closers): Closers {
  const shared = Math.min(before.length, after.length)
  for (let at = 0; at < shared; at++) kept.push({ kind: ' ', before: before[at], after: after[at] })
  return [before.slice(shared), after.slice(shared)]
}

/** Changed lines with the closing lines between them, and the closing lines behind the last. */
function ending(
  lines: readonly BundleLine[],
  closers: ReadonlyMap<BundleLine, readonly BundleLine[]>,
): { readonly lines: readonly BundleLine[]; readonly closers: readonly BundleLine[] } {
  const last = lines.at(-1)
  if (last === undefined) return { lines: [], closers: [] }
  const inner = lines.slice(0, -1).flatMap((line) => [line, ...(closers.get(line) ?? [])])
  return { lines: [...inner, last], closers: closers.get(last) ?? [] }
}

function foldClosers(
  lines: readonly BundleLine[],
  keyOf: (line: BundleLine) => string,
): { readonly lines: readonly BundleLine[]; readonly closers: ReadonlyMap<BundleLine, readonly BundleLine[]> } {
  const saying: BundleLine[] = []
  const closers = new Map<BundleLine, BundleLine[]>()
  for (const line of lines) {
    const last = saying.at(-1)
    if (keyOf(line) !== '') saying.push(line)
    else if (last !== undefined) closers.set(last, [...(closers.get(last) ?? []), line])
  }
  return { lines: saying, closers }
}

/** Takes off both ends of a changed block what is only broken into lines otherwise, and the block where its source is the same. */
function reduce(
  removed: readonly BundleLine[],
  added: readonly BundleLine[],
  before: DiffSide,
  after: DiffSide,
  keyOf: (line: BundleLine) => string,
): readonly [removed: readonly BundleLine[], added: readonly BundleLine[]] {
  const [first, second] = [sourceOf(removed, before), sourceOf(added, after)]
  // The bundler wrapped or named it otherwise, because of another file.
  if (first !== undefined && first === second && first !== '') return [[], []]
  const front = equalEnd(removed, added, keyOf)
  const [left, right] = [removed.slice(front[0]), added.slice(front[1])]
  const back = equalEnd([...left].reverse(), [...right].reverse(), keyOf, true)
  return [left.slice(0, left.length - back[0]), right.slice(0, right.length - back[1])]
}

function sourceOf(lines: readonly BundleLine[], { source }: DiffSide): string | undefined {
  return source === undefined ? undefined : lines.map(({ line }) => (source[line - 1] ?? '').trim()).join('\n')
}

/** How many lines from one end of two blocks say the same, wherever they are broken. */
function equalEnd(
  left: readonly BundleLine[],
  right: readonly BundleLine[],
  keyOf: (line: BundleLine) => string,
  backwards = false,
): readonly [left: number, right: number] {
  let best: readonly [number, number] = [0, 0]
  let [i, j] = [0, 0]
  let [a, b] = ['', '']
  const join = (text: string, line: BundleLine): string => (backwards ? line.text + text : text + line.text)
  const matches = (): boolean => keyOf({ line: 0, text: a }) === keyOf({ line: 0, text: b })
  while (i < left.length || j < right.length) {
    if (i < left.length && (a.length <= b.length || j === right.length)) a = join(a, left[i++]!)
    else b = join(b, right[j++]!)
    if (i > 0 && j > 0 && matches()) best = [i, j]
    else if (Math.min(a.length, b.length) > 0 && !overlap(a, b, backwards)) break
  }
  return best
}

/** Whether one text goes on where the other ends; a few closing marks may differ. */
function overlap(a: string, b: string, backwards: boolean): boolean {
  const length = Math.max(0, Math.min(a.length, b.length) - 4)
  return backwards
    ? a.slice(a.length - length) === b.slice(b.length - length)
    : a.slice(0, length) === b.slice(0, length)
}

async function align(
  before: readonly BundleLine[],
  after: readonly BundleLine[],
  keyOf: (line: BundleLine) => string,
): Promise<Operation[]> {
  const { diffArrays } = await import('diff')
  const [left, right] = [before.map(keyOf), after.map(keyOf)]
  const parts = diffArrays(left, right, { maxEditLength: mostEdits }) ?? [
    { removed: true, added: false, count: left.length },
    { removed: false, added: true, count: right.length },
  ]
  const operations: Operation[] = []
  let [i, j] = [0, 0]
  for (const { removed, added, count } of parts) {
    for (let taken = 0; taken < count; taken++) {
      if (removed) operations.push({ kind: '-', before: before[i++], after: undefined })
      else if (added) operations.push({ kind: '+', before: undefined, after: after[j++] })
      else operations.push({ kind: ' ', before: before[i++], after: after[j++] })
    }
  }
  return operations
}

function changes(operations: readonly Operation[]): boolean {
  return operations.some(({ kind }) => kind !== ' ')
}

function print(path: string, operations: readonly Operation[], before: DiffSide, after: DiffSide): string {
  const near = operations.map((_, at) =>
    operations.slice(Math.max(0, at - context), at + context + 1).some(({ kind }) => kind !== ' '),
  )
  const hunks: Operation[][] = []
  let [lastBefore, lastAfter] = [0, 0]
  for (const [at, operation] of operations.entries()) {
    if (near[at] !== true) continue
    const skips =
      (operation.before !== undefined && lastBefore > 0 && operation.before.line !== lastBefore + 1) ||
      (operation.after !== undefined && lastAfter > 0 && operation.after.line !== lastAfter + 1)
    if (hunks.length === 0 || near[at - 1] !== true || skips) {
      hunks.push([])
      ;[lastBefore, lastAfter] = [0, 0]
    }
    hunks.at(-1)!.push(operation)
    lastBefore = operation.before?.line ?? lastBefore
    lastAfter = operation.after?.line ?? lastAfter
  }
  const changed = hunks.filter(changes)
  const lines = changed.flatMap((hunk) => [
    headerOf(hunk),
    ...hunk.map((operation) => lineOf(operation, before, after)),
  ])
  const shown = lines.length > longest ? [...lines.slice(0, longest), `… ${lines.length - longest} more lines`] : lines
  const [from, to] = [before, after].map(({ lines: own }) => (own.length === 0 ? '/dev/null' : path))
  return [`--- ${from}`, `+++ ${to}`, ...shown].join('\n')
}

function headerOf(hunk: readonly Operation[]): string {
  const range = (lines: readonly BundleLine[]): string =>
    lines.length === 1 ? String(lines[0]!.line) : `${lines[0]?.line ?? 0},${lines.length}`
  return `@@ -${range(hunk.flatMap(({ before }) => before ?? []))} +${range(hunk.flatMap(({ after }) => after ?? []))} @@`
}

function lineOf({ kind, before, after }: Operation, left: DiffSide, right: DiffSide): string {
  const [line, side] = after === undefined ? [before!, left] : [after, right]
  return `${kind}${side.source?.[line.line - 1] ?? line.text}`
}
