import { readdir } from 'node:fs/promises'
import { ZenmlError } from '../base/errors.ts'
import type { AnyArtifactType } from '../model/artifact-type.ts'
import type { AnyStep } from './step.ts'

/** Saves what a step returned; throws `ZEN_OUTPUT_MISSING` for an output that was neither returned nor written, or has no file. */
export async function saveOutputs(
  step: AnyStep,
  returned: { readonly [name: string]: unknown } | undefined,
  directories: { readonly [name: string]: string },
): Promise<void> {
  const declared = step.definition.outputs
  for (const name of Object.keys(returned ?? {})) {
    if (!(name in declared))
      throw new ZenmlError(
        'ZEN_OUTPUT_UNKNOWN',
        `Step "${step.definition.name}" returned "${name}", which it does not declare.`,
        { exitCode: 1 },
      )
  }
  for (const [name, type] of Object.entries<AnyArtifactType>(declared)) {
    const value = returned?.[name]
    if (value !== undefined)
      await (type.materializer.save as (value: unknown, directory: string) => Promise<void>)(value, directories[name]!)
    if ((await readdir(directories[name]!)).length > 0) continue
    throw new ZenmlError(
      'ZEN_OUTPUT_MISSING',
      value === undefined
        ? `Step "${step.definition.name}" gave nothing for its output "${name}".`
        : `Step "${step.definition.name}" gave an output "${name}" of type ${type.name} that has no file.`,
      {
        next:
          value === undefined
            ? `Return { ${name}: … }, or write files to context.directories.${name}.`
            : 'An artifact needs at least one file: see to it that its materializer writes one.',
        exitCode: 1,
      },
    )
  }
}
