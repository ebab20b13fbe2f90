import { ZenmlError } from '../../base/errors.ts'
import { verifyPipeline } from '../../project/make-again.ts'
import type { CommandFunction } from '../command.ts'
import { showProgress } from '../progress.ts'
import { verificationDocument, verificationSummary } from '../verification-summary.ts'

/** Exit code of a verification that found a difference. */
const found = 3

export const command: CommandFunction = async ({ cli, terminal, args, options, signal }) => {
  const times = timesOf(options['times'] as string | undefined)
  const steps = options['step'] as string[] | undefined
  const progress = showProgress(terminal)
  let verification: Awaited<ReturnType<typeof verifyPipeline>>
  try {
    const chosen = steps === undefined ? {} : { steps }
    verification = await verifyPipeline(args[0]!, { ...cli, ...chosen, times, signal, onEvent: progress.listen })
  } finally {
    progress.end()
  }
  terminal.result(verificationDocument(verification), () => verificationSummary(verification, terminal.colors))
  return { reproduced: 0, differs: found, cannot: 1 }[verification.verdict]
}

function timesOf(given: string | undefined): number {
  if (given === undefined) return 1
  const times = Number(given)
  if (!/^\d+$/.test(given) || times < 1 || times > 1000)
    throw new ZenmlError('ZEN_USAGE', `--times takes a whole number from 1 to 1000, not "${given}".`)
  return times
}
