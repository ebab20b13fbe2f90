import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import Sqlite from 'better-sqlite3'
import { hasFacts, mlmdFacts } from './golden.ts'

/** The folder of databases that Google's library wrote. */
export const samples: string = join(mlmdFacts, 'samples')
/** Their files on SQLite; none where the folder is missing. */
export const sampleFiles: readonly string[] = hasFacts
  ? readdirSync(samples).filter((name) => /\.(sqlite|db)$/.test(name))
  : []

/** What was asked of the real core, and what it said. */
export interface Question {
  readonly rpc: string
  readonly request: object
  readonly status?: string
  readonly response?: object
}

/** What was recorded of a sample. */
export function questionsOf(file: string): readonly Question[] {
  const path = [`${file}.expected.json`, `${file.replace(/\.[a-z]+$/, '')}.expected.json`]
    .map((name) => join(samples, name))
    .find((name) => existsSync(name))!
  const known = JSON.parse(readFileSync(path, 'utf8'))
  return Array.isArray(known)
    ? known
    : Object.entries(known as { [rpc: string]: Omit<Question, 'rpc'> }).map(([rpc, rest]) => ({ rpc, ...rest }))
}

/** The schema version of an SQLite database. */
export function versionOf(path: string): number {
  const database = new Sqlite(path, { readonly: true })
  try {
    return database.prepare('SELECT schema_version FROM MLMDEnv').pluck().get() as number
  } finally {
    database.close()
  }
}
