import { fixedVariables } from '../fixed-variables.ts'
import type { Call, Taps } from './tap.ts'
import type { Ledger } from './trace-ledger.ts'

/** Folders of the step's own, which the backend makes for it. */
const ownFolders = ['HOME', 'TMPDIR']

/** Watches readings of environment variables that the step does not declare; what it set itself is its own. */
export function watchEnvironment(taps: Taps, ledger: Ledger, declared: readonly string[]): void {
  // `toJSON` is what JSON.stringify asks of any object.
  const known = new Set<PropertyKey>([...declared, ...Object.keys(fixedVariables), ...ownFolders, 'toJSON'])
  const read = (name: PropertyKey, below: Call): void => {
    if (typeof name !== 'string' || known.has(name) || !taps.idle) return
    taps.quietly(() => ledger.hit(ledger.counter('variable', name), below))
  }
  const handler: ProxyHandler<NodeJS.ProcessEnv> = {
    get(target, name) {
      read(name, handler.get as Call)
      return Reflect.get(target, name)
    },
    has(target, name) {
      read(name, handler.has as Call)
      return Reflect.has(target, name)
    },
    getOwnPropertyDescriptor(target, name) {
      read(name, handler.getOwnPropertyDescriptor as Call)
      return Reflect.getOwnPropertyDescriptor(target, name)
    },
    ownKeys(target) {
      read('*', handler.ownKeys as Call)
      return Reflect.ownKeys(target)
    },
    set(target, name, value) {
      known.add(name)
      // Not with the proxy as receiver: the environment takes plain values only.
      return Reflect.set(target, name, value)
    },
    deleteProperty(target, name) {
      known.add(name)
      return Reflect.deleteProperty(target, name)
    },
  }
  process.env = new Proxy(process.env, handler)
}
