import { createWriteStream } from 'node:fs'
import { finished } from 'node:stream/promises'

/** Writes a CSV file of 12 columns: ints, floats, texts of few and of many values, the same each time. */
export async function writeRows(path: string, rows: number): Promise<void> {
  const stream = createWriteStream(path)
  const names = Array.from({ length: 12 }, (_, index) => `c${index}`)
  let text = `${names.join(',')}\n`
  for (let row = 0; row < rows; row++) {
    const h = Math.imul(row ^ 0x9e3779b9, 0x85ebca6b) >>> 0
    const cells = [
      row,
      h % 1000,
      h,
      h % 7,
      (h / 4096).toFixed(3),
      (h % 999) / 8,
      row / 4,
      (h % 31) / 10,
      `city ${h % 500}`,
      `code-${h % 90}`,
      ['red', 'green', 'blue'][h % 3],
      `u${h}`,
    ]
    text += `${cells.join(',')}\n`
    if (text.length > 1 << 20) {
      if (!stream.write(text)) await new Promise((resolve) => stream.once('drain', () => resolve(undefined)))
      text = ''
    }
  }
  stream.end(text)
  await finished(stream)
}
