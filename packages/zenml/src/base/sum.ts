/** Adds numbers with the rounding error of each addition kept (Neumaier, 1974): the order still decides, but far less. */
export class Sum {
  private total = 0
  private rest = 0

  add(value: number): void {
    const next = this.total + value
    this.rest += Math.abs(this.total) >= Math.abs(value) ? this.total - next + value : value - next + this.total
    this.total = next
  }

  /** Where the total is infinite, or no number, so is the sum: errors of such additions are not kept. */
  value(): number {
    return Number.isFinite(this.total) ? this.total + this.rest : this.total
  }
}
