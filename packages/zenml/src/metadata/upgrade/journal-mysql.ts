import type { Connection, RowDataPacket } from 'mysql2/promise'
import { journalTable } from '../mysql-schema.ts'
import { runWork } from './run-work.ts'
import { countEvents } from './upgrade-work.ts'

/** What a database says of its upgrade from before the first change to the end. */
export interface Begun {
  /** The database that is a copy; none where the user has one. */
  readonly backup: string | null
  /** How many events there were. */
  readonly events: number
}

/** Makes the table for it; empty, it says that nothing has begun. */
export async function createJournal(connection: Connection): Promise<void> {
  await connection.query('CREATE TABLE IF NOT EXISTS ?? (backup VARCHAR(64), events BIGINT NOT NULL)', [journalTable])
}

/** Says that the upgrade has begun, in the transaction that is open. */
export async function writeJournal(connection: Connection, backup: string | null): Promise<Begun> {
  const events = await runWork(connection, countEvents())
  await connection.query('INSERT INTO ?? (backup, events) VALUES (?, ?)', [journalTable, backup, events])
  return { backup, events }
}

/** What was written when the upgrade began. */
export async function readJournal(connection: Connection): Promise<Begun> {
  const [rows] = await connection.query<RowDataPacket[]>('SELECT backup, events FROM ??', [journalTable])
  const { backup, events } = rows[0] as Begun
  return { backup, events: Number(events) }
}

/** Says that the upgrade has ended, in the transaction that is open. */
export async function clearJournal(connection: Connection): Promise<void> {
  await connection.query('DELETE FROM ??', [journalTable])
}

/** Takes the empty table away. A user may lack the right to drop tables; an empty one is in nobody's way. */
export async function dropJournal(connection: Connection): Promise<void> {
  try {
    await connection.query('DROP TABLE IF EXISTS ??', [journalTable])
  } catch (error) {
    if ((error as { errno?: number }).errno !== 1142) throw error
  }
}
