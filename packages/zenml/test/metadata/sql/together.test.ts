import { expect, it } from 'vitest'
import { openDatabase } from '../../../src/metadata/open.ts'
import { together } from '../../../src/metadata/sql/together.ts'
import { type Answer, change, insert, select, type Work } from '../../../src/metadata/sql/work.ts'
import { freshDatabase, isRunning, runningServers } from '../../support/databases.ts'

/** Work that asks one thing after another and gives what it was answered. */
function* asking(...texts: readonly string[]): Work<string> {
  let heard = ''
  for (const text of texts) heard += (yield* select<{ said: string }>(text))[0]!.said
  return heard
}

const answered = (text: string): Answer => ({ rows: [{ said: `<${text}>` }], ids: [], changes: 0 })

/** Drives work without a database: each statement is answered with its own text, those with `bad` in it fail. */
function played<T>(work: Work<T>): { readonly rounds: readonly string[][]; readonly value: T } {
  const rounds: string[][] = []
  let next = work.next()
  while (next.done !== true) {
    const statements = ('batch' in next.value ? next.value.batch : [next.value]) as readonly { text: string }[]
    rounds.push(statements.map(({ text }) => text))
    const outcomes = statements.map(({ text }) =>
      text.includes('bad') ? { error: new Error(text) } : { answer: answered(text) },
    )
    if ('batch' in next.value) next = work.next({ rows: [], ids: [], changes: 0, outcomes })
    else next = 'error' in outcomes[0]! ? work.throw(outcomes[0].error) : work.next(outcomes[0]!.answer)
  }
  return { rounds, value: next.value }
}

it('works side by side ask in as many rounds as the longest of them, and each hears its own answers', () => {
  const { rounds, value } = played(together([asking('a1', 'a2'), asking(), asking('c1', 'c2', 'c3'), asking('d1')]))
  expect(rounds).toEqual([['a1', 'c1', 'd1'], ['a2', 'c2'], ['c3']])
  expect(value).toEqual(['<a1><a2>', '', '<c1><c2><c3>', '<d1>'])
})

it('works that are themselves side by side share their rounds', () => {
  const inner = function* (): Work<string> {
    const [first, second] = yield* together([asking('b1'), asking('c1', 'c2')])
    return `${first}${second}${yield* asking('b3')}`
  }
  const { rounds, value } = played(together([asking('a1', 'a2'), inner(), asking('d1')]))
  expect(rounds).toEqual([['a1', 'b1', 'c1', 'd1'], ['a2', 'c2'], ['b3']])
  expect(value).toEqual(['<a1><a2>', '<b1><c1><c2><b3>', '<d1>'])
})

it('an error that a work finds itself waits for those before it, and stops those behind it', () => {
  const failing = function* (): Work<never> {
    yield* asking('b1')
    throw new Error('b')
  }
  const asked: string[][] = []
  const work = together([asking('a1', 'a2', 'a3'), failing(), asking('c1', 'c2', 'c3')])
  let next = work.next()
  expect(() => {
    for (;;) {
      const statements = ('batch' in next.value! ? next.value.batch : [next.value]) as readonly { text: string }[]
      asked.push(statements.map(({ text }) => text))
      const outcomes = statements.map(({ text }) => ({ answer: answered(text) }))
      next = statements.length > 1 ? work.next({ ...answered(''), outcomes }) : work.next(outcomes[0]!.answer)
    }
  }).toThrow('b')
  expect(asked).toEqual([['a1', 'b1', 'c1'], ['a2'], ['a3']])
})

it('the first statement that the database refuses ends all, in the words of its own work', () => {
  const inOwnWords = function* (text: string): Work<string> {
    try {
      return yield* asking(text)
    } catch (error) {
      throw new Error(`refused: ${(error as Error).message}`)
    }
  }
  expect(() => played(together([asking('a1', 'a2'), inOwnWords('bad 1'), inOwnWords('bad 2')]))).toThrow(
    'refused: bad 1',
  )
  const nested = function* (): Work<unknown> {
    return yield* together([asking('b1'), inOwnWords('bad')])
  }
  expect(() => played(together([asking('a1'), nested(), asking('c1')]))).toThrow('refused: bad')
  // One that hears of it and has nothing to say cannot go on either.
  const deaf = function* (): Work<void> {
    try {
      yield* asking('bad')
    } catch {}
    yield* asking('more')
  }
  expect(() => played(together([asking('a1'), deaf()]))).toThrow('bad')
})

it.each(['sqlite', ...runningServers] as const)(
  'what is asked together on %s runs in its order, and fails as a whole',
  async (type) => {
    await using place = type === 'sqlite' ? undefined : freshDatabase(type)
    await using database = await openDatabase(place?.location ?? { type: 'sqlite', path: ':memory:' })
    const add = (name: string): Work<readonly number[]> =>
      insert({ table: 'Context', columns: ['type_id', 'name'], rows: [[1, name]], ids: true })
    const names = 'SELECT id, name FROM Context ORDER BY id'
    const [, rows, second, changed] = await database.write(() =>
      together([add('a'), select(names), add('b'), change('UPDATE Context SET type_id = 2')]),
    )
    expect(rows).toEqual([{ id: 1, name: 'a' }])
    expect(second).toEqual([2])
    expect(changed).toBe(2)
    await expect(
      database.write(() =>
        together([add('c'), change(`INSERT INTO Context (type_id, name) VALUES (2, 'b')`), add('d')]),
      ),
    ).rejects.toMatchObject({ name: 'SqlError', kind: 'unique' })
    await expect(
      database.write(() => together([add('e'), select('SELECT absent FROM Context'), select(names)])),
    ).rejects.toMatchObject({ name: 'SqlError', kind: 'missing' })
    // The connection is as good as before, for what was prepared and for what was not.
    expect(await database.write(() => together([select(names), select('SELECT 1 AS one')]))).toEqual([
      [
        { id: 1, name: 'a' },
        { id: 2, name: 'b' },
      ],
      [{ one: 1 }],
    ])
  },
)

it.skipIf(!isRunning('mysql'))(
  'a statement that MySQL would end the connection for is refused among others as it is alone (skipped without a server)',
  async () => {
    await using fresh = freshDatabase('mysql')
    await using database = await openDatabase(fresh.location)
    const [{ size }] = await fresh.sql('SELECT @@max_allowed_packet AS size')
    const large = select('SELECT LENGTH(?) AS length', ['x'.repeat(Number(size))])
    const add = insert({ table: 'Context', columns: ['type_id', 'name'], rows: [[1, 'a']] })
    await expect(database.write(() => together([add, large, select('SELECT 1 AS one')]))).rejects.toMatchObject({
      kind: 'long',
    })
    expect(await database.write(() => together([select('SELECT id FROM Context'), select('SELECT 1 AS one')]))).toEqual(
      [[], [{ one: 1 }]],
    )
  },
)

it.each(runningServers)('many and large statements go to %s together, and large answers come back', async (type) => {
  await using fresh = freshDatabase(type)
  await using database = await openDatabase(fresh.location)
  const text = 'x'.repeat(1 << 20)
  const columns = ['execution_id', 'name', 'is_custom_property', 'string_value']
  const read = `SELECT string_value FROM ExecutionProperty WHERE execution_id = ? AND name = 'n'`
  const found = await database.write(() =>
    together(
      Array.from({ length: 12 }, function* (_, index): Work<string> {
        yield* insert({ table: 'ExecutionProperty', columns, rows: [[index, 'n', false, `${index}${text}`]] })
        return (yield* select<{ string_value: string }>(read, [index]))[0]!.string_value
      } as (value: unknown, index: number) => Work<string>),
    ),
  )
  expect(found.map((value) => value.slice(0, 2) + value.length)).toEqual(
    Array.from({ length: 12 }, (_, index) => `${index}${text}`).map((value) => value.slice(0, 2) + value.length),
  )
  // More different ones than are kept prepared.
  const numbers = Array.from({ length: 450 }, (_, index) => index)
  const answers = await database.read(() => together(numbers.map((number) => select(`SELECT ${number} AS number`))))
  expect(answers).toEqual(numbers.map((number) => [{ number }]))
})
