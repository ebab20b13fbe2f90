import Sqlite from 'better-sqlite3'
import { expect, it } from 'vitest'
import { sqliteDatabase } from '../../src/metadata/sql/sqlite.ts'
import { change } from '../../src/metadata/sql/work.ts'

it('answers a writer that writes again as soon as it is answered', async () => {
  const sqlite = new Sqlite(':memory:')
  sqlite.exec('CREATE TABLE counter (n INTEGER); INSERT INTO counter VALUES (0)')
  await using database = sqliteDatabase(sqlite)
  const add = () => database.write(() => change('UPDATE counter SET n = n + 1'))
  // With each number of turns of the microtask queue between the answer and the next write.
  for (let turns = 0; turns < 10; turns++) {
    let again: Promise<number> | undefined
    await add().then(async () => {
      for (let turn = 0; turn < turns; turn++) await undefined
      again = add()
    })
    await again
  }
  expect(sqlite.prepare('SELECT n FROM counter').pluck().get()).toBe(20)
}, 10_000)
