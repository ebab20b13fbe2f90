import type { RunPrediction } from '../run/dry-run.ts'
import type { RunExplanation } from '../run/explain.ts'
import { type Nondeterminism, nondeterminismSentence } from '../run/nondeterminism.ts'
import type { Colors } from './terminal.ts'

/** An explanation for people: a sentence a step, then what shows it. */
export function explanationText(explanation: RunExplanation, colors: Colors): string {
  const { run, pipeline, steps, onlyThere, nondeterminism } = explanation
  const lines = [`Run ${colors.bold(run)} of pipeline ${colors.bold(pipeline)}`]
  for (const { reason, changes } of steps) lines.push('', plain(reason), ...changeLines(changes, colors))
  for (const { reason } of onlyThere) lines.push('', plain(reason))
  for (const line of nondeterminismLines(nondeterminism, colors)) lines.push('', line)
  return lines.join('\n')
}

/** A line for each output on which runs disagree. */
export function nondeterminismLines(nondeterminism: readonly Nondeterminism[], colors: Colors): string[] {
  return nondeterminism.map(
    (found) => `${colors.yellow('ZEN_NONDETERMINISM')}: ${plain(nondeterminismSentence(found))}`,
  )
}

/** A prediction for people. */
export function predictionText({ pipeline, seed, steps }: RunPrediction, colors: Colors): string {
  const lines = [`Plan of pipeline ${colors.bold(pipeline)}, seed ${seed}; nothing was run or recorded`]
  for (const { reason, changes } of steps) lines.push('', plain(reason), ...changeLines(changes, colors))
  return lines.join('\n')
}

interface Shown {
  readonly reason: string
  readonly diff?: string
  readonly because?: { readonly reason: string }
}

/** More than one change is listed; diffs stand below. */
function changeLines(changes: readonly Shown[], colors: Colors): string[] {
  const listed =
    changes.length < 2
      ? []
      : changes.map(
          ({ reason, because }) => `  - ${plain(reason)}${because === undefined ? '' : `: ${plain(because.reason)}`}`,
        )
  const diffs = changes.flatMap(({ diff }) => (diff === undefined ? [] : diff.split('\n')))
  return [...listed, ...diffs.map((line) => `    ${painted(plain(line), colors)}`.trimEnd())]
}

function painted(line: string, colors: Colors): string {
  if (/^(?:---|\+\+\+) /.test(line)) return colors.bold(line)
  if (line.startsWith('@@')) return colors.cyan(line)
  if (line.startsWith('+')) return colors.green(line)
  return line.startsWith('-') ? colors.red(line) : line
}

/** Source lines and names come from files and stores: nothing in them may move the cursor of a terminal, start a line or turn text around. */
function plain(text: string): string {
  return text.replace(/(?!\t)[\p{Cc}\u2028-\u202e\u2066-\u2069]/gu, '\ufffd')
}
