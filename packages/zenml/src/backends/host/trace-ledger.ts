import { compareText } from '../../base/canonical.ts'
import { ZenmlError } from '../../base/errors.ts'
import { breaksStrict, type Touch, type TouchKind, touchAdvice, touchClause, touchPlace } from '../../model/touch.ts'
import type { Call } from './tap.ts'
import { framesAbove, type Place, type Places } from './trace-places.ts'

/** One thing that can be touched, with what is known of its callers. */
export interface Counter {
  readonly kind: TouchKind
  readonly what: string
  calls: number
  /** The number of the call whose stack is looked at next. */
  next: number
  /** Whose the last call was that was looked at; null for Node's own and the runtime's. */
  last: Entry | null
  readonly sites: Map<string, Map<number, Site>>
}

/** A line that calls. */
interface Site {
  entry: Entry | null
  /** How many more of its calls are followed up to the user's line. */
  follow: number
}

type Entry = { -readonly [field in keyof Touch]: Touch[field] }

/** Scripts of Node that call what code hands them: a timer, a promise, the next tick. */
const callers: ReadonlySet<string> = new Set(['node:internal/timers', 'node:internal/process/task_queues'])
/** Calls of one thing whose stacks are all looked at; beyond, one in as many as have been, over this. */
const thorough = 4096
/** Kinds that are touched in hot loops: the line that calls is enough, after it was followed once. */
const hot: ReadonlySet<TouchKind> = new Set(['clock', 'variable'])
const followed = 16
/** Things that are told apart in one step; more of one kind count together. */
const mostThings = 2000

/** Counts touches by kind, thing and place, and refuses them where the step is strict. */
export class Ledger {
  /** The first refusal: the step fails by it even where its code catches the error. */
  violation: ZenmlError | null = null
  private readonly step: string
  private readonly strict: boolean
  private readonly places: Places
  private readonly counters = new Map<string, Counter>()
  private readonly entries = new Map<string, Entry>()

  constructor(step: string, strict: boolean, places: Places) {
    this.step = step
    this.strict = strict
    this.places = places
  }

  /** The counter of a thing. */
  counter(kind: TouchKind, thing: string): Counter {
    // What is recorded must be text; half a character is none.
    const what = thing.toWellFormed()
    const key = `${kind} ${what}`
    let counter = this.counters.get(key)
    if (counter === undefined) {
      if (this.counters.size >= mostThings && what !== 'others') return this.counter(kind, 'others')
      counter = { kind, what, calls: 0, next: 1, last: null, sites: new Map() }
      this.counters.set(key, counter)
    }
    return counter
  }

  /**
   * Counts a call, and tells whether it was one of the user's or a package's. The stack is looked at up to `thorough` calls, then
   * ever more rarely: a call that is not looked at counts for the place of the last that was. Strict steps have every call looked at.
   */
  hit(counter: Counter, below: Call): boolean {
    counter.calls++
    if (counter.calls >= counter.next || this.strict) {
      counter.next = counter.calls + 1 + Math.floor(counter.calls / thorough)
      counter.last = this.entryOf(counter, below)
    }
    if (counter.last === null) return false
    counter.last.count++
    if (this.strict && breaksStrict(counter.last)) {
      const refusal = this.refusal(counter.last)
      this.violation ??= refusal
      throw refusal
    }
    return true
  }

  /** Counts something that no code on the stack did: Node did it for some. */
  found(kind: TouchKind, what: string): void {
    const entry = this.enter(this.counter(kind, what), { package: null, at: null })!
    entry.count++
    if (this.strict && breaksStrict(entry)) this.violation ??= this.refusal(entry)
  }

  /** Everything that was touched, in one order. */
  touches(): Touch[] {
    return [...this.entries.values()]
      .filter(({ count }) => count > 0)
      .sort(
        (a, b) =>
          compareText(a.kind, b.kind) ||
          compareText(a.what, b.what) ||
          compareText(a.at ?? '', b.at ?? '') ||
          compareText(a.package ?? '', b.package ?? ''),
      )
  }

  private entryOf(counter: Counter, below: Call): Entry | null {
    const [nearest] = framesAbove(below, 1)
    const script = nearest?.getScriptNameOrSourceURL() ?? null
    // Called by `Object.keys`, `Array.from`, a function made of text …: whoever called that.
    if (script === null || callers.has(script)) return this.enter(counter, this.handed(framesAbove(below)))
    if (this.places.isNode(script)) {
      // Node's own reading of settings and clocks; other calls may have gone through it.
      return hot.has(counter.kind) ? null : this.enter(counter, this.places.placeOf(framesAbove(below)))
    }
    let lines = counter.sites.get(script)
    if (lines === undefined) {
      lines = new Map()
      counter.sites.set(script, lines)
    }
    const position = nearest!.getPosition()
    let site = lines.get(position)
    if (site === undefined) {
      site = { entry: null, follow: hot.has(counter.kind) ? 1 : followed }
      lines.set(position, site)
    }
    if (site.follow > 0) {
      site.follow--
      site.entry = this.enter(counter, this.places.placeOf(framesAbove(below)))
    }
    return site.entry
  }

  /** Nobody's line, but no less a call of the step's, where it gave one of Node's functions itself to a promise or a timer. */
  private handed(frames: readonly NodeJS.CallSite[]): Place | null {
    const place = this.places.placeOf(frames)
    if (place !== null) return place
    const first = frames.map((frame) => frame.getScriptNameOrSourceURL()).find((script) => typeof script === 'string')
    return first === undefined || callers.has(first) ? { package: null, at: null } : null
  }

  private enter({ kind, what }: Counter, place: Place | null): Entry | null {
    if (place === null) return null
    const key = JSON.stringify([kind, what, place.at, place.package])
    let entry = this.entries.get(key)
    if (entry === undefined) {
      entry = { kind, what, ...place, count: 0 }
      this.entries.set(key, entry)
    }
    return entry
  }

  private refusal(touch: Touch): ZenmlError {
    return new ZenmlError(
      `ZEN_STRICT_${touch.kind.toUpperCase()}`,
      `Step "${this.step}" is strict, but ${touchClause(touch)}${touchPlace(touch)}.`,
      { next: touchAdvice[touch.kind], exitCode: 1, facts: { ...touch } },
    )
  }
}
