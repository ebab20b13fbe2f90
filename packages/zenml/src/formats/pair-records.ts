import { frameFooter, frameHeader, type RecordBlock } from './tfrecord.ts'

/** A block of records and the file that it is of. */
export interface FileBlock {
  readonly block: RecordBlock
  readonly file: string
}

/** Records of one side that lie side by side: `block.starts[from]` to `block.ends[to - 1]`. */
export interface RecordRun extends FileBlock {
  readonly from: number
  readonly to: number
}

/** Takes the records that found no equal one beside them. */
export interface UnpairedRecords {
  /** Takes records. Their blocks are valid only during the call. */
  take(side: 0 | 1, run: RecordRun): void
  /** Takes records and says of each whether an equal one of the other side was waiting, asked one by one: those that are not asked for are not taken. */
  takeEach(side: 0 | 1, run: RecordRun): Iterator<boolean, void, undefined>
}

/** How far it is looked for the place from which two sides go on alike. */
const lookahead = 32

/** Records taken at once where there is no such place. */
const chunkRecords = 512

/**
 * Sets equal records of two streams off against each other where they stand in the same order, and hands on the others. What is handed on
 * is the difference of both and, where the order differs or one side has much that the other lacks, also equal records of both. Records are
 * equal where all bytes are; length and stored checksum only say where to look. Memory: a block of each side.
 *
 * With `paired` false every record is handed on, both sides abreast. Checksums of the data are not looked at: bytes that are equal are equal
 * rows whatever they are, and who takes the others checks them.
 */
export async function pairRecords(
  streams: readonly [AsyncIterator<FileBlock>, AsyncIterator<FileBlock>],
  unpaired: UnpairedRecords,
  { paired }: { readonly paired: boolean },
): Promise<void> {
  const sides = [new RecordCursor(streams[0]), new RecordCursor(streams[1])] as const
  const [left, right] = sides
  const take = (side: 0 | 1, count: number): void => {
    if (count > 0) unpaired.take(side, sides[side].next(count))
  }
  /** The side whose records have mostly been waited for: it goes on alone until it has caught up. */
  let behind: 0 | 1 | undefined
  while ((await left.more()) && (await right.more())) {
    if (paired) {
      const equal = equalRecords(left, right)
      if (equal > 0) {
        left.next(equal)
        right.next(equal)
        behind = undefined
        continue
      }
      const places = placesAlike(left, right)
      if (places !== undefined) {
        take(0, places[0])
        take(1, places[1])
        continue
      }
    }
    const side: 0 | 1 = behind ?? (left.taken <= right.taken ? 0 : 1)
    behind = takeChunk(side, sides, unpaired, paired) ? side : undefined
  }
  for (const side of [0, 1] as const) while (await sides[side].more()) take(side, sides[side].rest)
}

/** Takes records of one side alone; whether half of them had been waited for. */
function takeChunk(
  side: 0 | 1,
  sides: readonly [RecordCursor, RecordCursor],
  unpaired: UnpairedRecords,
  paired: boolean,
): boolean {
  const [own, other] = [sides[side], sides[side === 0 ? 1 : 0]]
  const count = Math.min(chunkRecords, own.rest)
  const each = unpaired.takeEach(side, own.run(count))
  let met = 0
  let taken = 0
  let before = false
  while (taken < count) {
    const found = each.next().value === true
    taken++
    if (found) met++
    else if (paired && before && alike(own, taken - 1, other, 0)) {
      // Caught up: this record is the other side's next one. Both are taken, and find each other.
      own.next(taken)
      unpaired.take(side === 0 ? 1 : 0, other.next(1))
      return false
    }
    before = found
  }
  own.next(taken)
  return met * 2 >= count
}

/** A stream of records read forward. */
class RecordCursor {
  block: RecordBlock | undefined
  /** The bytes of the block. */
  bytes: Buffer = Buffer.alloc(0)
  /** The next record of the block. */
  at = 0
  /** Records before it, of all blocks. */
  taken = 0
  private file = ''
  private readonly blocks: AsyncIterator<FileBlock>

  constructor(blocks: AsyncIterator<FileBlock>) {
    this.blocks = blocks
  }

  /** Whether there is a next record; gets the next block where it is needed. */
  async more(): Promise<boolean> {
    while (this.rest === 0) {
      const { done, value } = await this.blocks.next()
      if (done === true) return false
      const { bytes } = value.block
      this.block = value.block
      this.bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length)
      this.file = value.file
      this.at = 0
    }
    return true
  }

  /** Records of the block from the next one on. */
  get rest(): number {
    return this.block === undefined ? 0 : this.block.count - this.at
  }

  /** The next records, which stay the next ones. */
  run(count: number): RecordRun {
    return { block: this.block!, file: this.file, from: this.at, to: this.at + count }
  }

  /** The next records; the one after them is the next. */
  next(count: number): RecordRun {
    const run = this.run(count)
    this.at += count
    this.taken += count
    return run
  }
}

/** Whether two records have the same length and stored checksum. */
function alike(left: RecordCursor, ahead: number, right: RecordCursor, aheadRight: number): boolean {
  const [mine, yours] = [left.block!, right.block!]
  const [at, other] = [left.at + ahead, right.at + aheadRight]
  const [end, otherEnd] = [mine.ends[at]!, yours.ends[other]!]
  return (
    end - mine.starts[at]! === otherEnd - yours.starts[other]! &&
    mine.view.getInt32(end, true) === yours.view.getInt32(otherEnd, true)
  )
}

/** How many of the next records are equal, byte for byte. */
function equalRecords(left: RecordCursor, right: RecordCursor): number {
  const most = Math.min(left.rest, right.rest)
  let count = 0
  while (count < most && alike(left, count, right, count)) count++
  if (count === 0 || sameBytes(left, 0, right, 0, count)) return count
  // One of them is damaged, or two have the same checksum and are not equal.
  let proven = 0
  while (sameBytes(left, proven, right, proven, 1)) proven++
  return proven
}

function sameBytes(left: RecordCursor, ahead: number, right: RecordCursor, aheadRight: number, count: number): boolean {
  const [mine, yours] = [left.block!, right.block!]
  const [at, other] = [left.at + ahead, right.at + aheadRight]
  return (
    left.bytes.compare(
      right.bytes,
      yours.starts[other]! - frameHeader,
      yours.ends[other + count - 1]! + frameFooter,
      mine.starts[at]! - frameHeader,
      mine.ends[at + count - 1]! + frameFooter,
    ) === 0
  )
}

/** How many records of each side to step over until two of each are alike, the fewest; undefined where that is too far. */
function placesAlike(left: RecordCursor, right: RecordCursor): readonly [number, number] | undefined {
  const [most, mostRight] = [Math.min(lookahead, left.rest), Math.min(lookahead, right.rest)]
  for (let sum = 1; sum <= most + mostRight - 2; sum++) {
    for (let ahead = Math.max(0, sum - mostRight + 1); ahead <= sum && ahead < most; ahead++) {
      const other = sum - ahead
      if (!alike(left, ahead, right, other)) continue
      const isLast = ahead + 1 === left.rest || other + 1 === right.rest
      if (isLast || alike(left, ahead + 1, right, other + 1)) return [ahead, other]
    }
  }
  return undefined
}
