import { type ChildProcess, spawn } from 'node:child_process'
import { systemCode } from '../base/errors.ts'

/** Reads `add PID` and `drop PID`; when its input ends, our process is gone, and what is still on the list is killed. */
const script = `
pids=' '
while read -r verb pid; do
  case $verb in
    add) pids="$pids$pid " ;;
    drop) pids="\${pids%% $pid *} \${pids#* $pid }" ;;
  esac
done
for pid in $pids; do kill -9 "-$pid"; done
`

let guard: ChildProcess | undefined

/**
 * Sees to it that the process group of a child does not outlive this process, however this one ends: a child in an endless
 * loop cannot see for itself that its parent was killed. Returns how to let the child off, for when it has ended.
 */
export function guardGroup(child: ChildProcess): () => void {
  const { pid } = child
  if (pid === undefined) return () => undefined
  guard ??= startGuard()
  guard.stdin?.write(`add ${pid}\n`)
  return () => guard?.stdin?.write(`drop ${pid}\n`)
}

/** Sends a signal to a child and everything that it started; nothing happens where they are gone. */
export function signalGroup(child: ChildProcess, signal: NodeJS.Signals): void {
  if (child.pid === undefined) return
  try {
    process.kill(-child.pid, signal)
  } catch (error) {
    if (systemCode(error) !== 'ESRCH' && systemCode(error) !== 'EPERM') throw error
  }
}

/** A small shell in a session of its own, so that Ctrl-C and a closed terminal do not reach it. */
function startGuard(): ChildProcess {
  const started = spawn('/bin/sh', ['-c', script], {
    cwd: '/',
    env: {},
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: true,
  })
  // Without it steps still end with us where they can see it: their standard input ends too.
  started.on('error', () => undefined)
  started.stdin.on('error', () => undefined)
  started.unref()
  ;(started.stdin as unknown as { unref(): void }).unref()
  return started
}
