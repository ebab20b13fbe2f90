import { type NoParameters, type Step, step } from 'zenml'
import { type Column, type ExampleBatch, Examples, type ExamplesReader } from 'zenml/formats'

type Ports = { readonly examples: typeof Examples }

/** Turns the moment of departure into the hour of the day and the day of the week, batch by batch. */
export const departure: Step<Ports, Ports, NoParameters> = step({
  name: 'departure',
  description: 'Adds hour and weekday of the departure, and drops its date.',
  inputs: { examples: Examples },
  outputs: { examples: Examples },
  run: ({ inputs: { examples }, context }) => ({
    examples: { splits: { all: withClock(examples, context.signal) } },
  }),
})

const microsecondsOfHour = 3_600_000_000

async function* withClock(examples: ExamplesReader, signal: AbortSignal): AsyncGenerator<ExampleBatch> {
  for await (const { length, columns } of examples.read('all', { signal })) {
    const date = columns.get('date')
    if (date?.kind !== 'int') throw new Error('the feature "date" is no time')
    const { offsets } = date
    const hours = Float64Array.from(date.values, (time) => Math.floor(time / microsecondsOfHour))
    const hour = hours.map((count) => count % 24)
    // The first of January 1970 was a Thursday, the fifth day of a week that begins on Sunday.
    const weekday = hours.map((count) => (Math.floor(count / 24) + 4) % 7)
    const part = (values: Float64Array): Column =>
      offsets === undefined ? { kind: 'int', values } : { kind: 'int', values, offsets }
    const others = [...columns].filter(([name]) => name !== 'date')
    yield { length, columns: new Map([...others, ['hour', part(hour)], ['weekday', part(weekday)]]) }
  }
}
