import type { RunEvent } from '../model/events.ts'
import type { Identity } from '../model/fingerprint.ts'
import { concernsUser, type Touch, touchAdvice, touchClause, touchPlace } from '../model/touch.ts'

/** A warning for each touch that its user can do something about; `told` remembers what was said, once a kind and place. */
export function touchWarnings(step: string, touches: readonly Touch[], told: Set<string>): RunEvent[] {
  return touches.filter(concernsUser).flatMap((touch): RunEvent[] => {
    const key = JSON.stringify([touch.kind, touch.at ?? touch.what, touch.package])
    if (told.has(key)) return []
    told.add(key)
    const message = `Step "${step}" ${touchClause(touch)}${touchPlace(touch)}: ${consequence(touch)} ${touchAdvice[touch.kind]}`
    return [{ kind: 'warning', code: `ZEN_TOUCH_${touch.kind.toUpperCase()}`, message }]
  })
}

/** Files of the repository that a step may read besides its inputs before that is warned of. */
const manyFiles = 5000

/** A warning where so many files are checked before each reuse, and named in each record, that it is felt; nothing is left out. */
export function manyFilesWarning(step: string, { fingerprint }: Identity): RunEvent[] {
  const count = Object.keys(fingerprint.observed?.files ?? {}).length
  if (count <= manyFiles) return []
  const message = `Step "${step}" reads ${count} files and folders of the repository besides its inputs: each is read once more now and before every reuse, and named in the record of every run. Make them a datasource, or one file.`
  return [{ kind: 'warning', code: 'ZEN_TOUCH_MANY', message }]
}

/** What can come of it. A variable that is not declared is never set, so that it cannot change anything. */
function consequence({ kind, what }: Touch): string {
  if (kind === 'variable' && what === '*') return 'only those that it declares are there, whatever the shell says.'
  return kind === 'variable' ? 'it is not set in a step, whatever the shell says.' : 'its result may differ next time.'
}
