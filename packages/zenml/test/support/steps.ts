/** Small steps and pipelines, as a user would write them; the tests' projects are made of these. */
export const numbersPipeline: { readonly [path: string]: string } = {
  'lib/scale.ts': `export const factor = 2\nexport function scale(value: number): number {\n  return value * factor\n}\n`,
  'steps/numbers.ts': `
import { step } from 'zenml'
import { JsonArtifact } from 'zenml/formats'
import * as z from 'zod'
import { scale } from '../lib/scale.ts'

export const make = step({
  name: 'make',
  outputs: { numbers: JsonArtifact },
  parameters: z.object({ count: z.int().min(1).default(3) }),
  run: ({ parameters }) => ({ numbers: Array.from({ length: parameters.count }, (_, index) => index) }),
})

export const double = step({
  name: 'double',
  inputs: { numbers: JsonArtifact },
  outputs: { numbers: JsonArtifact },
  run: ({ inputs }) => ({ numbers: (inputs.numbers as number[]).map(scale) }),
})

export const sum = step({
  name: 'sum',
  inputs: { numbers: JsonArtifact },
  outputs: { total: JsonArtifact },
  run: ({ inputs, context }) => {
    const total = (inputs.numbers as number[]).reduce((a, b) => a + b, 0)
    context.metric('total', total)
    console.log('the total is', total)
    return { total }
  },
})
`,
  'pipeline.ts': `
import { pipeline } from 'zenml'
import { double, make, sum } from './steps/numbers.ts'

export default pipeline('numbers', () => {
  const { numbers } = make({}, { count: 4 })
  const doubled = double({ numbers })
  sum({ numbers: doubled.numbers })
})
`,
  'pipeline.yaml': `
version: 1
pipeline: numbers
steps:
  make:
    source: steps/numbers.ts#make
    parameters: { count: 4 }
  double:
    source: steps/numbers.ts#double
    inputs: { numbers: make.numbers }
  sum:
    source: steps/numbers.ts#sum
    inputs: { numbers: double.numbers }
`,
}

/** A pipeline of one step whose body is given. */
export function oneStep(body: string, extra = ''): { readonly [path: string]: string } {
  return {
    'steps/one.ts': `
import { step } from 'zenml'
import { JsonArtifact } from 'zenml/formats'
${extra}
export const one = step({
  name: 'one',
  outputs: { value: JsonArtifact },
  run: async ({ context }) => {
    void context
    ${body}
  },
})
`,
    'one.yaml': 'version: 1\npipeline: one\nsteps:\n  one: { source: "steps/one.ts#one" }\n',
  }
}

/** A pipeline of steps side by side, `s0`, `s1` …, whose bodies are given: one run of it tries many things. */
export function sideBySide(bodies: readonly string[], extra = ''): { readonly [path: string]: string } {
  const files = bodies.map((body, index): [string, string] => {
    const { 'steps/one.ts': text } = oneStep(body, extra)
    return [`steps/s${index}.ts`, text!]
  })
  const steps = bodies.map((_, index) => `  s${index}: { source: "steps/s${index}.ts#one" }\n`)
  return { ...Object.fromEntries(files), 'many.yaml': `version: 1\npipeline: many\nsteps:\n${steps.join('')}` }
}
