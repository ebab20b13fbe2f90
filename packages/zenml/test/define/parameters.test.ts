import { expect, it } from 'vitest'
import * as z from 'zod'
import { validateParameters } from '../../src/define/run-step.ts'
import { type ParameterSchema, step } from '../../src/define/step.ts'
import { JsonArtifact } from '../../src/formats/types.ts'

async function problemsOf(parameters: ParameterSchema<unknown>, given: unknown): Promise<unknown> {
  const stepOf = step({ name: 'one', outputs: { value: JsonArtifact }, parameters, run: () => ({ value: 1 }) })
  return await validateParameters(stepOf as never, given).then(
    () => [],
    (error) => error.facts.problems.map(({ path }: { path: string }) => path),
  )
}

const inner = z.object({ name: z.string(), size: z.int().default(1) })

it.each([
  ['at the top', z.object({ count: z.int().default(1) }), { cuont: 3 }, ['cuont']],
  ['in an object', z.object({ layer: inner }), { layer: { name: 'a', sise: 2 } }, ['layer.sise']],
  [
    'in a list',
    z.object({ layers: z.array(inner) }),
    { layers: [{ name: 'a' }, { name: 'b', sise: 2 }] },
    ['layers.1.sise'],
  ],
  ['of the name of a method', z.object({ count: z.int().default(1) }), { toString: 3 }, ['toString']],
])('an unknown parameter %s is refused by its path', async (_where, schema, given, paths) => {
  expect(await problemsOf(schema, given)).toEqual(paths)
})

it.each([
  ['a loose object', z.looseObject({ count: z.int() }), { count: 1, more: 2 }],
  ['a record', z.object({ by: z.record(z.string(), z.int()) }), { by: { anything: 2 } }],
  ['a union', z.union([z.object({ a: z.int() }), z.object({ b: z.int() })]), { b: 1 }],
  ['a transformation that renames', z.object({ a: z.int() }).transform(({ a }) => ({ b: a })), { a: 1 }],
  ['what JSON Schema cannot say', z.object({ at: z.date().optional() }), {}],
])('%s takes what it says it takes', async (_what, schema, given) => {
  expect(await problemsOf(schema, given)).toEqual([])
})
