import { readFileSync, writeFileSync } from 'node:fs'
import type { JsonObject } from '../../base/json.ts'
import { portType } from '../../define/pipeline.ts'
import { validateParameters } from '../../define/run-step.ts'
import type { AnyStep, Ports } from '../../define/step.ts'
import { jsonSchemaOf } from '../../define/unknown-parameters.ts'
import type { AnyArtifactType } from '../../model/artifact-type.ts'
import type { StepDescriptor } from '../../model/step-descriptor.ts'
import { type Problem, problemOf } from './problem.ts'
import { loadStep } from './run-task.ts'

/** What to describe: bundles and the parameters that their steps are given. */
export type DescribeRequest = readonly { readonly bundle: string; readonly parameters: JsonObject }[]

/** One answer to each, in order. */
export type DescribeResponse = readonly (
  | { readonly descriptor: StepDescriptor; readonly parameters: JsonObject | null; readonly problem: Problem | null }
  | { readonly descriptor: null; readonly problem: Problem }
)[]

/** Asks each step what it declares and whether it accepts its parameters. */
export async function describeSteps(requestFile: string, responseFile: string): Promise<void> {
  const request = JSON.parse(readFileSync(requestFile, 'utf8')) as DescribeRequest
  const response: DescribeResponse[number][] = []
  for (const { bundle, parameters } of request) response.push(await describeOne(bundle, parameters))
  writeFileSync(responseFile, JSON.stringify(response))
  process.exit(0)
}

async function describeOne(bundle: string, parameters: JsonObject): Promise<DescribeResponse[number]> {
  let step: AnyStep
  try {
    step = await loadStep(bundle)
  } catch (error) {
    return { descriptor: null, problem: problemOf(error) }
  }
  const descriptor = descriptorOf(step)
  try {
    return { descriptor, parameters: await validateParameters(step, parameters), problem: null }
  } catch (error) {
    return { descriptor, parameters: null, problem: problemOf(error) }
  }
}

/** What a step declares, as plain data. */
export function descriptorOf(step: AnyStep): StepDescriptor {
  const { name, description, inputs = {}, outputs, parameters, incremental = [] } = step.definition
  const types = [...Object.values<Ports[string]>(inputs), ...Object.values<AnyArtifactType>(outputs)]
  const bases: { [type: string]: string } = {}
  for (const port of types) {
    const type = 'optional' in port ? port.optional : port
    if ('base' in type && type.base !== undefined) bases[type.name] = type.base
  }
  return {
    name,
    ...(description === undefined ? {} : { description }),
    inputs: Object.fromEntries(
      Object.entries<Ports[string]>(inputs).map(([input, port]) => [
        input,
        portType(port) + ('optional' in port ? '?' : ''),
      ]),
    ),
    outputs: Object.fromEntries(Object.entries<AnyArtifactType>(outputs).map(([output, type]) => [output, type.name])),
    bases,
    ...(incremental.length === 0 ? {} : { incremental }),
    canary: step.definition.canary !== undefined,
    parameters: jsonSchemaOf(parameters),
  }
}
