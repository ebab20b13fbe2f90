import { mkdtemp, rm } from 'node:fs/promises'
import { join } from 'node:path'
import { askHost } from '../backends/ask-host.ts'
import type { CanaryResponse } from '../backends/host/measure-canaries.ts'
import { digestOf } from '../base/canonical.ts'
import { type Digest, hexOf, isDigest } from '../base/digest.ts'
import type { ErrorCode } from '../base/errors.ts'
import type { JsonObject } from '../base/json.ts'
import { type StepBundle, writeBundle } from '../code/bundle.ts'
import { keepAnswer, readAnswer } from '../environment/kept-answer.ts'
import type { Diagnostic } from '../model/diagnostic.ts'
import type { PackageLeaf } from '../model/fingerprint.ts'
import type { Workspace } from './workspace.ts'

/** A step that declares a canary. */
interface CanaryQuestion {
  readonly step: string
  readonly bundle: StepBundle
  readonly packages: readonly PackageLeaf[]
}

/** Part of each cache name. */
const answerFormat = 1

/**
 * Digests of what the canaries of steps give on this machine, by step. They are kept by the step's code and packages and by the facts
 * of the machine that can change arithmetic, so that only another machine, or another step, computes them again.
 */
export async function canariesOf(
  workspace: Workspace,
  facts: JsonObject,
  questions: readonly CanaryQuestion[],
  signal?: AbortSignal,
): Promise<{ readonly canaries: ReadonlyMap<string, Digest>; readonly problems: readonly Diagnostic[] }> {
  const canaries = new Map<string, Digest>()
  const problems: Diagnostic[] = []
  const { release: _kernel, addons: _files, ...machine } = facts
  const directory = join(workspace.cacheDirectory, 'canaries')
  const fileOf = ({ bundle, packages }: CanaryQuestion): string => {
    const needed = packages.map(({ name, version, integrity }) => [name, version, integrity])
    return join(directory, hexOf(digestOf([answerFormat, machine, bundle.digest, needed])))
  }
  const open: CanaryQuestion[] = []
  for (const question of questions) {
    const known = await readAnswer<string>(fileOf(question))
    if (known === undefined || !isDigest(known)) open.push(question)
    else canaries.set(question.step, known)
  }
  if (open.length === 0) return { canaries, problems }
  const bundles = await mkdtemp(join(workspace.temporaryDirectory, `canary-${process.pid}-`))
  try {
    const request = await Promise.all(
      open.map(async ({ bundle }, index) => {
        const place = join(bundles, String(index))
        await writeBundle(bundle, place)
        return join(place, 'step.mjs')
      }),
    )
    const { host, node, temporaryDirectory } = workspace
    const stop = signal === undefined ? {} : { signal }
    const response = await askHost<CanaryResponse>(
      { host, node, directory: temporaryDirectory, ...stop },
      'canary',
      request,
    )
    for (const [index, question] of open.entries()) {
      const answer = response[index]!
      if ('problem' in answer) {
        const { code, message } = answer.problem
        const path = `steps.${question.step}.source`
        problems.push({
          code: code as ErrorCode,
          message: `Step "${question.step}": its canary failed: ${message}`,
          path,
        })
        continue
      }
      canaries.set(question.step, answer.digest)
      await keepAnswer(fileOf(question), answer.digest)
    }
  } finally {
    await rm(bundles, { recursive: true, force: true })
  }
  return { canaries, problems }
}
