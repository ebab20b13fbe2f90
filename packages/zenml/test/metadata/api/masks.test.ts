import { describe, expect, it } from 'vitest'
import { change } from '../../../src/metadata/sql/work.ts'
import { databaseTypes, freshStore, runs, type StoreClient } from './store.ts'

const text = (value: string): object => ({ string_value: value })

/** An artifact with everything that an update could change. */
async function fullArtifact({ call }: StoreClient): Promise<void> {
  await call('PutArtifactType', {
    artifact_type: { name: 'DataSet', properties: { day: 'STRING', 'a.b': 'STRING', '': 'STRING', count: 'INT' } },
  })
  const artifact = {
    type_id: 10,
    name: 'mine',
    uri: 'u',
    state: 'LIVE',
    external_id: 'e',
    properties: { day: text('d'), 'a.b': text('ab'), '': text('nameless') },
    custom_properties: { day: text('custom') },
  }
  expect(await call('PutArtifacts', { artifacts: [artifact] })).toEqual({ artifact_ids: ['1'] })
}

async function artifact({ call }: StoreClient): Promise<{ [field: string]: unknown }> {
  const { artifacts } = await call('GetArtifactsByID', { artifact_ids: [1] })
  const {
    create_time_since_epoch: _c,
    last_update_time_since_epoch: _l,
    id: _i,
    type: _t,
    type_id: _d,
    ...rest
  } = artifacts[0]
  return rest
}

const before = {
  name: 'mine',
  uri: 'u',
  state: 'LIVE',
  external_id: 'e',
  properties: { day: text('d'), 'a.b': text('ab'), '': text('nameless') },
  custom_properties: { day: text('custom') },
}

describe.skipIf(!runs('sqlite'))('a mask', () => {
  it.each<[what: string, paths: readonly string[], given: object, after: object]>([
    ['sets the fields that it names', ['uri'], { uri: 'v', state: 'DELETED' }, { ...before, uri: 'v' }],
    [
      'clears what it names and what is not given',
      ['state', 'external_id', 'properties.day'],
      { uri: 'v' },
      {
        name: 'mine',
        uri: 'u',
        properties: { 'a.b': text('ab'), '': text('nameless') },
        custom_properties: before.custom_properties,
      },
    ],
    [
      'tells a property from a custom property of the same name',
      ['custom_properties.day'],
      { properties: { day: text('other') }, custom_properties: { day: text('new'), more: text('more') } },
      { ...before, custom_properties: { day: text('new') } },
    ],
    [
      'takes a name with dots as it is',
      ['properties.a.b'],
      { properties: { 'a.b': text('new'), day: text('other') } },
      { ...before, properties: { ...before.properties, 'a.b': text('new') } },
    ],
    [
      'takes an empty name for the property that is called so',
      ['properties.'],
      {},
      { ...before, properties: { day: text('d'), 'a.b': text('ab') } },
    ],
    [
      'replaces all properties where it names none of them',
      ['properties', 'properties.day'],
      { properties: { 'a.b': text('only') } },
      { ...before, properties: { 'a.b': text('only') } },
    ],
    [
      'does not look at properties that it does not name',
      ['uri'],
      { uri: 'v', properties: { day: { int_value: 3 }, unknown: text('x') }, custom_properties: { nothing: {} } },
      { ...before, uri: 'v' },
    ],
    [
      'may name fields that no update changes',
      ['id', 'name', 'type', 'type_id', 'create_time_since_epoch', 'last_update_time_since_epoch', 'system_metadata'],
      { name: 'other', create_time_since_epoch: 5, uri: 'v' },
      before,
    ],
    ['without paths is none', [], { uri: 'v' }, { name: 'mine', uri: 'v' }],
  ])('%s', async (_what, paths, given, after) => {
    await using store = await freshStore('sqlite')
    await fullArtifact(store)
    const request = { artifacts: [{ id: 1, ...given }], update_mask: { paths } }
    expect(await store.call('PutArtifacts', request)).toEqual({ artifact_ids: ['1'] })
    expect(await artifact(store)).toEqual(after)
  })

  it.each([
    ['Artifact', 'last_known_state'],
    ['Artifact', 'url'],
    ['Artifact', 'uri.length'],
    ['Artifact', 'propertiesday'],
    ['Artifact', '__proto__'],
    ['Execution', 'uri'],
    ['Execution', 'state'],
    ['Context', 'state'],
    ['Context', ''],
  ])('of %ss is refused that names "%s"', async (kind, path) => {
    await using store = await freshStore('sqlite')
    const word = kind.toLowerCase()
    await store.call(`Put${kind}Type`, { [`${word}_type`]: { name: 'T' } })
    await store.call(`Put${kind}s`, { [`${word}s`]: [{ type_id: 10, name: 'n' }] })
    const request = { [`${word}s`]: [{ id: 1, name: 'n' }], update_mask: { paths: [path] } }
    expect(await store.call(`Put${kind}s`, request)).toBe('INVALID_ARGUMENT')
  })

  it('does not reach nodes that are new', async () => {
    await using store = await freshStore('sqlite')
    await fullArtifact(store)
    const request = (node: object): object => ({
      artifacts: [{ id: 1, uri: 'v' }, node],
      update_mask: { paths: ['uri'] },
    })
    expect(await store.call('PutArtifacts', request({ type_id: 10, state: 'PENDING' }))).toEqual({
      artifact_ids: ['1', '2'],
    })
    expect((await store.call('GetArtifactsByID', { artifact_ids: [2] })).artifacts[0].state).toBe('PENDING')
    const bad = request({ type_id: 10, properties: { day: { int_value: 3 } } })
    expect(await store.call('PutArtifacts', bad)).toBe('INVALID_ARGUMENT')
  })

  it('keeps the name of a context that it does not name, and a context keeps one in any case', async () => {
    await using store = await freshStore('sqlite')
    await store.call('PutContextType', { context_type: { name: 'T' } })
    await store.call('PutContexts', { contexts: [{ type_id: 10, name: 'n', external_id: 'e' }] })
    const put = (context: object, paths?: readonly string[]): Promise<unknown> =>
      store.call('PutContexts', { contexts: [{ id: 1, ...context }], ...(paths && { update_mask: { paths } }) })
    expect(await put({ external_id: 'f' })).toBe('INVALID_ARGUMENT')
    expect(await put({ external_id: 'f' }, ['name'])).toBe('INVALID_ARGUMENT')
    expect(await put({ external_id: 'f' }, ['external_id'])).toEqual({ context_ids: ['1'] })
    expect(await put({ name: 'm' }, ['name'])).toEqual({ context_ids: ['1'] })
    const { contexts } = await store.call('GetContextsByID', { context_ids: [1] })
    expect(contexts[0]).toMatchObject({ name: 'm', external_id: 'f' })
  })
})

it.each(databaseTypes)(
  'what another writer stored and this service would refuse can be read, kept and replaced, on %s (skipped without a server)',
  async (type) => {
    if (!runs(type)) return
    await using store = await freshStore(type)
    await fullArtifact(store)
    const odd = 'mlmd-struct::no base64 %%%'
    await store.database.write(function* () {
      yield* change('UPDATE Artifact SET uri = ? WHERE id = 1', [odd])
      yield* change(`UPDATE ArtifactProperty SET string_value = ? WHERE artifact_id = 1 AND name = 'day'`, [odd])
    })
    const put = (given: object, paths: readonly string[]): Promise<unknown> =>
      store.call('PutArtifacts', { artifacts: [{ id: 1, ...given }], update_mask: { paths } })
    expect(await put({ state: 'DELETED' }, ['state'])).toEqual({ artifact_ids: ['1'] })
    expect(await artifact(store)).toMatchObject({ uri: odd, state: 'DELETED', custom_properties: { day: text(odd) } })
    const mended = { uri: 'v', properties: { day: text('d') }, custom_properties: { day: text('c') } }
    expect(await put(mended, ['uri', 'properties', 'custom_properties'])).toEqual({ artifact_ids: ['1'] })
    expect(await artifact(store)).toMatchObject(mended)
  },
)
