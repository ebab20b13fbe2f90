import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import type { JsonObject } from '../../src/base/json.ts'
import { runStep } from '../../src/define/run-step.ts'
import { batchOf, createExamplesWriter, openExamples } from '../../src/formats/examples.ts'
import { TransformGraph, type TransformGraphData } from '../../src/formats/transform-graph.ts'
import { preprocess } from '../../src/steps/preprocess.ts'
import { applyTransform, transformWidth } from '../../src/steps/transform.ts'
import type { TokensRequest } from '../../src/steps/transforms/token-ids.ts'
import { learnMerges } from '../../src/steps/transforms/train-merges.ts'
import { temporary } from '../formats/temporary.ts'
import { examplesOf } from './written-examples.ts'

const texts = ['The cat sat.', 'the cats sat on THE mat', 'a cat, a hat & a mat!', 'naïve café ☕ 東京', 'sat sat sat']

async function fit(request: Omit<TokensRequest, 'transform'>, given: readonly string[] = texts) {
  const examples = await examplesOf({ train: given.map((text, row) => ({ text, y: row % 2 })) }, { text: 'bytes' })
  const parameters = { label: 'y', features: { text: { transform: 'tokens' as const, ...request } } }
  await using trial = await runStep(preprocess, { inputs: { examples }, parameters })
  return trial.outputs.transform
}

function tokenizerOf({ features }: TransformGraphData): JsonObject {
  const { transform } = features[0]!
  if (transform.kind !== 'tokens') throw new Error('no tokens')
  return transform.tokenizer
}

function vocabOf(graph: TransformGraphData): { [token: string]: number } {
  return (tokenizerOf(graph)['model'] as { vocab: { [token: string]: number } }).vocab
}

function idsOf(graph: TransformGraphData, text: string): number[] {
  return [...applyTransform(graph, batchOf([{ text }], { text: 'bytes' }), { labels: false }).features]
}

/** The tokens themselves, without padding. */
function tokensOf(graph: TransformGraphData, text: string): string[] {
  const names = new Map(Object.entries(vocabOf(graph)).map(([token, id]) => [id, token]))
  return idsOf(graph, text)
    .filter((id) => id !== 0)
    .map((id) => names.get(id)!)
}

/** Byte-pair encoding as its paper writes it: all pairs are counted anew for each merge. */
function learnPlainly(words: { tokens: string[]; count: number }[], first: string[], size: number, least: number) {
  const tokens = [...first]
  const merges: [string, string][] = []
  let parts = words.map(({ tokens: own, count }) => ({ own, count }))
  while (tokens.length < size) {
    const counts = new Map<string, number>()
    for (const { own, count } of parts)
      for (let at = 0; at + 1 < own.length; at++) {
        const pair = `${own[at]}\0${own[at + 1]}`
        counts.set(pair, (counts.get(pair) ?? 0) + count)
      }
    const order = [...counts].sort(([a, left], [b, right]) => {
      const [a0, a1] = a.split('\0').map((token) => tokens.indexOf(token))
      const [b0, b1] = b.split('\0').map((token) => tokens.indexOf(token))
      return right - left || a0! - b0! || a1! - b1!
    })
    if (order[0] === undefined || order[0][1] < least) break
    const [left, right] = order[0][0].split('\0') as [string, string]
    merges.push([left, right])
    if (!tokens.includes(left + right)) tokens.push(left + right)
    parts = parts.map(({ own, count }) => {
      const next: string[] = []
      for (let at = 0; at < own.length; at++)
        if (own[at] === left && own[at + 1] === right) {
          next.push(left + right)
          at++
        } else next.push(own[at]!)
      return { own: next, count }
    })
  }
  return { tokens: tokens.slice(first.length), merges }
}

describe('merges', () => {
  it('are those of the example of Sennrich and others: es, est, lo, low', () => {
    const words = Object.entries({ low: 5, lower: 2, newest: 6, widest: 3 }).map(([word, count]) => ({
      tokens: [...word],
      count,
    }))
    const tokens = [...new Set(words.flatMap((word) => word.tokens))].sort()
    const { merges } = learnMerges({ words, tokens, vocabSize: tokens.length + 4, minFrequency: 1, prefix: '' })
    // es, st and est stand nine times alike: es has the lesser ids. lo and ow stand seven times alike.
    expect(merges).toEqual([
      ['e', 's'],
      ['es', 't'],
      ['l', 'o'],
      ['lo', 'w'],
    ])
  })

  it('are the same as where all pairs are counted anew for each', () => {
    const word = fc.record({
      tokens: fc.array(fc.constantFrom('a', 'b', 'c'), { minLength: 1, maxLength: 9 }),
      count: fc.integer({ min: 1, max: 4 }),
    })
    fc.assert(
      fc.property(fc.array(word, { maxLength: 9 }), fc.integer({ min: 3, max: 20 }), (words, vocabSize) => {
        const tokens = ['a', 'b', 'c']
        expect(learnMerges({ words, tokens, vocabSize, minFrequency: 2, prefix: '' })).toEqual(
          learnPlainly(words, tokens, vocabSize, 2),
        )
      }),
      { numRuns: 300 },
    )
  })

  it('leave out the prefix in the middle of a token', () => {
    const words = [{ tokens: ['a', '##b', '##c'], count: 3 }]
    expect(
      learnMerges({ words, tokens: ['a', '##b', '##c'], vocabSize: 9, minFrequency: 1, prefix: '##' }).tokens,
    ).toEqual(['ab', 'abc'])
  })
})

describe('tokens', () => {
  it('of byte-pair encoding know every text, and say it again without loss', async () => {
    const graph = await fit({ vocabSize: 300, length: 400, lowercase: false })
    expect(Object.keys(vocabOf(graph)).length).toBeLessThanOrEqual(300)
    const { Tokenizer } = await import('@huggingface/tokenizers')
    const tokenizer = new Tokenizer(tokenizerOf(graph), {})
    fc.assert(
      fc.property(fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 }), (text) => {
        const ids = idsOf(graph, text).filter((id) => id !== 0)
        const said = ids.length === 0 ? '' : tokenizer.decode(ids, { clean_up_tokenization_spaces: false })
        expect(said).toBe(text.normalize('NFKC'))
      }),
      { numRuns: 200 },
    )
  })

  it('of byte-pair encoding begin with padding and the 256 bytes, and frequent words are one', async () => {
    const graph = await fit({})
    expect(vocabOf(graph)['[PAD]']).toBe(0)
    expect(tokensOf(graph, 'sat on a CAT')).toEqual(['sat', 'Ġ', 'o', 'n', 'Ġa', 'Ġcat'])
    expect(Object.values(vocabOf(graph)).sort((a, b) => a - b)).toEqual(
      Array.from({ length: Object.keys(vocabOf(graph)).length }, (_, id) => id),
    )
  })

  it('of WordPiece are the longest pieces, and an unknown word is one unknown token', async () => {
    const graph = await fit({ algorithm: 'wordpiece' })
    expect(tokensOf(graph, 'The cat hats')).toEqual(['the', 'cat', 'h', '##at', '##s'])
    expect(tokensOf(graph, 'zebra cat')).toEqual(['[UNK]', 'cat'])
    expect(tokensOf(graph, `${'sat'.repeat(40)} mat`)).toEqual(['[UNK]', 'mat'])
  })

  it('are cut and padded to the length, and of several texts follow each other', async () => {
    const graph = await fit({ length: 3, vocabSize: 500 })
    expect(transformWidth(graph)).toBe(3)
    const { sat } = vocabOf(graph)
    expect(idsOf(graph, 'sat')).toEqual([sat, 0, 0])
    expect(idsOf(graph, 'sat sat sat sat sat')).toHaveLength(3)
    const two = applyTransform(graph, batchOf([{ text: ['sat', 'sat'] }], { text: 'bytes' }), { labels: false })
    expect([...two.features]).toEqual([sat, sat, 0])
    const none = applyTransform(graph, batchOf([{ text: [] }], { text: 'bytes' }), { labels: false })
    expect([...none.features]).toEqual([0, 0, 0])
  })

  it('keep special tokens whole, and do not learn from them', async () => {
    const given = ['see <url> now', 'see <url> then', '<url><url>']
    for (const algorithm of ['bpe', 'wordpiece'] as const) {
      const graph = await fit({ algorithm, specialTokens: ['<url>'], length: 9 }, given)
      expect(tokensOf(graph, 'x<url>')).toContain('<url>')
      expect(Object.keys(vocabOf(graph)).filter((token) => token.includes('rl'))).toEqual(['<url>'])
    }
  })

  it('and their tokenizer are the same however the rows are cut into batches', async () => {
    const rows = Array.from({ length: 60 }, (_, row) => ({ text: `${texts[row % 5]} ${row}`, y: row % 2 }))
    const graphs: TransformGraphData[] = []
    for (const size of [1, 7, 60]) {
      const place = temporary()
      const writer = await createExamplesWriter(place)
      for (let from = 0; from < rows.length; from += size)
        await writer.write('train', batchOf(rows.slice(from, from + size), { text: 'bytes' }))
      await writer.finish()
      const parameters = { label: 'y', features: { text: { transform: 'tokens' as const } } }
      const inputs = { examples: await openExamples(place) }
      await using trial = await runStep(preprocess, { inputs, parameters })
      graphs.push(trial.outputs.transform)
    }
    expect(graphs[1]).toEqual(graphs[0])
    expect(graphs[2]).toEqual(graphs[0])
  })

  it('are the same by the artifact as by the graph in memory', async () => {
    const graph = await fit({ length: 12 }, [...texts, '__proto__ constructor __proto__ constructor'])
    const place = temporary()
    await TransformGraph.materializer.save(graph, place)
    const loaded = await TransformGraph.materializer.load(place)
    expect(loaded).toEqual(graph)
    for (const text of [...texts, '__proto__']) expect(idsOf(loaded, text)).toEqual(idsOf(graph, text))
  })

  it('need room for their letters, and a tokenizer that can be read', async () => {
    await expect(fit({ vocabSize: 100 })).rejects.toMatchObject({ code: 'ZEN_PREPROCESS_FEATURE' })
    const graph = await fit({})
    const broken = {
      ...graph,
      features: [{ name: 'text', transform: { kind: 'tokens' as const, length: 3, tokenizer: { model: {} } } }],
    }
    expect(() => idsOf(broken, 'sat')).toThrow(expect.objectContaining({ code: 'ZEN_TRANSFORM_TOKENIZER' }))
  })
})
