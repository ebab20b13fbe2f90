import { spawn } from 'node:child_process'
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { ZenmlError } from '../base/errors.ts'
import { fixedVariables } from './fixed-variables.ts'
import { guardGroup, signalGroup } from './guard.ts'

/**
 * Asks the entry point of steps a question in a process of its own, under the same fixed environment in which steps run, so
 * that no user code is ever loaded into the command line's process.
 *
 * Throws `ZEN_CODE_LOAD` where the process ends without an answer (the code ended it, or its top level ran out of memory),
 * `ZEN_INTERRUPTED` where `signal` ends the wait: a top level may never end by itself.
 */
export async function askHost<Response>(
  options: {
    readonly host: string
    /** Which Node answers. */
    readonly node: string
    readonly directory: string
    readonly signal?: AbortSignal
  },
  mode: 'describe' | 'canary' | 'pipeline',
  request: unknown,
): Promise<Response> {
  const directory = await mkdtemp(join(options.directory, `ask-${process.pid}-`))
  try {
    const [question, answer] = [join(directory, 'request.json'), join(directory, 'response.json')]
    await writeFile(question, JSON.stringify(request))
    const child = spawn(options.node, [options.host, mode, question, answer], {
      cwd: directory,
      env: fixedVariables,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    const release = guardGroup(child)
    const stop = (): void => signalGroup(child, 'SIGKILL')
    options.signal?.addEventListener('abort', stop, { once: true })
    if (options.signal?.aborted) stop()
    let said = ''
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding('utf8').on('data', (text: string) => {
        said = (said + text).slice(-4_000)
      })
    }
    const code = await new Promise<number | null>((resolve, reject) =>
      child.once('error', reject).once('close', resolve),
    )
    release()
    options.signal?.removeEventListener('abort', stop)
    if (options.signal?.aborted)
      throw new ZenmlError('ZEN_INTERRUPTED', 'Interrupted before the run began; nothing was recorded.', {
        exitCode: 1,
      })
    if (code !== 0) {
      throw new ZenmlError(
        'ZEN_CODE_LOAD',
        `The code ended its process while it was being loaded (exit code ${code}).${said === '' ? '' : `\n${said.trimEnd()}`}`,
      )
    }
    return JSON.parse(await readFile(answer, 'utf8')) as Response
  } finally {
    await rm(directory, { recursive: true, force: true })
  }
}
