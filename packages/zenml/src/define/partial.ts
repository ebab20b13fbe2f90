import { mkdir, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { ZenmlError } from '../base/errors.ts'
import { saveOutputs } from './save-outputs.ts'
import type { AnyStep, PartialWriter } from './step.ts'

/** The directories of partial outputs below a folder. */
export function partialDirectories(step: AnyStep, folder: string): { readonly [output: string]: string } {
  return Object.fromEntries(Object.keys(step.definition.outputs).map((name) => [name, join(folder, name)]))
}

/** Writes what a step keeps of its work below a folder, in place of what it kept there before; throws where it is not all of its outputs. */
export async function savePartial(step: AnyStep, folder: string, write: PartialWriter): Promise<void> {
  const directories = partialDirectories(step, folder)
  await rm(folder, { recursive: true, force: true })
  for (const path of Object.values(directories)) await mkdir(path, { recursive: true })
  await saveOutputs(step, await write(directories), directories)
}

/** Throws `ZEN_STEP_PARTIAL` for a step that is not incremental: nothing could ever find what it keeps. */
export function checkIncremental({ definition }: AnyStep): void {
  if (definition.incremental !== undefined) return
  throw new ZenmlError('ZEN_STEP_PARTIAL', `Step "${definition.name}" keeps partial results, but is not incremental.`, {
    next: 'Name the inputs that it works on item by item in "incremental" of the step.',
    exitCode: 1,
  })
}
