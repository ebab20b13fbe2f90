import { mkdir, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { canonicalJson } from '../base/canonical.ts'
import type { JsonObject } from '../base/json.ts'
import { writeBundle } from '../code/bundle.ts'
import type { StoredArtifact } from '../model/artifact.ts'
import type { StepInput, StepInputArtifact, StepInputSource } from '../model/step-protocol.ts'
import { layOutSource } from './fetch-source.ts'
import type { Plan, PlannedStep } from './plan.ts'
import type { Workspace } from './workspace.ts'

/** Lays out what a step's process is given: bundle, inputs, empty outputs and `input.json`. */
export async function layOutStep(
  directory: string,
  plan: Plan,
  step: PlannedStep,
  inputs: { readonly [input: string]: StoredArtifact },
  { artifacts, root }: Pick<Workspace, 'artifacts' | 'root'>,
  previous?: { readonly [output: string]: StoredArtifact },
): Promise<{ readonly outputs: { readonly [output: string]: string } }> {
  await rm(directory, { recursive: true, force: true })
  await mkdir(join(directory, 'code'), { recursive: true })
  const given: { [input: string]: StepInputArtifact | StepInputSource } = {}
  const outputs: { [output: string]: string } = {}
  const before: { [output: string]: { type: string; path: string } } = {}
  await Promise.all([
    writeBundle(step.bundle, join(directory, 'code')),
    ...Object.entries(step.inputs).map(async ([input, from]) => {
      if (from.kind === 'datasource') {
        const { format, options, files, staged, splits } = plan.sources.get(from.name)!
        const laidOut =
          staged === undefined
            ? files
            : await layOutSource({ artifacts }, staged, join(directory, 'sources', input), splits)
        given[input] = { kind: 'source', format, options, files: laidOut }
        return
      }
      const path = join('inputs', input)
      await mkdir(join(directory, path), { recursive: true })
      await artifacts.materialise(inputs[input]!.digest, join(directory, path))
      given[input] = { kind: 'artifact', type: inputs[input]!.type, path }
    }),
    ...Object.keys(previous === undefined ? {} : step.descriptor.outputs).map(async (output) => {
      const { type, digest } = previous![output]!
      const path = join('previous', output)
      await mkdir(join(directory, path), { recursive: true })
      await artifacts.materialise(digest, join(directory, path))
      before[output] = { type, path }
    }),
    ...Object.keys(step.descriptor.outputs).map(async (output) => {
      outputs[output] = join(directory, 'outputs', output)
      await mkdir(outputs[output]!, { recursive: true })
    }),
  ])
  const input: StepInput = {
    format: 1,
    step: step.name,
    bundle: join('code', 'step.mjs'),
    parameters: step.parameters,
    seed: step.seed,
    inputs: given,
    outputs: Object.fromEntries(
      Object.entries(step.descriptor.outputs).map(([output, type]) => [
        output,
        { type, path: join('outputs', output) },
      ]),
    ),
    ...(previous === undefined ? {} : { previous: before }),
    trace: {
      repository: root,
      packages: [...new Set(step.places.map((place) => place.directory))],
      variables: step.spec.environment,
      strict: step.strict,
    },
  }
  await writeFile(join(directory, 'input.json'), canonicalJson(input as unknown as JsonObject))
  return { outputs }
}
