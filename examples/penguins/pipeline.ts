import { evaluate, train } from '@zenml/tensorflow'
import { datasource, type Pipeline, pipeline } from 'zenml'
import { inferSchema, preprocess, snapshot, split, statistics } from 'zenml/steps'
import { summarise } from './steps/summarise.ts'

const measures = ['Beak Length (mm)', 'Beak Depth (mm)', 'Flipper Length (mm)', 'Body Mass (g)']

/** Tells the species of a penguin from its measures, island and sex. */
const penguins: Pipeline = pipeline('penguins', () => {
  const source = datasource('penguins', { path: 'package:vega-datasets/data/penguins.json' })
  const { examples } = snapshot({ source })
  const { examples: parts } = split({ examples }, { ratios: { train: 0.7, eval: 0.3 } })
  const { statistics: facts } = statistics({ examples: parts })
  const { schema } = inferSchema({ statistics: facts })
  const { transform } = preprocess(
    { examples: parts },
    {
      label: 'Species',
      features: {
        ...Object.fromEntries(measures.map((name) => [name, { transform: 'zscore' as const }])),
        Island: { transform: 'onehot' },
        Sex: { transform: 'onehot' },
      },
    },
  )
  const { model } = train({ examples: parts, transform }, { epochs: 40, learningRate: 0.005 })
  const { evaluation } = evaluate({ examples: parts, transform, model }, { slices: ['Island', 'Sex'] })
  summarise({ evaluation, schema })
})

export default penguins
