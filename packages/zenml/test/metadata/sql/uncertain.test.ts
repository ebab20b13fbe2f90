import { expect, it } from 'vitest'
import { serverDatabase } from '../../../src/metadata/sql/server.ts'
import type { ServerDialect, ServerSession } from '../../../src/metadata/sql/server-session.ts'
import { insert } from '../../../src/metadata/sql/work.ts'

/** A server that ends at the given words and never comes back; a real one that stays away for good takes a minute each time. */
function endingAt(words: string): ServerDialect<ServerSession> {
  let gone = false
  const away = (): Error => Object.assign(new Error('connect ECONNREFUSED'), { code: 'ECONNREFUSED' })
  return {
    type: 'mysql',
    place: 'the mysql database "d" at h:1',
    async connect() {
      if (gone) throw away()
      let lost = false
      const answer = { rows: [], ids: [1], changes: 1, first: 1 }
      const say = async (text: string): Promise<void> => {
        if (gone || text !== words) return
        gone = true
        lost = true
        throw away()
      }
      return {
        get lost() {
          return lost
        },
        begin: () => say('BEGIN'),
        run: async () => answer,
        runAll: async (statements) => statements.map(() => ({ answer })),
        end: say,
        close: async () => undefined,
        destroy: () => undefined,
      }
    },
    fate: async () => 'ended',
    kindOf: (error) => ((error as { code?: string }).code === 'ECONNREFUSED' ? 'lost' : 'other'),
    inPlainWords: () => new Error('in plain words: it cannot be reached'),
    same: (column) => `${column} <=> ?`,
  }
}

const add = () => insert({ table: 'Artifact', columns: ['type_id'], rows: [[1]], ids: true })

it('a change whose COMMIT was sent to a server that then stays away is uncertain, and not to be repeated', async () => {
  await using database = serverDatabase(endingAt('COMMIT'), 50)
  await expect(database.write(add)).rejects.toMatchObject({ code: 'ZEN_METADATA_UNCERTAIN' })
})

it('a change that a server which stays away cannot have saved may be repeated', async () => {
  await using database = serverDatabase(endingAt('BEGIN'), 50)
  await expect(database.write(add)).rejects.toThrow('in plain words: it cannot be reached')
})
