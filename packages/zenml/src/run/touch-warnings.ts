import type { RunEvent } from '../model/events.ts'
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

/** What can come of it. A variable that is not declared is never set, so that it cannot change anything. */
function consequence({ kind, what }: Touch): string {
  if (kind === 'variable' && what === '*') return 'only those that it declares are there, whatever the shell says.'
  return kind === 'variable' ? 'it is not set in a step, whatever the shell says.' : 'its result may differ next time.'
}
