import type { Connection } from 'mysql2/promise'
import { answerOf, insertText } from '../sql/mysql-text.ts'
import type { Answer, Outcome, Statement, Work } from '../sql/work.ts'

/** Runs work on one connection of MySQL, without a transaction of its own: statements that change tables end one anyway. */
export async function runWork<T>(connection: Connection, work: Work<T>): Promise<T> {
  let next = work.next()
  while (next.done !== true) {
    const asked = next.value
    next = work.next('batch' in asked ? await answers(connection, asked.batch) : await answer(connection, asked))
  }
  return next.value
}

/** A batch, statement by statement: an upgrade is in no hurry. */
async function answers(connection: Connection, batch: readonly Statement[]): Promise<Answer> {
  const outcomes: Outcome[] = []
  for (const statement of batch) outcomes.push({ answer: await answer(connection, statement) })
  return { rows: [], ids: [], changes: 0, outcomes }
}

async function answer(connection: Connection, statement: Statement): Promise<Answer> {
  const { text, values } =
    'table' in statement ? { text: insertText(statement), values: statement.rows.flat() } : statement
  const [result, fields] = await connection.query(text, [...values])
  return answerOf(statement, result, fields, 1)
}
