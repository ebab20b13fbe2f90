import { gzipSync } from 'node:zlib'
// @ts-expect-error: the package has no types
import { PNG } from 'pngjs'

/** Files for datasources of every shape in `eachFormat`, by their paths. */
export function filesOfEachFormat(): { readonly [path: string]: Buffer } {
  const text = (content: string): Buffer => Buffer.from(content)
  return {
    'tables/2023/b.csv': text('id,name\n3,eve\n'),
    'tables/2024/a.csv': text('id,name\n4,joe\n'),
    'tables/2024/z.csv.gz': gzipSync('id,name\n5,ida\n'),
    'tables/ü.csv': text('id,name\n6,kai\n'),
    'tables/a b+c%2F.csv': text('id,name\n1,ada\n'),
    'tables/notes.txt': text('no table'),
    'tables/.hidden.csv': text('id,name\n9,nobody\n'),
    'notes/one.md': text('first\n\nsecond\n'),
    'notes/deep/two.txt': text('third\n'),
    'shapes/circle/1.png': image(1),
    'shapes/circle/2.png': image(2),
    'shapes/square/1.png': image(3),
    'shapes/square/labels.csv': text('path,label\n1.png,7\n'),
  }
}

/** Name, path below the folder of the files, and format. */
export const eachFormat: readonly (readonly [string, string, string])[] = [
  ['tables', 'tables/', 'format: csv'],
  ['some', 'tables/*/*.csv', 'format: csv'],
  ['one', 'tables/2024/a.csv', 'format: csv'],
  ['notes', 'notes/', 'format: text, options: { rows: paragraph }'],
  ['marked', '{notes,tables}/**/*.{md,txt}', 'format: text'],
  ['shapes', 'shapes/', 'format: image'],
  ['labelled', 'shapes/square/', 'format: image, options: { labels: labels.csv }'],
]

function image(shade: number): Buffer {
  const png = new PNG({ width: 2, height: 2 })
  png.data.fill(shade)
  return PNG.sync.write(png)
}
