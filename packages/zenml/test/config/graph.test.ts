import { expect, it } from 'vitest'
import { checkGraph, orderSteps } from '../../src/config/graph.ts'
import type { PipelineSpec, StepSpec } from '../../src/model/pipeline-spec.ts'

function pipelineOf(inputs: { readonly [step: string]: readonly string[] }): PipelineSpec {
  const step = (from: readonly string[]): StepSpec => ({
    source: 'a.ts',
    parameters: {},
    inputs: Object.fromEntries(from.map((name, index) => [`input${index}`, `${name}.out`])),
    environment: [],
    cache: true,
  })
  return {
    version: 1,
    name: 'graph',
    seed: 0,
    backend: { type: 'local' },
    datasources: {},
    steps: Object.fromEntries(Object.entries(inputs).map(([name, from]) => [name, step(from)])),
  }
}

/** Declared from the last to the first, each reads the one before. */
function chain(length: number): { [step: string]: string[] } {
  return Object.fromEntries(
    Array.from({ length }, (_, index) => length - 1 - index).map((at) => [`s${at}`, at === 0 ? [] : [`s${at - 1}`]]),
  )
}

it('steps come after what they read, and otherwise as they are declared', () => {
  const spec = pipelineOf({ z: ['a'], c: [], b: ['c', 'c'], a: [], y: [] })
  expect(orderSteps(spec)).toEqual(['c', 'b', 'a', 'z', 'y'])
})

it('a chain of twenty thousand steps is ordered, and a circle of as many is told shortly', () => {
  const steps = chain(20_000)
  expect(checkGraph(pipelineOf(steps))).toEqual([])
  expect(orderSteps(pipelineOf(steps)).at(-1)).toBe('s19999')
  const [problem, ...others] = checkGraph(pipelineOf({ ...steps, s0: ['s19999'] }))
  expect(others).toEqual([])
  expect(problem!.code).toBe('ZEN_CONFIG_CYCLE')
  expect(problem!.message.length).toBeLessThan(300)
})

it('a circle is told from one of its steps back to it, without what only leads to it', () => {
  const [problem] = checkGraph(pipelineOf({ start: ['a'], a: ['b'], b: ['c'], c: ['a'] }))
  expect(problem!.message).toContain('a → b → c → a')
})

it('of thousands of inputs from nowhere the first hundred are told', () => {
  const steps = Object.fromEntries(Array.from({ length: 5_000 }, (_, index) => [`step${index}`, [`stap${index}`]]))
  expect(checkGraph(pipelineOf(steps))).toHaveLength(100)
})
