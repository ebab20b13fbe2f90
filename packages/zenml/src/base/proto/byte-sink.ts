/** Bytes that grow at the end. Writers take `bytes` and `view` into locals and fetch them again after `reserve`. */
export class ByteSink {
  bytes: Uint8Array
  view: DataView
  /** How many bytes are written. */
  length = 0

  constructor(capacity: number = 1 << 16) {
    this.bytes = new Uint8Array(capacity)
    this.view = new DataView(this.bytes.buffer)
  }

  /** Makes room for `more` bytes behind `at`; what lies before `at` stays. */
  reserve(at: number, more: number): void {
    if (at + more <= this.bytes.length) return
    const larger = new Uint8Array(Math.max(this.bytes.length * 2, at + more))
    larger.set(this.bytes.subarray(0, at))
    this.bytes = larger
    this.view = new DataView(larger.buffer)
  }
}

/** Bytes that a whole number from 0 to 2^32 - 1 takes as a base-128 varint. */
export function varintSize(value: number): number {
  return value < 0x80 ? 1 : value < 0x4000 ? 2 : value < 0x200000 ? 3 : value < 0x10000000 ? 4 : 5
}

/** Writes a whole number from 0 to 2^32 - 1 as a base-128 varint; returns the place after it. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let rest = value >>> 0
  let place = at
  while (rest > 0x7f) {
    bytes[place++] = (rest & 0x7f) | 0x80
    rest >>>= 7
  }
  bytes[place++] = rest
  return place
}
