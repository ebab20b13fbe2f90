import { describe, expect, it } from 'vitest'
import { databaseTypes, freshStore, runs, type StoreClient } from './store.ts'

const text = (value: string): object => ({ string_value: value })

/** Every status or answer, in any order. */
async function all(calls: readonly Promise<unknown>[]): Promise<readonly unknown[]> {
  return await Promise.all(calls)
}

describe.each(databaseTypes)('on %s (skipped without a server)', (type) => {
  it.skipIf(!runs(type))('of those who change an artifact at the time that they all read, one does', async () => {
    // A clock that stands still, as it does for those who come in one millisecond.
    await using store = await freshStore(type, () => 1000)
    const clients: readonly StoreClient[] = [store, await store.another(), await store.another()]
    await store.call('PutArtifactType', { artifact_type: { name: 'T' } })
    await store.call('PutArtifacts', { artifacts: [{ type_id: 10, uri: 'start' }] })
    for (const round of [0, 1, 2]) {
      const { artifacts } = await store.call('GetArtifactsByID', { artifact_ids: [1] })
      const { last_update_time_since_epoch } = artifacts[0]
      const ends = await all(
        [0, 1, 2, 3, 4, 5].map((writer) =>
          clients[writer % clients.length]!.call('PutArtifacts', {
            artifacts: [{ id: 1, uri: `${round} ${writer}`, last_update_time_since_epoch }],
            options: { abort_if_latest_updated_time_changed: true },
          }),
        ),
      )
      expect(ends.filter((end) => end === 'FAILED_PRECONDITION')).toHaveLength(5)
    }
  })

  it.skipIf(!runs(type))('an execution that is replaced by many at once is as one of them said', async () => {
    await using store = await freshStore(type)
    const clients: readonly StoreClient[] = [store, await store.another(), await store.another()]
    await store.call('PutExecutionType', { execution_type: { name: 'T' } })
    await store.call('PutExecutions', { executions: [{ type_id: 10 }] })
    for (const round of [0, 1, 2, 3]) {
      await all(
        [0, 1, 2, 3, 4, 5].map((writer) =>
          clients[writer % clients.length]!.call('PutExecutions', {
            executions: [
              { id: 1, custom_properties: { [`a${round}${writer}`]: text('1'), [`b${round}${writer}`]: text('2') } },
            ],
          }),
        ),
      )
      const { executions } = await store.call('GetExecutionsByID', { execution_ids: [1] })
      const names = Object.keys(executions[0].custom_properties)
      expect(names.map((name) => name.slice(1))).toEqual([names[0]!.slice(1), names[0]!.slice(1)])
    }
  })

  it.skipIf(!runs(type))('many who give a type other properties, and its base type, at once all succeed', async () => {
    await using store = await freshStore(type)
    const clients: readonly StoreClient[] = [store, await store.another(), await store.another()]
    await store.call('PutArtifactType', { artifact_type: { name: 'T', properties: { first: 'STRING' } } })
    for (const round of [0, 1, 2]) {
      const ends = await all(
        [0, 1, 2, 3, 4, 5].map((writer) =>
          clients[writer % clients.length]!.call('PutArtifactType', {
            artifact_type: { name: 'T', properties: { [`p${round}`]: 'INT' }, base_type: 'MODEL' },
            can_add_fields: true,
            can_omit_fields: true,
          }),
        ),
      )
      expect(ends).toEqual(Array(6).fill({ type_id: '10' }))
    }
    const { artifact_type } = await store.call('GetArtifactType', { type_name: 'T' })
    expect(artifact_type.properties).toEqual({ first: 'STRING', p0: 'INT', p1: 'INT', p2: 'INT' })
    // What one process added, another that knows the type from before takes.
    const artifact = { type_id: 10, properties: { p2: { int_value: 1 } } }
    for (const { call } of clients)
      expect(await call('PutArtifacts', { artifacts: [artifact] })).toHaveProperty('artifact_ids')
  })

  it.skipIf(!runs(type))('contexts that are put below one another at once make no circle', async () => {
    await using store = await freshStore(type)
    const other = await store.another()
    await store.call('PutContextType', { context_type: { name: 'T' } })
    for (const round of [0, 1, 2, 3]) {
      const names = ['a', 'b', 'c', 'd'].map((name) => `${name}${round}`)
      const { context_ids: ids } = await store.call('PutContexts', {
        contexts: names.map((name) => ({ type_id: 10, name })),
      })
      const link = (child: number, parent: number): object => ({
        parent_contexts: [{ child_id: ids[child], parent_id: ids[parent] }],
      })
      await store.call('PutParentContexts', link(1, 2))
      await store.call('PutParentContexts', link(3, 0))
      const ends = await all([store.call('PutParentContexts', link(0, 1)), other.call('PutParentContexts', link(2, 3))])
      expect(ends.filter((end) => end === 'INVALID_ARGUMENT')).toHaveLength(1)
    }
  })

  it.skipIf(!runs(type))('a refused call neither undoes nor half does what others did together with it', async () => {
    await using store = await freshStore(type)
    await store.call('PutArtifactType', { artifact_type: { name: 'T' } })
    await store.call('PutArtifacts', { artifacts: [{ type_id: 10, name: 'taken', uri: 'taken' }] })
    const ends = await all(
      Array.from({ length: 40 }, (_, index) =>
        store.call('PutArtifacts', {
          artifacts: [
            { type_id: 10, uri: `before ${index}` },
            { type_id: 10, name: index % 2 === 0 ? 'taken' : `fresh ${index}`, uri: `behind ${index}` },
          ],
        }),
      ),
    )
    expect(ends.filter((end) => end === 'ALREADY_EXISTS')).toHaveLength(20)
    const { artifacts } = await store.call('GetArtifacts', {})
    const uris = artifacts.flatMap(({ uri }: { uri?: string }) => uri ?? []).sort()
    const kept = Array.from({ length: 20 }, (_, index) => [`before ${2 * index + 1}`, `behind ${2 * index + 1}`]).flat()
    expect(uris).toEqual([...kept, 'taken'].sort())
  })
})
