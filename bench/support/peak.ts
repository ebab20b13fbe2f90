import { spawn } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'

/** How a command ran. */
export interface Peak {
  /** Wall milliseconds. */
  readonly ms: number
  /** Highest resident memory that any one process of the command had, in MB (10^6 bytes), as Linux keeps it (`VmHWM`). */
  readonly megabytes: number
}

/** Runs a command and watches the memory of it and its descendants; throws where it fails. Linux only. */
export async function peakOf(
  command: string,
  args: readonly string[],
  options: { cwd?: string; env?: NodeJS.ProcessEnv } = {},
): Promise<Peak> {
  const started = process.hrtime.bigint()
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'ignore', 'pipe'] })
  let errors = ''
  child.stderr.on('data', (chunk: Buffer) => {
    errors += chunk.toString('utf8')
  })
  let kibibytes = 0
  const look = (): void => {
    for (const pid of family(child.pid!)) kibibytes = Math.max(kibibytes, highWater(pid))
  }
  const timer = setInterval(look, 20)
  const status = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject)
    child.on('close', resolve)
  }).finally(() => clearInterval(timer))
  const ended = process.hrtime.bigint()
  if (status !== 0) throw new Error(`${command} ${args.join(' ')} ended with ${status}: ${errors}`)
  return { ms: Number(ended - started) / 1e6, megabytes: Math.round((kibibytes * 1024) / 1e6) }
}

/** A process and its descendants. */
function family(root: number): number[] {
  const children = new Map<number, number[]>()
  for (const entry of readdirSync('/proc')) {
    if (!/^\d+$/.test(entry)) continue
    const parent = Number(/\) \S (\d+)/.exec(proc(`${entry}/stat`))?.[1])
    children.set(parent, [...(children.get(parent) ?? []), Number(entry)])
  }
  const found = [root]
  for (const pid of found) found.push(...(children.get(pid) ?? []))
  return found
}

function highWater(pid: number): number {
  return Number(/VmHWM:\s+(\d+) kB/.exec(proc(`${pid}/status`))?.[1] ?? 0)
}

/** A process may end while it is looked at. */
function proc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8')
  } catch {
    return ''
  }
}
