import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { encodeMessage } from '../../../src/base/proto/encode.ts'
import { change } from '../../../src/metadata/sql/work.ts'
import { messageSpecs } from '../../../src/metadata/wire/messages.ts'
import { databaseTypes, freshStore, runs, type Store } from './store.ts'

/** 25 artifacts, in groups that were stored and changed at the same time. */
async function artifacts(store: Store): Promise<void> {
  await store.call('PutArtifactType', { artifact_type: { name: 'A' } })
  await store.call('PutArtifacts', { artifacts: Array.from({ length: 25 }, () => ({ type_id: 10 })) })
  await store.database.write(function* () {
    yield* change(
      'UPDATE Artifact SET create_time_since_epoch = 1700000000000 + id % 3, last_update_time_since_epoch = 1700000000000 + id % 2',
    )
  })
}

const token = (fields: object): string =>
  Buffer.from(encodeMessage(messageSpecs.get('ml_metadata.ListOperationNextPageToken')!, fields as never)).toString(
    'base64url',
  )

describe.each(databaseTypes)('on %s (skipped without a server)', (type) => {
  it.skipIf(!runs(type))('pages of any size and order hold each node once, in that order', async () => {
    await using store = await freshStore(type)
    await artifacts(store)
    const values = {
      ID: (id: number) => id,
      CREATE_TIME: (id: number) => id % 3,
      LAST_UPDATE_TIME: (id: number) => id % 2,
    }
    for (const [field, valueIn] of Object.entries(values))
      for (const is_asc of [true, false])
        for (const max_result_size of [1, 4, 5, 25, 100]) {
          const ids: number[] = []
          let next_page_token: string | undefined
          do {
            const options = { max_result_size, order_by_field: { field, is_asc }, filter_query: 'id < 1000' }
            const page = await store.call('GetArtifacts', {
              options: { ...options, ...(next_page_token && { next_page_token }) },
            })
            ids.push(...page.artifacts.map(({ id }: { id: string }) => Number(id)))
            next_page_token = page.next_page_token
          } while (next_page_token !== undefined)
          const sign = is_asc ? 1 : -1
          const sorted = Array.from({ length: 25 }, (_, index) => index + 1).sort(
            (left, right) => sign * (valueIn(left) - valueIn(right) || left - right),
          )
          expect(ids, `${field} ${is_asc} ${max_result_size}`).toEqual(sorted)
        }
  })

  it.skipIf(!runs(type))('a page of more than a hundred is one of a hundred, and says how it goes on', async () => {
    await using store = await freshStore(type)
    await store.call('PutArtifactType', { artifact_type: { name: 'A' } })
    await store.call('PutArtifacts', { artifacts: Array.from({ length: 230 }, () => ({ type_id: 10 })) })
    const sizes: number[] = []
    let next_page_token: string | undefined
    do {
      const options = { max_result_size: 1000, ...(next_page_token && { next_page_token }) }
      const page = await store.call('GetArtifacts', { options })
      sizes.push(page.artifacts.length)
      next_page_token = page.next_page_token
    } while (next_page_token !== undefined)
    expect(sizes).toEqual([100, 100, 30])
    expect((await store.call('GetArtifacts', { options: {} })).artifacts).toHaveLength(20)
    expect((await store.call('GetArtifacts', {})).artifacts).toHaveLength(230)
  })
})

it('a token goes on where it was given for the same order and filter, said or by default', async () => {
  await using store = await freshStore('sqlite')
  await artifacts(store)
  const first = await store.call('GetArtifacts', { options: { max_result_size: 3 } })
  const go = async (options: object): Promise<unknown> => {
    const page = await store.call('GetArtifacts', { options: { ...options, next_page_token: first.next_page_token } })
    return typeof page === 'string' ? page : page.artifacts[0].id
  }
  expect(await go({})).toBe('4')
  expect(await go({ max_result_size: 7 })).toBe('4')
  expect(await go({ order_by_field: { field: 'ID', is_asc: true }, filter_query: '' })).toBe('4')
  expect(await go({ order_by_field: { field: 'CREATE_TIME' } })).toBe('INVALID_ARGUMENT')
  expect(await go({ order_by_field: { is_asc: false } })).toBe('INVALID_ARGUMENT')
  expect(await go({ filter_query: 'id > 1' })).toBe('INVALID_ARGUMENT')
})

it('a token of the real core goes on too, with any number of ids', async () => {
  await using store = await freshStore('sqlite')
  await artifacts(store)
  for (const is_asc of [true, false]) {
    const order = { field: 'LAST_UPDATE_TIME', isAsc: is_asc }
    const listed = is_asc ? [2, 4, 6] : [25, 23, 21]
    const padded = [...Array.from({ length: 200_000 }, () => listed[0]!), ...listed]
    for (const listedIds of [listed, padded]) {
      const next_page_token = token({
        fieldOffset: 1_700_000_000_000 + (is_asc ? 0 : 1),
        setOptions: { maxResultSize: 3, orderByField: order },
        listedIds,
      })
      const page = await store.call('GetArtifacts', {
        options: { max_result_size: 3, order_by_field: { field: 'LAST_UPDATE_TIME', is_asc }, next_page_token },
      })
      expect(page.artifacts.map(({ id }: { id: string }) => id)).toEqual(
        is_asc ? ['8', '10', '12'] : ['19', '17', '15'],
      )
    }
  }
})

it('whatever stands in place of a token is refused, and nothing fails', async () => {
  await using store = await freshStore('sqlite')
  await artifacts(store)
  const go = (next_page_token: string): Promise<unknown> => store.call('GetArtifacts', { options: { next_page_token } })
  for (const none of ['=', 'AA==', 'a b', '\0', 'é', token({ idOffset: 3 }), token({ fieldOffset: 3 })])
    expect(await go(none), none).toBe('INVALID_ARGUMENT')
  expect(await go(token({ idOffset: 2n ** 63n - 1n, fieldOffset: 1 }))).toBe('INVALID_ARGUMENT')
  expect(await go(token({ idOffset: 1, fieldOffset: -(2n ** 63n) }))).toBe('INVALID_ARGUMENT')
  await fc.assert(
    fc.asyncProperty(fc.uint8Array({ minLength: 1, maxLength: 40 }), async (bytes) => {
      const answer = await go(Buffer.from(bytes).toString('base64url'))
      expect(answer === 'INVALID_ARGUMENT' || typeof answer === 'object').toBe(true)
    }),
  )
})

it.each([
  [{ max_result_size: 0 }],
  [{ max_result_size: -1 }],
  [{ order_by_field: { field: 'FIELD_UNSPECIFIED' } }],
  [{ filter_query: 'nothing = 1' }],
])('refuses %j', async (options) => {
  await using store = await freshStore('sqlite')
  for (const rpc of ['GetArtifacts', 'GetExecutions', 'GetContexts'])
    expect(await store.call(rpc, { options })).toBe('INVALID_ARGUMENT')
})
