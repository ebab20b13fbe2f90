import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, it } from 'vitest'
import { runStep, seededRandom } from 'zenml'
import { batchOf, createExamplesWriter, type ExamplesReader, openExamples } from 'zenml/formats'
import { inferSchema, preprocess, statistics } from 'zenml/steps'
import { type Said, serve, servingCopy } from '../../zenml/test/support/serving.ts'
import { deploy } from '../src/deploy.ts'
import { predict } from '../src/predict.ts'
import { train } from '../src/train.ts'

const random = seededRandom('served flowers')
const rows = Array.from({ length: 200 }, (_, row) => {
  const [x, z] = [Math.fround(random.next() * 4), Math.fround(random.next() * 4)]
  return {
    x,
    z: row % 9 === 0 ? null : z,
    kind: x > 2 ? 'tall' : z > 2 ? 'wide' : 'small',
    note: row % 5 === 0 ? null : `seen at the ${['north', 'south'][row % 2]} side`,
    sum: Math.fround(3 * x - z),
  }
})

let directory: string
let examples: ExamplesReader
beforeAll(async () => {
  directory = mkdtempSync(join(tmpdir(), 'zenml-deploy-'))
  const writer = await createExamplesWriter(directory)
  const kinds = { x: 'float', z: 'float', sum: 'float' } as const
  await writer.write('train', batchOf(rows.slice(0, 150), kinds))
  await writer.write('eval', batchOf(rows.slice(150), kinds))
  await writer.finish()
  examples = await openExamples(directory)
})
afterAll(() => rmSync(directory, { recursive: true, force: true }))

const tokens = { transform: 'tokens', algorithm: 'bpe', length: 6, vocabSize: 300 } as const
const words = { transform: 'ngrams', sizes: [1, 2] as [number, number], maxWords: 20 } as const

for (const label of ['kind', 'sum'] as const) {
  it(`a network of ${label === 'kind' ? 'classes' : 'a number'}: the folder says the same bits as the pipeline, without any package beside it`, async () => {
    await using facts = await runStep(statistics, { inputs: { examples } })
    await using inferred = await runStep(inferSchema, { inputs: { statistics: facts.outputs.statistics } })
    const features = {
      x: { transform: 'zscore' },
      z: { transform: 'minmax' },
      note: label === 'kind' ? tokens : words,
    } as const
    await using fitted = await runStep(preprocess, { inputs: { examples }, parameters: { label, features } })
    const { transform } = fitted.outputs
    await using trained = await runStep(train, { inputs: { examples, transform }, parameters: { epochs: 3 } })
    const { model } = trained.outputs
    await using predicted = await runStep(predict, { inputs: { examples, transform, model }, parameters: { keep: [] } })
    await using deployed = await runStep(deploy, {
      inputs: { model, transform, schema: inferred.outputs.schema, verdict: undefined },
    })
    using copy = await servingCopy(deployed.directories.serving)
    expect(existsSync(join(copy.directory, 'node_modules'))).toBe(false)

    const expected: number[] = []
    const named: string[] = []
    for await (const { columns } of predicted.outputs.examples.read('eval')) {
      const prediction = columns.get('prediction')!
      const probabilities = columns.get('prediction.probabilities')
      if (prediction.kind === 'bytes') named.push(Buffer.from(prediction.data).toString())
      const numbers = probabilities ?? prediction
      if (numbers.kind === 'float') expected.push(...numbers.values)
    }
    const numbersOf = (said: readonly (Said | null)[]): number[] =>
      said.flatMap((one) => one!.probabilities ?? [one!.prediction as number])
    const asked = rows.slice(150)
    const whole = await copy.predict(asked)
    expect(numbersOf(whole)).toEqual(expected)
    if (label === 'kind') expect(whole.map((one) => one!.prediction).join('')).toBe(named.join(''))
    const alone = []
    for (const row of asked) alone.push(...(await copy.predict([row])))
    expect(alone).toEqual(whole)
    await using server = await serve(copy.directory)
    const { body } = await server.post({ rows: asked })
    expect(body.predictions).toEqual(whole)
  })
}
