/** A list of doubles that grows, 8 bytes each. */
export class GrowingDoubles {
  private values = new Float64Array(1024)
  length = 0

  push(value: number): void {
    if (this.length === this.values.length) {
      const larger = new Float64Array(this.values.length * 2)
      larger.set(this.values)
      this.values = larger
    }
    this.values[this.length++] = value
  }

  /** The values so far, without a copy. */
  view(): Float64Array {
    return this.values.subarray(0, this.length)
  }
}
