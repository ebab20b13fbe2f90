import { describe, expect, it } from 'vitest'
import { databaseTypes, freshStore, runs, type Store } from './store.ts'

const text = (value: string): object => ({ string_value: value })

async function withTypes(store: Store): Promise<void> {
  await store.call('PutArtifactType', { artifact_type: { name: 'A' } })
  await store.call('PutExecutionType', { execution_type: { name: 'E' } })
  await store.call('PutContextType', { context_type: { name: 'C' } })
}

const execution = { type_id: 11 }

describe.each(databaseTypes)('on %s (skipped without a server)', (type) => {
  it.skipIf(!runs(type))('contexts that are reused by id need nothing else, and are left as they are', async () => {
    await using store = await freshStore(type)
    await withTypes(store)
    await store.call('PutContexts', { contexts: [{ type_id: 12, name: 'c', custom_properties: { p: text('kept') } }] })
    for (const reuse_context_if_already_exist of [false, true]) {
      const options = { force_reuse_context: true, reuse_context_if_already_exist }
      const put = (contexts: readonly object[]): Promise<{ context_ids: unknown }> =>
        store.call('PutExecution', { execution, contexts, options })
      expect((await put([{ id: 1 }])).context_ids).toEqual(['1'])
      expect((await put([{ id: 1, type_id: 12, name: 'other' }])).context_ids).toEqual(['1'])
      expect(await put([{ id: 77 }])).toBe('NOT_FOUND')
    }
    const { contexts } = await store.call('GetContextsByID', { context_ids: [1] })
    expect(contexts[0]).toMatchObject({ name: 'c', custom_properties: { p: text('kept') } })
    const { executions } = await store.call('GetExecutionsByContext', { context_id: 1 })
    expect(executions).toHaveLength(4)
  })

  it.skipIf(!runs(type))('contexts that are reused by name stay, those that are named by id are changed', async () => {
    await using store = await freshStore(type)
    await withTypes(store)
    const context = { type_id: 12, name: 'c', custom_properties: { p: text('first') } }
    const changed = { ...context, custom_properties: { p: text('second') } }
    const put = (contexts: readonly object[]): Promise<{ context_ids: unknown }> =>
      store.call('PutExecution', { execution, contexts, options: { reuse_context_if_already_exist: true } })
    const stored = async (): Promise<unknown> =>
      (await store.call('GetContexts', {})).contexts.map((one: { custom_properties: unknown }) => one.custom_properties)
    expect((await put([context, context])).context_ids).toEqual(['1', '1'])
    expect((await put([changed])).context_ids).toEqual(['1'])
    expect(await stored()).toEqual([{ p: text('first') }])
    expect((await put([{ ...changed, id: 1 }])).context_ids).toEqual(['1'])
    expect(await stored()).toEqual([{ p: text('second') }])
    expect((await put([{ type_id: 12, name: 'new' }, { ...context, id: 1 }, changed])).context_ids).toEqual([
      '2',
      '1',
      '1',
    ])
    expect(await put([{ ...context, id: 2 }])).toBe('ALREADY_EXISTS')
    expect(await put([{ name: 'c' }])).toBe('INVALID_ARGUMENT')
    expect(await put([{ type_id: 12 }])).toBe('INVALID_ARGUMENT')
    expect(await put([{ type_id: 10, name: 'c' }])).toBe('NOT_FOUND')
  })

  it.skipIf(!runs(type))(
    'artifacts that are reused by external id are changed, also those of the same request',
    async () => {
      await using store = await freshStore(type)
      await withTypes(store)
      const artifact = (external_id: string, uri: string): object => ({ artifact: { type_id: 10, external_id, uri } })
      const put = (...artifact_event_pairs: readonly object[]): Promise<{ artifact_ids: unknown }> =>
        store.call('PutExecution', {
          execution,
          artifact_event_pairs,
          options: { reuse_artifact_if_already_exist_by_external_id: true },
        })
      const first = await put(artifact('x', 'u1'), artifact('y', 'u2'), artifact('x', 'u3'), artifact('y', 'u4'))
      expect(first.artifact_ids).toEqual(['1', '2', '1', '2'])
      const { artifacts } = await store.call('GetArtifacts', {})
      expect(artifacts.map(({ uri }: { uri: string }) => uri)).toEqual(['u3', 'u4'])
      expect((await put(artifact('y', 'u5'), artifact('z', 'u6'))).artifact_ids).toEqual(['2', '3'])
    },
  )

  it.skipIf(!runs(type))('an event must lead to an artifact that is there, and to its own execution', async () => {
    await using store = await freshStore(type)
    await withTypes(store)
    await store.call('PutArtifacts', { artifacts: [{ type_id: 10 }] })
    const put = (...artifact_event_pairs: readonly object[]): Promise<{ artifact_ids: unknown }> =>
      store.call('PutExecution', { execution, artifact_event_pairs })
    expect((await put({}, { event: { artifact_id: 1, type: 'INPUT' } })).artifact_ids).toEqual(['-1', '1'])
    for (const pair of [
      { event: { artifact_id: -1, type: 'INPUT' } },
      { event: { artifact_id: 2, type: 'INPUT' } },
      { event: { type: 'INPUT' } },
      { event: { artifact_id: 1 } },
      { event: { artifact_id: 1, execution_id: 1, type: 'INPUT' } },
      { artifact: { id: 1 }, event: { artifact_id: 2, type: 'INPUT' } },
      { artifact: { type_id: 10 }, event: { artifact_id: 1, type: 'INPUT' } },
      { artifact: { type_id: 10 }, event: { type: 'INPUT', path: { steps: [{}] } } },
    ])
      expect(await put(pair), JSON.stringify(pair)).toBe('INVALID_ARGUMENT')
    const again = { event: { artifact_id: 1, type: 'INPUT' } }
    expect(await put(again, again)).toBe('ALREADY_EXISTS')
    // Whatever was refused left nothing behind.
    expect((await store.call('GetExecutions', {})).executions).toHaveLength(1)
    expect((await store.call('GetArtifacts', {})).artifacts).toHaveLength(1)
    expect((await store.call('GetEventsByArtifactIDs', { artifact_ids: [1, 2] })).events).toHaveLength(1)
  })

  it.skipIf(!runs(type))('a type keeps the id that it was given, whoever names another', async () => {
    await using store = await freshStore(type)
    const put = (artifact_type: object, options: object = {}): Promise<unknown> =>
      store.call('PutArtifactType', { artifact_type, ...options })
    expect(await put({ name: 'T', version: '1', properties: { a: 'INT' } })).toEqual({ type_id: '10' })
    expect(await put({ name: 'T', properties: { a: 'STRING' } })).toEqual({ type_id: '11' })
    expect(await put({ id: 10, name: 'T', version: '1', properties: { a: 'INT' } })).toEqual({ type_id: '10' })
    expect(await put({ id: 11, name: 'T', version: '1', properties: { a: 'INT' } })).toBe('INVALID_ARGUMENT')
    // One that adds and omits the same number of properties is no other than one that only adds.
    const swapped = { name: 'T', version: '1', properties: { b: 'INT' } }
    expect(await put(swapped)).toBe('ALREADY_EXISTS')
    expect(await put(swapped, { can_add_fields: true })).toBe('ALREADY_EXISTS')
    expect(await put(swapped, { can_omit_fields: true })).toBe('ALREADY_EXISTS')
    expect(await put(swapped, { can_add_fields: true, can_omit_fields: true })).toEqual({ type_id: '10' })
    expect(await put({ name: 'T', version: '1' }, { can_omit_fields: true, all_fields_match: false })).toBe(
      'UNIMPLEMENTED',
    )
    expect(await put({ name: 'T', version: '1' }, { can_omit_fields: true, can_delete_fields: true })).toBe(
      'UNIMPLEMENTED',
    )
  })
})
