import type { Connection } from 'mysql2/promise'
import { answerOf, insertText } from '../sql/mysql-text.ts'
import type { Answer, Insert, Query, Work } from '../sql/work.ts'

/** Runs work on one connection of MySQL, without a transaction of its own: statements that change tables end one anyway. */
export async function runWork<T>(connection: Connection, work: Work<T>): Promise<T> {
  let next = work.next()
  while (next.done !== true) next = work.next(await answer(connection, next.value))
  return next.value
}

async function answer(connection: Connection, statement: Query | Insert): Promise<Answer> {
  const { text, values } =
    'table' in statement ? { text: insertText(statement), values: statement.rows.flat() } : statement
  const [result, fields] = await connection.query(text, [...values])
  return answerOf(statement, result, fields, 1)
}
