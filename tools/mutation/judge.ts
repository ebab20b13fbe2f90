import { describe, it } from 'vitest'

/**
 * Lets the tests of a file judge the mutants. Several files are loaded into one, because Vitest's way into a file costs more than
 * most of these tests; and a mutant that no file survives being loaded with must fail a test, or it would count as not noticed.
 */
export function judge(name: string, load: () => Promise<unknown>): void {
  describe(name, async () => {
    let failure: unknown
    await load().catch((error: unknown) => {
      failure = error
    })
    it('can be loaded', () => {
      if (failure !== undefined) throw failure
    })
  })
}
