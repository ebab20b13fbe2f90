import { evaluate, train } from '@zenml/tensorflow'
import { datasource, type Pipeline, pipeline } from 'zenml'
import { inferSchema, preprocess, snapshot, split, statistics } from 'zenml/steps'
import { departure } from './steps/departure.ts'

/** Tells the delay of a flight in minutes from its hour, weekday, distance and airports: three million flights of the year 2001. */
const flights: Pipeline = pipeline('flights', () => {
  const source = datasource('flights', { path: 'package:vega-datasets/data/flights-3m.parquet' })
  const { examples: raw } = snapshot({ source })
  const { examples } = departure({ examples: raw })
  const { examples: parts } = split({ examples }, { ratios: { train: 0.8, eval: 0.2 } })
  const { statistics: facts } = statistics({ examples: parts })
  inferSchema({ statistics: facts })
  const { transform } = preprocess(
    { examples: parts },
    {
      label: 'delay',
      features: {
        hour: { transform: 'onehot' },
        weekday: { transform: 'onehot' },
        distance: { transform: 'zscore' },
        origin: { transform: 'onehot', maxWords: 40 },
        destination: { transform: 'onehot', maxWords: 40 },
      },
    },
  )
  const { model } = train(
    { examples: parts, transform },
    { hidden: [32], epochs: 2, batchSize: 1024, learningRate: 0.003 },
  )
  evaluate({ examples: parts, transform, model }, { slices: ['weekday'] })
})

export default flights
