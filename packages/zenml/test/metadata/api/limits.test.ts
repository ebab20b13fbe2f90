import { describe, expect, it } from 'vitest'
import { metadataService } from '../../../src/metadata/api/service.ts'
import { administer, freshDatabase } from '../../support/databases.ts'
import { clientOf, databaseTypes, freshStore, runs } from './store.ts'

describe.each(databaseTypes)('on %s (skipped without a server)', (type) => {
  it.skipIf(!runs(type))('ids that no database gave are those of nothing', async () => {
    await using store = await freshStore(type)
    await store.call('PutArtifactType', { artifact_type: { name: 'A' } })
    await store.call('PutExecutionType', { execution_type: { name: 'E' } })
    await store.call('PutContextType', { context_type: { name: 'C' } })
    await store.call('PutArtifacts', { artifacts: [{ type_id: 10 }] })
    await store.call('PutExecutions', { executions: [{ type_id: 11 }] })
    await store.call('PutContexts', { contexts: [{ type_id: 12, name: 'c' }] })
    for (const id of ['-1', '0', '4294967297', '1099511627776', '9007199254740993', '9223372036854775807']) {
      const [artifact_id, execution_id, context_id] = [id, id, id]
      const ids = [id, '1']
      expect((await store.call('GetArtifactsByID', { artifact_ids: ids })).artifacts).toHaveLength(1)
      expect((await store.call('GetArtifactTypesByID', { type_ids: [id, '10'] })).artifact_types).toHaveLength(1)
      for (const [rpc, request, status] of [
        ['GetEventsByArtifactIDs', { artifact_ids: ids }, {}],
        ['GetEventsByExecutionIDs', { execution_ids: ids }, {}],
        ['GetContextsByArtifact', { artifact_id }, 'NOT_FOUND'],
        ['GetContextsByExecution', { execution_id }, 'NOT_FOUND'],
        ['GetParentContextsByContext', { context_id }, {}],
        ['GetArtifactsByContext', { context_id }, {}],
        ['GetExecutionsByContext', { context_id, options: {} }, {}],
        ['PutArtifacts', { artifacts: [{ id, uri: 'x' }] }, 'INVALID_ARGUMENT'],
        ['PutArtifacts', { artifacts: [{ type_id: id }] }, 'NOT_FOUND'],
        ['PutEvents', { events: [{ artifact_id, execution_id: 1, type: 'INPUT' }] }, 'INVALID_ARGUMENT'],
        ['PutParentContexts', { parent_contexts: [{ child_id: id, parent_id: 1 }] }, 'INVALID_ARGUMENT'],
        ['PutAttributionsAndAssociations', { attributions: [{ artifact_id, context_id: 1 }] }, 'INVALID_ARGUMENT'],
        [
          'PutExecution',
          { execution: { type_id: 11 }, artifact_event_pairs: [{ event: { artifact_id, type: 'INPUT' } }] },
          'INVALID_ARGUMENT',
        ],
      ] as const)
        expect(await store.call(rpc, request), `${rpc} ${id}`).toEqual(status)
    }
    expect(await store.call('GetEventsByExecutionIDs', { execution_ids: [1, 2] })).toEqual({})
  })

  it.skipIf(!runs(type))('what the database does not keep is refused, and nothing is cut', async () => {
    await using store = await freshStore(type)
    const type_id = 10
    await store.call('PutArtifactType', { artifact_type: { name: 'A', properties: { n: 'INT' } } })
    await store.call('PutExecutionType', { execution_type: { name: 'E' } })
    await store.call('PutExecutions', { executions: [{ type_id: 11 }] })
    await store.call('PutArtifacts', { artifacts: [{ type_id, uri: 'u' }] })
    const far = '9007199254740993'
    const beyond = type === 'sqlite' ? { artifact_ids: ['2'] } : 'OUT_OF_RANGE'
    const numbers = { artifacts: [{ type_id, properties: { n: { int_value: far } } }] }
    expect(await store.call('PutArtifacts', numbers)).toEqual(beyond)
    // Steps of paths and times are as exact as properties.
    const event = { artifact_id: 1, execution_id: 1, type: 'INPUT', milliseconds_since_epoch: far }
    const path = { steps: [{ index: far }, { key: 'k' }, { index: 3 }] }
    expect(await store.call('PutEvents', { events: [{ ...event, path }] })).toEqual(
      type === 'sqlite' ? {} : 'OUT_OF_RANGE',
    )
    if (type !== 'sqlite') await store.call('PutEvents', { events: [{ ...event, path: { steps: [{ index: 3 }] } }] })
    const { events } = await store.call('GetEventsByArtifactIDs', { artifact_ids: [1] })
    expect(events[0].milliseconds_since_epoch).toBe(far)
    if (type === 'sqlite') expect(events[0].path.steps[0]).toEqual({ index: far })
    // The columns of names are as wide as those of the real core on servers, and what one database refuses, all refuse.
    const long = 'n'.repeat(300)
    expect(await store.call('PutArtifacts', { artifacts: [{ type_id, name: long }] })).toEqual('INVALID_ARGUMENT')
    for (const nul of ['\0', 'a\0b', '__MLMD_NULL__', 'mlmd-struct::x'])
      for (const [rpc, request] of [
        ['PutArtifacts', { artifacts: [{ type_id, name: nul }] }],
        ['PutArtifacts', { artifacts: [{ type_id, uri: nul }] }],
        ['PutArtifacts', { artifacts: [{ type_id, external_id: nul }] }],
        ['PutArtifacts', { artifacts: [{ id: 1, external_id: nul }] }],
        ['PutArtifacts', { artifacts: [{ type_id, custom_properties: { p: { string_value: nul } } }] }],
        ['PutArtifacts', { artifacts: [{ type_id, custom_properties: { [nul]: { int_value: 1 } } }] }],
        ['PutArtifactType', { artifact_type: { name: nul } }],
        ['PutArtifactType', { artifact_type: { name: 'B', version: nul } }],
        ['PutArtifactType', { artifact_type: { name: 'B', description: nul } }],
        ['PutArtifactType', { artifact_type: { name: 'B', external_id: nul } }],
        ['PutArtifactType', { artifact_type: { name: 'B', properties: { [nul]: 'INT' } } }],
      ] as const)
        expect(await store.call(rpc, request), `${rpc} ${JSON.stringify(request)}`).toBe('INVALID_ARGUMENT')
    // Whatever is looked for, a database that cannot have it says so or finds nothing.
    for (const [rpc, request] of [
      ['GetArtifactsByURI', { uris: ['a\0b'] }],
      ['GetArtifactByTypeAndName', { type_name: 'A', artifact_name: 'a\0b' }],
    ] as const)
      expect(await store.call(rpc, request)).toEqual(type === 'postgres' ? 'INVALID_ARGUMENT' : {})
  })

  it.skipIf(!runs(type))('doubles come back to the last bit', async () => {
    await using store = await freshStore(type)
    await store.call('PutArtifactType', { artifact_type: { name: 'A' } })
    const doubles = [0.1234567890123, 1e-9, 1.5e300, 5e-324, 0.1 + 0.2, Number.MAX_VALUE, 2 ** 53 + 2]
    const custom_properties = Object.fromEntries(doubles.map((double_value, index) => [index, { double_value }]))
    await store.call('PutArtifacts', { artifacts: [{ type_id: 10, custom_properties }] })
    const { artifacts } = await store.call('GetArtifactsByID', { artifact_ids: [1] })
    expect(artifacts[0].custom_properties).toEqual(custom_properties)
    for (const double_value of ['NaN', 'Infinity', '-Infinity'])
      expect(
        await store.call('PutArtifacts', { artifacts: [{ type_id: 10, custom_properties: { d: { double_value } } }] }),
      ).toBe('INVALID_ARGUMENT')
  })
})

it.skipIf(!runs('mysql'))(
  'names that a database takes for one another are refused where one would overwrite the other (skipped without a server)',
  async () => {
    await using fresh = freshDatabase('mysql')
    const collation = 'CHARACTER SET utf8mb4 COLLATE utf8mb4_general_ci'
    await administer(fresh.location, undefined, `CREATE DATABASE ${fresh.location.database} ${collation}`)
    await using store = await clientOf(fresh.location)
    const value = (string_value: string): object => ({ string_value })
    const put = (artifact: object): Promise<unknown> => store.call('PutArtifacts', { artifacts: [artifact] })
    await store.call('PutArtifactType', { artifact_type: { name: 'A' } })
    expect(await put({ type_id: 10, custom_properties: { a: value('1'), A: value('2') } })).toBe('ALREADY_EXISTS')
    expect(await put({ type_id: 10, custom_properties: { a: value('1') } })).toHaveProperty('artifact_ids')
    const { artifacts } = await store.call('GetArtifacts', {})
    const { id } = artifacts[0]
    const stored = async (): Promise<unknown> =>
      (await store.call('GetArtifactsByID', { artifact_ids: [id] })).artifacts[0].custom_properties
    expect(await put({ id, custom_properties: { a: value('1'), A: value('2') } })).toBe('ALREADY_EXISTS')
    expect(await stored()).toEqual({ a: value('1') })
    // One may take the place of the other.
    expect(await put({ id, custom_properties: { A: value('2') } })).toHaveProperty('artifact_ids')
    expect(await stored()).toEqual({ A: value('2') })
    const two = { artifact_type: { name: 'B', properties: { b: 'INT', B: 'INT' } } }
    expect(await store.call('PutArtifactType', two)).toBe('ALREADY_EXISTS')
    const properties = new Map([
      ['b', 'INT'],
      ['B', 'INT'],
    ])
    const typed = metadataService(store.database).call('PutArtifactType', { artifactType: { name: 'B', properties } })
    await expect(typed).rejects.toThrow('Two properties of type "B" have names that this database does not tell apart.')
    expect(await store.call('GetArtifactsByExternalIds', { external_ids: ['x'] })).toBe('NOT_FOUND')
  },
)
