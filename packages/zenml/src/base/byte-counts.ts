import { isAscii, isUtf8 } from 'node:buffer'

/** Distinct values that are counted each. */
const mostEntries = 1 << 18
/** Bytes of distinct values. */
const mostBytes = 16 << 20

/**
 * Counts byte strings in bounded memory: exact up to 262,144 distinct values of 16 MiB together. Beyond that the rare ones are forgotten
 * (Misra and Gries, 1982, in the batched form of Anderson and others, 2017): counts are never overstated, and understated by at most
 * `understated`; how many distinct ones there are is estimated by HyperLogLog (Flajolet and others, 2007; estimator of Ertl, 2017) with
 * 16,384 registers, a standard error of 0.8 %. Hashes are fixed: the same values in the same order give the same result.
 *
 * @example
 * const counts = new ByteCounts()
 * counts.add(Uint8Array.of(97, 98, 97), 0, 1)
 * counts.distinct // 1
 */
export class ByteCounts {
  /** How much too small a count may be. */
  understated = 0
  private slots = new Int32Array(1 << 6)
  private size = 0
  private hashes = new Int32Array(1 << 5)
  private ends = new Uint32Array(1 << 5)
  private counts = new Float64Array(1 << 5)
  private bytes = new Uint8Array(1 << 8)
  private used = 0
  private estimate: HyperLogLog | undefined

  /** Counts `data[start .. end]`. */
  add(data: Uint8Array, start: number, end: number): void {
    let first = 0x811c9dc5
    let second = 0x2545f491
    for (let at = start; at < end; at++) {
      const byte = data[at]!
      first = Math.imul(first ^ byte, 0x01000193)
      second = Math.imul(second ^ byte, 0x5bd1e995) ^ (second >>> 15)
    }
    first = mix(first)
    if (this.estimate !== undefined) this.estimate.add(first, mix(second ^ first))
    const mask = this.slots.length - 1
    let slot = first & mask
    for (;;) {
      const entry = this.slots[slot]! - 1
      if (entry < 0) break
      if (this.hashes[entry] === first && this.equals(entry, data, start, end)) {
        this.counts[entry]!++
        return
      }
      slot = (slot + 1) & mask
    }
    this.insert(data, start, end, first, second)
  }

  private equals(entry: number, data: Uint8Array, start: number, end: number): boolean {
    const from = entry === 0 ? 0 : this.ends[entry - 1]!
    if (this.ends[entry]! - from !== end - start) return false
    for (let at = start; at < end; at++) if (this.bytes[from + at - start] !== data[at]) return false
    return true
  }

  private insert(data: Uint8Array, start: number, end: number, first: number, second: number): void {
    const length = end - start
    if (length > mostBytes) {
      // Not worth the memory of all others: counted as distinct, forgotten as a value.
      this.startEstimate()
      this.estimate!.add(first, mix(second ^ first))
      this.understated++
      return
    }
    if (this.size === mostEntries || this.used + length > mostBytes) {
      this.startEstimate()
      this.estimate!.add(first, mix(second ^ first))
      while (this.size > mostEntries >> 1 || this.used + length > mostBytes) this.forget()
    }
    if (this.size === this.ends.length) this.growEntries()
    if (this.used + length > this.bytes.length) {
      const larger = new Uint8Array(Math.min(mostBytes, Math.max(this.bytes.length * 2, this.used + length)))
      larger.set(this.bytes.subarray(0, this.used))
      this.bytes = larger
    }
    this.bytes.set(data.subarray(start, end), this.used)
    this.used += length
    const entry = this.size++
    this.ends[entry] = this.used
    this.hashes[entry] = first
    this.counts[entry] = 1
    if (this.size * 2 > this.slots.length) this.rehash(this.slots.length * 2)
    else this.place(entry)
  }

  /** From now on distinct values are estimated; those so far are put in. */
  private startEstimate(): void {
    if (this.estimate !== undefined) return
    this.estimate = new HyperLogLog()
    for (let entry = 0; entry < this.size; entry++) {
      const from = entry === 0 ? 0 : this.ends[entry - 1]!
      let second = 0x2545f491
      for (let at = from; at < this.ends[entry]!; at++)
        second = Math.imul(second ^ this.bytes[at]!, 0x5bd1e995) ^ (second >>> 15)
      this.estimate.add(this.hashes[entry]!, mix(second ^ this.hashes[entry]!))
    }
  }

  /** Takes the median of the counts from each and drops those that come to nothing: at least half of them. */
  private forget(): void {
    const median = this.counts.slice(0, this.size).sort()[this.size >> 1]!
    this.understated += median
    let kept = 0
    let used = 0
    let from = 0
    for (let entry = 0; entry < this.size; entry++) {
      const end = this.ends[entry]!
      const count = this.counts[entry]! - median
      if (count > 0) {
        this.bytes.copyWithin(used, from, end)
        used += end - from
        this.ends[kept] = used
        this.hashes[kept] = this.hashes[entry]!
        this.counts[kept++] = count
      }
      from = end
    }
    this.size = kept
    this.used = used
    this.rehash(this.slots.length)
  }

  private growEntries(): void {
    const length = this.ends.length * 2
    const [hashes, ends, counts] = [new Int32Array(length), new Uint32Array(length), new Float64Array(length)]
    hashes.set(this.hashes)
    ends.set(this.ends)
    counts.set(this.counts)
    Object.assign(this, { hashes, ends, counts })
  }

  private rehash(length: number): void {
    this.slots = new Int32Array(length)
    for (let entry = 0; entry < this.size; entry++) this.place(entry)
  }

  private place(entry: number): void {
    const mask = this.slots.length - 1
    let slot = this.hashes[entry]! & mask
    while (this.slots[slot] !== 0) slot = (slot + 1) & mask
    this.slots[slot] = entry + 1
  }

  /** Whether nothing was forgotten or estimated. */
  get isExact(): boolean {
    return this.estimate === undefined
  }

  /** Number of distinct values. */
  get distinct(): number {
    return this.estimate === undefined ? this.size : Math.max(this.size, this.estimate.value())
  }

  /** How many of the values counted are not UTF-8; as exact as the counts. */
  get invalidTexts(): number {
    if (isAscii(this.bytes.subarray(0, this.used))) return 0
    let count = 0
    for (let entry = 0; entry < this.size; entry++) if (!isUtf8(this.value(entry))) count += this.counts[entry]!
    return count
  }

  /** The accepted values that stand most often, the most frequent first; equal counts in the order of their bytes. */
  top(
    most: number,
    accept: (bytes: Uint8Array) => boolean = () => true,
  ): { readonly bytes: Uint8Array; readonly count: number }[] {
    const before = (a: number, b: number): number =>
      this.counts[b]! - this.counts[a]! || Buffer.compare(this.value(a), this.value(b))
    let best: number[] = []
    let worst = -1
    const cut = (): void => {
      best = best.sort(before).slice(0, most)
      worst = best.length === most ? best.at(-1)! : -1
    }
    for (let entry = 0; entry < this.size; entry++) {
      if ((worst >= 0 && before(worst, entry) < 0) || !accept(this.value(entry))) continue
      best.push(entry)
      if (best.length >= most * 4 + 64) cut()
    }
    cut()
    return best.map((entry) => ({ bytes: this.value(entry).slice(), count: this.counts[entry]! }))
  }

  private value(entry: number): Uint8Array {
    return this.bytes.subarray(entry === 0 ? 0 : this.ends[entry - 1]!, this.ends[entry]!)
  }
}

/** The finaliser of MurmurHash3. */
function mix(value: number): number {
  let hash = value
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b)
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35)
  return hash ^ (hash >>> 16)
}

const registerBits = 14
/** More than 32 where the second hash is 0; at 2^50 values that would matter, far from any count here. */
const greatestRank = 32 + (32 - registerBits) + 1

class HyperLogLog {
  private readonly registers = new Uint8Array(1 << registerBits)

  add(first: number, second: number): void {
    const register = first >>> (32 - registerBits)
    const rank = second === 0 ? 32 + Math.clz32(first << registerBits) + 1 : Math.clz32(second) + 1
    if (rank > this.registers[register]!) this.registers[register] = rank
  }

  /** Ertl's improved raw estimator, which unlike that of the paper is not 2 % too high around 43,000. */
  value(): number {
    const count = this.registers.length
    const ofRank = new Float64Array(greatestRank + 1)
    for (const rank of this.registers) ofRank[rank]!++
    let sum = 0
    for (let rank = greatestRank; rank >= 1; rank--) sum = (sum + ofRank[rank]!) / 2
    sum += count * emptyPart(ofRank[0]! / count)
    return Math.round((count * count) / (2 * Math.LN2 * sum))
  }
}

/** x + sum of x^(2^k) 2^(k - 1) for k from 1: sigma of the paper, for registers without a value. */
function emptyPart(part: number): number {
  if (part === 1) return Number.POSITIVE_INFINITY
  let power = part
  let weight = 1
  let sum = part
  for (let before = Number.NaN; before !== sum; weight *= 2) {
    before = sum
    power *= power
    sum += power * weight
  }
  return sum
}
