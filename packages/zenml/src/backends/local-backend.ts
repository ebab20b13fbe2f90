import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Readable } from 'node:stream'
import { messageOf, systemCode } from '../base/errors.ts'
import type { Failure } from '../model/run.ts'
import type { StepEvent, StepOutput } from '../model/step-protocol.ts'
import type { Backend, StepHooks, StepResult, StepTask } from './backend.ts'
import { fixedVariables } from './fixed-variables.ts'
import { guardGroup, signalGroup } from './guard.ts'

/** How the local backend starts processes. */
export interface LocalBackendOptions {
  /** The built entry point of a step's process (`step-host.js`). */
  readonly host: string
  /** Which Node runs the steps. Default the one that runs this process. */
  readonly node?: string
  /** Milliseconds between asking a step to stop and killing it. Default 5,000. */
  readonly grace?: number
}

/** Runs each step as a process of this machine, in a process group of its own. */
export function localBackend({ host, node = process.execPath, grace = 5_000 }: LocalBackendOptions): Backend {
  return {
    name: 'local',
    async execute(task, hooks) {
      if (hooks.signal.aborted) return { kind: 'canceled', output: null }
      const [work, home, temporary] = ['work', 'home', 'tmp'].map((name) => join(task.directory, name)) as [
        string,
        string,
        string,
      ]
      await Promise.all([work, home, temporary].map((path) => mkdir(path, { recursive: true })))
      const memory = task.memory === undefined ? [] : [`--max-old-space-size=${task.memory}`]
      const child = spawn(node, [...memory, host, 'run', task.directory], {
        cwd: work,
        env: { ...fixedVariables, HOME: home, TMPDIR: temporary, ...task.variables },
        stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
        detached: true,
      })
      return await attend(child, task, hooks, grace)
    },
  }
}

/** Milliseconds; a longer delay is taken for none at all. */
const longestTimer = 2 ** 31 - 1

/** Follows a child to its end and tells what became of it. */
async function attend(child: ChildProcess, task: StepTask, hooks: StepHooks, grace: number): Promise<StepResult> {
  let stopped: 'timeout' | 'canceled' | undefined
  let killer: NodeJS.Timeout | undefined
  const stop = (why: 'timeout' | 'canceled'): void => {
    if (stopped !== undefined) return
    stopped = why
    signalGroup(child, 'SIGTERM')
    killer = setTimeout(() => signalGroup(child, 'SIGKILL'), grace)
  }
  const release = guardGroup(child)
  const cancel = (): void => stop('canceled')
  hooks.signal.addEventListener('abort', cancel, { once: true })
  // Longer than a timer can hold (24 days), it is looked at again when that has passed.
  let left = (task.timeout ?? 0) * 1000
  const wait = (): NodeJS.Timeout =>
    setTimeout(
      () => {
        left -= longestTimer
        if (left <= 0) stop('timeout')
        else timer = wait()
      },
      Math.min(left, longestTimer),
    )
  let timer = task.timeout === undefined ? undefined : wait()

  let lastWords = ''
  readOutputOf(child.stdout!, (chunk) => hooks.onOutput('stdout', chunk))
  readOutputOf(child.stderr!, (chunk) => {
    lastWords = (lastWords + Buffer.from(chunk).toString('latin1')).slice(-8_000)
    return hooks.onOutput('stderr', chunk)
  })
  // The step's process reads its standard input only to see that we are gone; it may well end first.
  child.stdin?.on('error', () => undefined)
  readEvents(child.stdio[3] as Readable, hooks)

  const ended = await new Promise<{ code: number | null; signal: NodeJS.Signals | null; error?: unknown }>(
    (resolve) => {
      child.once('error', (error) => resolve({ code: null, signal: null, error }))
      child.once('exit', () => {
        // What the step itself left running goes with it: it would hold the step's output open.
        signalGroup(child, 'SIGKILL')
        release()
        letGo(child)
      })
      child.once('close', (code, signal) => resolve({ code, signal }))
    },
  )
  clearTimeout(timer)
  clearTimeout(killer)
  hooks.signal.removeEventListener('abort', cancel)

  // A step that was asked to stop may have told what it kept.
  if (stopped === 'canceled') return { kind: 'canceled', output: await readOutput(task.directory) }
  if (stopped === 'timeout') {
    const message = `Step "${task.step}" ran longer than its ${task.timeout} s.`
    const output = await readOutput(task.directory)
    return { kind: 'failed', because: { code: 'ZEN_STEP_TIMEOUT', message }, output }
  }
  if (ended.error !== undefined)
    return failed('ZEN_STEP_START', `Step "${task.step}" could not be started: ${messageOf(ended.error)}`)
  const output = await readOutput(task.directory)
  if (ended.code === 0 && output?.status === 'complete') return { kind: 'complete', output }
  if (output?.error) return { kind: 'failed', because: output.error, output }
  return { kind: 'failed', because: cause(task, ended.code, ended.signal, lastWords), output }
}

/** Names the cause of an end without a word from the step itself. */
function cause(task: StepTask, code: number | null, signal: NodeJS.Signals | null, lastWords: string): Failure {
  if (/heap out of memory|Reached heap limit|Array buffer allocation failed/.test(lastWords)) {
    const limit = task.memory === undefined ? "Node's own limit" : `${task.memory} MiB`
    return {
      code: 'ZEN_STEP_MEMORY',
      message: `Step "${task.step}" ran out of memory (heap limit: ${limit}). Raise its "memory", or read the data in smaller batches.`,
    }
  }
  if (signal !== null) {
    const hint = signal === 'SIGKILL' ? ' The system may have been out of memory.' : ''
    return { code: 'ZEN_STEP_SIGNAL', message: `Step "${task.step}" was ended by ${signal}.${hint}` }
  }
  if (code === 13) {
    // Node's own code for it.
    return {
      code: 'ZEN_STEP_EXIT',
      message: `Step "${task.step}" waits for what can never come: its promise is not settled, and nothing is left to do.`,
    }
  }
  if (code === 0) return { code: 'ZEN_STEP_EXIT', message: `Step "${task.step}" ended its process before it returned.` }
  return { code: 'ZEN_STEP_EXIT', message: `Step "${task.step}" exited with code ${code}.` }
}

function failed(code: string, message: string): StepResult {
  return { kind: 'failed', because: { code, message }, output: null }
}

/** Reads a stream as fast as what it says is taken. */
function readOutputOf(stream: Readable, take: (chunk: Uint8Array) => Promise<void> | undefined): void {
  stream.on('data', (chunk: Uint8Array) => {
    const taken = take(chunk)
    if (taken === undefined) return
    stream.pause()
    void taken.then(() => stream.resume())
  })
}

/** A process that the step moved out of its group can hold the step's output open for ever: it is not waited for. */
function letGo(child: ChildProcess): void {
  const streams = [child.stdout, child.stderr, child.stdio[3] as Readable] as Readable[]
  const timer = setTimeout(() => {
    // What was already said is read first.
    if (streams.some((stream) => stream.isPaused())) timer.refresh()
    else setImmediate(() => streams.map((stream) => stream.destroy()))
  }, 1_000)
  child.once('close', () => clearTimeout(timer))
}

function readEvents(stream: Readable, hooks: StepHooks): void {
  let rest = ''
  stream.setEncoding('utf8')
  // Node reports a reset when the other end is killed: the end of the process tells that better.
  stream.on('error', () => undefined)
  stream.on('data', (text: string) => {
    const lines = (rest + text).split('\n')
    rest = lines.pop()!
    // No event is that long.
    if (rest.length > 65_536) rest = ''
    for (const line of lines) {
      const event = parseEvent(line)
      if (event !== undefined) hooks.onEvent(event)
    }
  })
}

/** A step's own code can write to this descriptor too: what is no event is not ours. */
function parseEvent(line: string): StepEvent | undefined {
  let event: { readonly [key: string]: unknown }
  try {
    event = Object(JSON.parse(line)) as { readonly [key: string]: unknown }
  } catch {
    return undefined
  }
  const number = (key: string): boolean => typeof event[key] === 'number'
  const text = (key: string): boolean => typeof event[key] === 'string'
  const numberOrNull = (key: string): boolean => number(key) || event[key] === null
  const known =
    (event['kind'] === 'progress' && number('done') && numberOrNull('total') && text('unit')) ||
    (event['kind'] === 'metric' && text('name') && number('value') && numberOrNull('at'))
  return known ? (event as unknown as StepEvent) : undefined
}

async function readOutput(directory: string): Promise<StepOutput | null> {
  try {
    return JSON.parse(await readFile(join(directory, 'output.json'), 'utf8')) as StepOutput
  } catch (error) {
    if (systemCode(error) === 'ENOENT') return null
    throw error
  }
}
