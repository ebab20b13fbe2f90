import type { Answer, Batch, Outcome, Statement, Work } from './work.ts'

/** What several works give, each at its place. */
type Results<W extends readonly Work<unknown>[]> = {
  -readonly [at in keyof W]: W[at] extends Work<infer T> ? T : never
}

interface Strand {
  readonly work: Work<unknown>
  next: IteratorResult<Statement | Batch, unknown> | { readonly thrown: unknown }
}

/**
 * Does several works side by side, so that what they ask at the same time goes to the database in one batch.
 *
 * None may need what another one writes. What goes wrong is said as if they were done one after the other: where two find
 * something wrong, the first of them speaks. Those behind it are then left as they are, since the transaction is lost.
 *
 * @example
 * const [ids, rows] = yield* together([insert({ table, columns, rows, ids: true }), select('SELECT id FROM Type')])
 */
export function* together<const W extends readonly Work<unknown>[]>(works: W): Work<Results<W>> {
  let strands: Strand[] = works.map((work) => ({ work, next: advanced(() => work.next()) }))
  for (;;) {
    const failed = strands.findIndex(({ next }) => 'thrown' in next)
    // Those before it may still find something themselves.
    if (failed >= 0) strands = strands.slice(0, failed + 1)
    const going = strands.flatMap((strand) => {
      const asked = askedBy(strand)
      return asked === undefined ? [] : [{ strand, asked }]
    })
    if (going.length === 0) break
    const outcomes = yield* ask(going.flatMap(({ asked }) => ('batch' in asked ? asked.batch : [asked])))
    let from = 0
    for (const { strand, asked } of going) {
      const to = from + ('batch' in asked ? asked.batch.length : 1)
      proceed(strand, asked, outcomes.slice(from, to))
      from = to
    }
  }
  return strands.map(({ next }) => {
    if ('thrown' in next) throw next.thrown
    return next.value
  }) as Results<W>
}

function advanced(step: () => IteratorResult<Statement | Batch, unknown>): Strand['next'] {
  try {
    return step()
  } catch (thrown) {
    return { thrown }
  }
}

function askedBy({ next }: Strand): Statement | Batch | undefined {
  return 'thrown' in next || next.done === true ? undefined : next.value
}

/** Asks for one as one, which spares the driver a batch. */
function* ask(statements: readonly Statement[]): Work<readonly Outcome[]> {
  if (statements.length > 1) return (yield { batch: statements }).outcomes!
  try {
    return [{ answer: yield statements[0]! }]
  } catch (error) {
    return [{ error }]
  }
}

/** Gives a work its answers. Throws what the database refused: nothing can be asked in a transaction that failed. */
function proceed(strand: Strand, asked: Statement | Batch, outcomes: readonly Outcome[]): void {
  const { work } = strand
  const failed = outcomes.find((outcome) => 'error' in outcome)
  if ('batch' in asked) strand.next = advanced(() => work.next({ ...nothing, outcomes }))
  else if (failed !== undefined) strand.next = advanced(() => work.throw(failed.error))
  else strand.next = advanced(() => work.next((outcomes[0] as { readonly answer: Answer }).answer))
  if (failed === undefined) return
  // The work said in its own words what went wrong, or had nothing to say.
  throw 'thrown' in strand.next ? strand.next.thrown : failed.error
}

const nothing: Answer = { rows: [], ids: [], changes: 0 }
