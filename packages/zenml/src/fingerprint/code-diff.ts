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
/** Characters of a line that are shown: data and generated code may stand in one line. */
const widest = 1_000
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
  let end = text.length
  while (end > 0 && ';,})]'.includes(text[end - 1]!)) end--
  return text.slice(0, end)
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
    for (const line of own(ends[0].lines, closing[0])) kept.push({ kind: '-', before: line, after: undefined })
    for (const line of own(ends[1].lines, closing[1])) kept.push({ kind: '+', before: undefined, after: line })
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
  const front = equalStart(blockOf(removed, keyOf), blockOf(added, keyOf))
  const [left, right] = [removed.slice(front[0]), added.slice(front[1])]
  const back = equalEnd(blockOf(left, keyOf), blockOf(right, keyOf))
  return [left.slice(0, left.length - back[0]), right.slice(0, right.length - back[1])]
}

function sourceOf(lines: readonly BundleLine[], { source }: DiffSide): string | undefined {
  return source === undefined ? undefined : lines.map(({ line }) => (source[line - 1] ?? '').trim()).join('\n')
}

/** How many lines from the start of two blocks say the same, wherever they are broken. Linear in their texts. */
function equalStart(left: Block, right: Block): readonly [left: number, right: number] {
  let same = 0
  const most = Math.min(left.text.length, right.text.length)
  while (same < most && left.text[same] === right.text[same]) same++
  return furthest(left.cores, right.cores, same)
}

/** The same from the end. */
function equalEnd(left: Block, right: Block): readonly [left: number, right: number] {
  const [a, b] = [left.cores.at(-1) ?? 0, right.cores.at(-1) ?? 0]
  let same = 0
  while (same < Math.min(a, b) && left.text[a - 1 - same] === right.text[b - 1 - same]) same++
  const lengths = (starts: readonly number[], end: number): number[] => starts.map((start) => end - start).reverse()
  return furthest(lengths(left.starts, a), lengths(right.starts, b), same)
}

/** The most lines of two blocks that are equally long and not longer than what is the same. Lengths grow with the lines. */
function furthest(left: readonly number[], right: readonly number[], same: number): readonly [number, number] {
  let [i, j] = [left.length, right.length]
  while (i > 0 && j > 0) {
    const [a, b] = [left[i - 1]!, right[j - 1]!]
    if (a === b && a <= same) return [i, j]
    if (a >= b) i--
    else j--
  }
  return [0, 0]
}

/** Neighbouring lines as one text. */
interface Block {
  readonly text: string
  /** Where each line starts. */
  readonly starts: readonly number[]
  /** How long the text is up to the end of each line, without what does not count at that end. */
  readonly cores: readonly number[]
}

function blockOf(lines: readonly BundleLine[], keyOf: (line: BundleLine) => string): Block {
  const starts: number[] = []
  const cores: number[] = []
  let length = 0
  for (const line of lines) {
    const core = keyOf(line).length
    starts.push(length)
    cores.push(core === 0 ? (cores.at(-1) ?? 0) : length + core)
    length += line.text.length
  }
  return { text: lines.map(({ text }) => text).join(''), starts, cores }
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
  const name = /\p{Cc}/u.test(path) ? JSON.stringify(path) : path
  const [from, to] = [before, after].map(({ lines: own }) => (own.length === 0 ? '/dev/null' : name))
  return [`--- ${from}`, `+++ ${to}`, ...shown].join('\n')
}

function headerOf(hunk: readonly Operation[]): string {
  const range = (lines: readonly BundleLine[]): string =>
    lines.length === 1 ? String(lines[0]!.line) : `${lines[0]?.line ?? 0},${lines.length}`
  return `@@ -${range(hunk.flatMap(({ before }) => before ?? []))} +${range(hunk.flatMap(({ after }) => after ?? []))} @@`
}

function lineOf({ kind, before, after }: Operation, left: DiffSide, right: DiffSide): string {
  const [line, side] = after === undefined ? [before!, left] : [after, right]
  const text = side.source?.[line.line - 1] ?? line.text
  return `${kind}${text.length > widest ? `${text.slice(0, widest)}… ${text.length - widest} more characters` : text}`
}
