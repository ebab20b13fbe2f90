import { readFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { systemCode } from '../base/errors.ts'
import type { ProcessMark } from '../metadata/runs.ts'

/**
 * Marks this process: host, process id and when it started (Linux: ticks since the boot and the boot's id, from /proc), so that
 * a later process with the same id is not taken for it.
 */
export function markProcess(): ProcessMark {
  return { host: hostname(), pid: process.pid, started: startMark(process.pid) ?? '' }
}

/** Whether the process behind a mark is gone; undefined on another host, where it cannot be told. */
export function isGone(mark: ProcessMark): boolean | undefined {
  if (mark.host !== hostname()) return undefined
  try {
    process.kill(mark.pid, 0)
  } catch (error) {
    if (systemCode(error) === 'ESRCH') return true
    if (systemCode(error) !== 'EPERM') throw error
  }
  const started = startMark(mark.pid)
  return mark.started !== '' && started !== undefined && started !== mark.started
}

function startMark(pid: number): string | undefined {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8')
    // Field 22, counted behind the command's name, which may hold anything.
    return `${boot} ${stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19]}`
  } catch {
    // No /proc on this system: the process id alone has to do.
    return undefined
  }
}
