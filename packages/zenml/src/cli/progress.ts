import type { RunEvent, RunListener } from '../model/events.ts'
import { duration, number } from './table.ts'
import type { Terminal } from './terminal.ts'

/** Characters; longer lines are shown in pieces. */
const longestLine = 10_000

/** How far something is: a part of the whole where that is known. */
function shareOf({ done, total, unit }: { done: number; total: number | null; unit: string }): string {
  return total === null ? `${number(done)} ${unit}`.trimEnd() : `${Math.floor((100 * done) / Math.max(1, total))} %`
}

/** Shows a run as it goes: one line a step on any stream, and on a terminal a live line below them. */
export function showProgress(terminal: Terminal): { readonly listen: RunListener; end(): void } {
  const { colors } = terminal
  const running = new Map<string, { started: number; status: string }>()
  const unended = new Map<string, string>()
  /** What comes before the run starts. */
  const fetched = new Map<string, { started: number; status: string }>()
  let width = 0
  let timer: NodeJS.Timeout | undefined
  let last = ''

  function line(text: string): void {
    clear()
    terminal.note(text)
    draw()
  }
  function clear(): void {
    if (last !== '') terminal.draw('\r\x1b[2K')
    last = ''
  }
  function draw(): void {
    if (!terminal.live || running.size + fetched.size === 0) return
    const parts = [...fetched, ...running].map(([step, { started, status }]) => {
      const time = duration((performance.now() - started) / 1000)
      return `${step} ${time}${status === '' ? '' : ` · ${status}`}`
    })
    // A line that wraps could not be taken back; the last column stays free.
    last = `  ${parts.join('   ')}`.slice(0, Math.max(0, Math.min(110, terminal.columns - 1)))
    terminal.draw(`\r\x1b[2K${colors.dim(last)}`)
  }
  /** Whole lines only: what a step writes comes in pieces of any size. */
  function tellOutput(step: string, stream: 'stdout' | 'stderr', text: string): void {
    const key = `${step} ${stream}`
    const lines = ((unended.get(key) ?? '') + text).split('\n')
    const rest = lines.pop()!
    if (rest.length > longestLine) lines.push(rest)
    if (rest === '' || rest.length > longestLine) unended.delete(key)
    else unended.set(key, rest)
    if (lines.length === 0) return
    clear()
    terminal.note(lines.map((line) => `  ${colors.dim(`${step} │`)} ${line}`).join('\n'))
    draw()
  }
  const marks = {
    executed: colors.green('✓'),
    reused: colors.cyan('↺'),
    failed: colors.red('✗'),
    skipped: colors.dim('–'),
    canceled: colors.yellow('■'),
  }

  function listen(event: RunEvent): void {
    switch (event.kind) {
      case 'source-progress': {
        const entry = fetched.get(event.datasource) ?? { started: performance.now(), status: '' }
        fetched.set(event.datasource, entry)
        entry.status = shareOf(event)
        if (terminal.live) timer ??= setInterval(draw, 100).unref()
        return
      }
      case 'run-started':
        fetched.clear()
        width = Math.max(...event.steps.map((step) => step.length))
        line(
          `Run ${colors.bold(event.run)} of pipeline ${colors.bold(event.pipeline)}, ${event.steps.length === 1 ? '1 step' : `${event.steps.length} steps`}`,
        )
        if (terminal.live) timer ??= setInterval(draw, 100).unref()
        return
      case 'step-started':
        running.set(event.step, { started: performance.now(), status: '' })
        draw()
        return
      case 'step-output':
        tellOutput(event.step, event.stream, event.text)
        return
      case 'step-event': {
        const entry = running.get(event.step)
        if (entry === undefined) return
        const { event: inner } = event
        if (inner.kind === 'metric') {
          entry.status = `${inner.at === null ? '' : `${inner.at} `}${inner.name} ${number(inner.value)}`
        } else {
          entry.status = shareOf(inner)
        }
        return
      }
      case 'step-ended': {
        for (const stream of ['stdout', 'stderr'] as const)
          if (unended.has(`${event.step} ${stream}`)) tellOutput(event.step, stream, '\n')
        running.delete(event.step)
        const time =
          event.outcome === 'executed' || event.outcome === 'failed' ? `  ${colors.dim(duration(event.seconds))}` : ''
        line(`${marks[event.outcome]} ${event.step.padEnd(width)}  ${event.outcome}${time}`)
        if (event.error !== null) line(`  ${colors.red(event.error.code)}: ${event.error.message}`)
        return
      }
      case 'warning':
        line(`${colors.yellow(event.code)}: ${event.message}`)
        return
      case 'note':
        line(colors.dim(event.message))
        return
      case 'run-ended':
        clear()
    }
  }
  return {
    listen,
    end() {
      clearInterval(timer)
      clear()
    },
  }
}
