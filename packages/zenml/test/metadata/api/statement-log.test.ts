import { expect, it } from 'vitest'
import { startServer } from '../../support/servers.ts'
import { freshStore, runs } from './store.ts'

it.skipIf(!runs('mysql'))(
  'where a log of statements asks for snapshots, those who store a type at once still store it once (skipped without a server)',
  async () => {
    const options = ['--log-bin', '--binlog-format=STATEMENT', '--server-id=1']
    await using server = await startServer('mysql', { options })
    await using store = await freshStore('mysql', undefined, server)
    const clients = [store, await store.another(), await store.another()]
    for (const name of ['a', 'b', 'c', 'd', 'e']) {
      const ids = await Promise.all(
        [0, 1, 2, 3, 4, 5].map(async (writer) => {
          const artifact_type = { name, properties: { [`p${writer % 2}`]: 'INT' } }
          const options = { can_add_fields: true, can_omit_fields: true }
          const answer = await clients[writer % 3]!.call('PutArtifactType', { artifact_type, ...options })
          return answer.type_id ?? answer
        }),
      )
      expect(new Set(ids).size, String(ids)).toBe(1)
    }
    expect((await store.call('GetArtifactTypes', {})).artifact_types).toHaveLength(5)
  },
)
