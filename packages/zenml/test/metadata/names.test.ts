import { expect, it } from 'vitest'
import { metadataService } from '../../src/metadata/api/service.ts'
import { openDatabase } from '../../src/metadata/open.ts'
import { runRecords } from '../../src/metadata/run-records.ts'
import type { PipelineSpec } from '../../src/model/pipeline-spec.ts'
import { isRunning, place } from '../support/databases.ts'

// Databases count characters, of which this one has two units in JavaScript.
const most = '\u{1f600}'.repeat(255)

it.each((['sqlite', 'mysql', 'postgres'] as const).filter((type) => type === 'sqlite' || isRunning(type)))(
  'on %s, a name of 255 characters is kept, and a longer one refused as INVALID_ARGUMENT',
  async (type) => {
    await using database = await place(type)
    await using store = await openDatabase(database.location)
    const service = metadataService(store)
    const { typeId } = (await service.call('PutContextType', { contextType: { name: 'some' } })) as { typeId: number }
    const put = (context: object): Promise<object> =>
      service.call('PutContexts', { contexts: [{ typeId, ...context }] })
    const { contextIds } = (await put({ name: most, externalId: most })) as { contextIds: number[] }
    const read = await service.call('GetContextsByID', { contextIds })
    expect(read).toMatchObject({ contexts: [{ name: most, externalId: most }] })
    const long = `${most}x`
    const refused = [
      () => put({ name: long }),
      () => put({ name: 'a', externalId: long }),
      () => put({ id: contextIds[0], name: long }),
      () => put({ name: 'b', customProperties: new Map([[long, { intValue: 1 }]]) }),
      () => service.call('PutContextType', { contextType: { name: long } }),
      () => service.call('PutContextType', { contextType: { name: 'c', version: long } }),
      () => service.call('PutContextType', { contextType: { name: 'd', externalId: long } }),
      () => service.call('PutContextType', { contextType: { name: 'e', properties: new Map([[long, 'INT']]) } }),
    ]
    for (const call of refused)
      await expect(call()).rejects.toMatchObject({
        status: 'INVALID_ARGUMENT',
        message: expect.stringContaining('has 256 characters; ML Metadata keeps 255 at the most.'),
      })
  },
)

it('a pipeline whose name has no room is refused before anything is recorded, also on SQLite', async () => {
  await using database = await place('sqlite')
  await using store = await openDatabase(database.location)
  const records = runRecords(store)
  const run = {
    ...{ id: 'aa', pipeline: 'p'.repeat(256), seed: 0, startedAt: 1000, environment: {}, steps: [] },
    code: { commit: 'c', tree: 't', dirty: false, ref: null, remote: null, branch: 'main' },
    process: { host: 'h', pid: 1, started: 's' },
    spec: {} as PipelineSpec,
  }
  await expect(records.startRun(run)).rejects.toMatchObject({ code: 'ZEN_METADATA_NAME' })
  expect(await records.listPipelines()).toEqual([])
})
