import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { bundleStep } from '../../src/code/bundle.ts'
import { linesOfBundle } from '../../src/fingerprint/bundle-lines.ts'
import { type DiffSide, diffBundleLines, diffTexts, linesOf } from '../../src/fingerprint/code-diff.ts'
import { sdk, temporaryProject } from '../code/temporary-project.ts'

const step = (body: string, before = ''): string =>
  `import { step } from 'zenml'\nimport { help } from '../lib/help.ts'\n${before}\nexport const train = step({\n  run: () => {\n${body}\n  },\n})\nexport const other = step({ run: () => 7 })\n`

/** What the real bundler makes of a step, as one side of a diff of its module. */
async function side(module: string, { source = true } = {}): Promise<DiffSide> {
  const root = temporaryProject({
    ...sdk,
    'steps/train.ts': module,
    'lib/help.ts': 'const name = 1\nexport const help = name\n',
  })
  const { text, map } = await bundleStep({ root, source: 'steps/train.ts#train' })
  return { lines: linesOfBundle(text, map)!.get('steps/train.ts')!, source: source ? linesOf(module) : undefined }
}

const diff = async (before: string, after: string, options?: { source: boolean }): Promise<string | undefined> =>
  await diffBundleLines('steps/train.ts', await side(before, options), await side(after, options))

const body = '    const name = help\n    const list = [1, 2, 3]\n    return list.map((item) => item + name)'

describe('a diff between two bundles', () => {
  it.each([
    ['comments and blank lines', step(`    // why\n\n${body.replace('3]', '3] // three')}`, '/** Doc. */')],
    ['lines broken otherwise', step(body.replace('[1, 2, 3]', '[\n      1,\n      2,\n      3\n    ]'))],
    ['another step of the file', step(body).replace('=> 7', '=> 8')],
  ])('leaves out %s, with and without the sources', async (_name, after) => {
    expect(await diff(step(body), after)).toBeUndefined()
    expect(await diff(step(body), after, { source: false })).toBeUndefined()
  })

  it('leaves out what is only broken otherwise beside a change', async () => {
    const after = step(
      `    // moved\n${body.replace('[1, 2, 3]', '[\n      1,\n      2,\n      3\n    ]').replace('item + name', 'item - name')}`,
    )
    const told = await diff(step(body), after)
    expect(told!.split('\n').filter((line) => /^[-+][^-+]/.test(line))).toEqual([
      '-    return list.map((item) => item + name)',
      '+    return list.map((item) => item - name)',
    ])
  })

  it('shows one line where one is added at the end of a block', async () => {
    const plain = '    const name = help\n    console.log(name)'
    const told = await diff(step(plain), step(`${plain}\n    console.log(2)`))
    expect(told!.split('\n').filter((line) => /^[-+][^-+]/.test(line))).toEqual(['+    console.log(2)'])
  })

  it('shows a block that is added with its end, and keeps the ends that were there', async () => {
    const plain = '    const name = help\n    console.log(name)'
    const block = '    if (name > 1) {\n      console.log(2)\n    }'
    const told = await diff(step(plain), step(`${plain}\n${block}`))
    const changed = told!.split('\n').filter((line) => /^[-+][^-+]/.test(line))
    expect(changed.slice(0, 2)).toEqual(['+    if (name > 1) {', '+      console.log(2)'])
    expect(changed.slice(2).every((line) => line === '+    }')).toBe(true)
  })

  it('is not moved by a name that another module takes, without the sources either', async () => {
    const [before, after] = await Promise.all(
      ['const name = 1\nexport const help = name\n', 'export const help = 1\n'].map(async (help) => {
        const root = temporaryProject({ ...sdk, 'steps/train.ts': step(body), 'lib/help.ts': help })
        const { text, map } = await bundleStep({ root, source: 'steps/train.ts#train' })
        return { lines: linesOfBundle(text, map)!.get('steps/train.ts')!, source: undefined }
      }),
    )
    expect(await diffBundleLines('steps/train.ts', before!, after!)).toBeUndefined()
  })

  it('of data that was one line and is many takes time in its length, and prints no line of any length', async () => {
    const data = Array.from({ length: 20_000 }, (_, index) => `"key ${index}":[${index}],`)
    const sides = [[`var data={${data.join('')}};`], ['var data={', ...data, '"last":1};']].map(
      (lines): DiffSide => ({ lines: lines.map((text, index) => ({ line: index + 1, text })), source: undefined }),
    )
    expect(await diffBundleLines('data.ts', sides[0]!, sides[1]!)).toMatch(/@@\n\+"last":1\};$/)
    const [long, other] = ['a', 'b'].map((letter) => letter.repeat(1_000_000))
    expect((await diffTexts('long.txt', long, other))!.length).toBeLessThan(3_000)
  })

  it('refuses a source map that is none, and ends for any', () => {
    for (const map of [
      '',
      '{}',
      '{"mappings":"g","sources":[],"names":[]}',
      '{"mappings":"AAAA","sources":[1],"names":[]}',
    ])
      expect(linesOfBundle('text', map)).toBeUndefined()
    const letters = fc.string({ unit: fc.constantFrom(...'ABCDgh09+/,;'), maxLength: 30 })
    fc.assert(
      fc.property(letters, fc.string(), (mappings, text) => {
        linesOfBundle(text, JSON.stringify({ mappings, sources: ['a.ts'], names: ['n'] }))
      }),
    )
  })
})

describe('a diff between two texts', () => {
  it('is undefined exactly where their lines are equal, and holds the lines of both', async () => {
    const text = fc.array(fc.constantFrom('a', 'b', 'c', ''), { maxLength: 12 }).map((lines) => lines.join('\n'))
    await fc.assert(
      fc.asyncProperty(text, text, async (before, after) => {
        const told = await diffTexts('file', before, after)
        const [left, right] = [linesOf(before), linesOf(after)]
        expect(told === undefined).toBe(left.join('\n') === right.join('\n') && left.length === right.length)
        if (told === undefined) return
        // Applied to the first text, it gives the second.
        const result = [...left]
        let shift = 0
        for (const hunk of told.split(/^@@ /m).slice(1)) {
          const [, at, count = '1'] = /^-(\d+)(?:,(\d+))?/.exec(hunk)!
          const lines = hunk
            .split('\n')
            .slice(1)
            .filter((line) => line !== '')
          const kept = lines.filter((line) => line[0] !== '-').map((line) => line.slice(1))
          result.splice(Number(count) === 0 ? 0 : Number(at) - 1 + shift, Number(count), ...kept)
          shift += kept.length - Number(count)
        }
        expect(result).toEqual(right)
      }),
    )
  })

  it('stands against nothing where a file is new, and is cut where it is long', async () => {
    expect(await diffTexts('new.txt', undefined, 'a\n')).toBe('--- /dev/null\n+++ new.txt\n@@ -0,0 +1 @@\n+a')
    const long = await diffTexts('long.txt', undefined, 'x\n'.repeat(1_000))
    expect(long!.split('\n').at(-1)).toBe('… 601 more lines')
  })
})
