import { realpathSync } from 'node:fs'
import { syncBuiltinESMExports } from 'node:module'
import { join } from 'node:path'
import type { ZenmlError } from '../../base/errors.ts'
import type { StepInput, StepOutput } from '../../model/step-protocol.ts'
import { Taps } from './tap.ts'
import { watchCalls } from './trace-calls.ts'
import { watchClocks } from './trace-clock.ts'
import { watchEnvironment } from './trace-environment.ts'
import { FileWatch } from './trace-files.ts'
import { Ledger } from './trace-ledger.ts'
import { Places } from './trace-places.ts'

/** What is told at the end. */
export interface Trace {
  /** The first undeclared touch of a strict step. */
  violation(): ZenmlError | null
  /** The stack of an error in terms of the user's source; of one of ours without our own calls, which say nothing to anybody. */
  stackOf(stack: string, ours: boolean): string
  /** Stops watching, and gives what was seen. */
  end(): Pick<StepOutput, 'touches' | 'observed' | 'loaded'>
}

const untraced: Trace = {
  violation: () => null,
  stackOf: (stack) => stack,
  end: () => ({ touches: [], observed: { files: {} }, loaded: {} }),
}

/** Watches this process for what its step touches outside of its declared inputs; called before any code of the step is loaded. */
export function startTrace(directory: string, { step, trace, inputs }: StepInput): Trace {
  if (trace === null) return untraced
  const [own, root] = [realpathSync(directory), realpathSync(trace.repository)]
  const places = new Places(join(own, 'code'), root)
  const ledger = new Ledger(step, trace.strict, places)
  const taps = new Taps()
  const declared = Object.values(inputs).flatMap((input) =>
    input.kind === 'source' ? input.files.map(({ path }) => path) : [],
  )
  const files = new FileWatch(
    { own, root, declared: new Set(declared), packages: new Set(trace.packages) },
    ledger,
    places,
  )
  files.watch(taps)
  watchClocks(taps, ledger)
  watchCalls(taps, ledger)
  watchEnvironment(taps, ledger, trace.variables)
  // Modules that name single functions of Node's own get the watched ones too.
  syncBuiltinESMExports()
  return {
    violation: () => ledger.violation,
    stackOf(stack, ours) {
      return taps.quietly(() => places.sourceStack(stack, (name) => ours && /^(node$|zenml$|@zenml\/)/.test(name)))
    },
    end() {
      taps.stop()
      return taps.quietly(() => ({
        touches: ledger.touches(),
        observed: { files: files.observed() },
        loaded: files.loaded(),
      }))
    },
  }
}
