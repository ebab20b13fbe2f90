import { Client, credentials } from '@grpc/grpc-js'
import type { Type } from 'protobufjs'
import { describe, expect, it } from 'vitest'
import { contract, contractRoot, contractRpcs } from '../metadata/wire/contract.ts'
import { freshDatabase, isRunning } from '../support/databases.ts'
import { testProject } from '../support/project.ts'
import { serve } from '../support/serve-command.ts'
import { serverTypes } from '../support/servers.ts'
import { numbersPipeline } from '../support/steps.ts'

/** A client that knows the written contract and nothing of this project's messages. */
class ContractClient extends Client {
  readonly #root = contractRoot(contract!)

  /** A call in JSON; the number of the status where it is another than OK. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read into answers freely
  async ask(rpc: string, request: object): Promise<any> {
    const [asked, answered] = ['Request', 'Response'].map((end) => this.#root.lookupType(`ml_metadata.${rpc}${end}`))
    const encode = (message: object): Buffer => Buffer.from(asked!.encode(asked!.fromObject(message)).finish())
    const decode = (bytes: Buffer): object => plain(answered!, bytes)
    return await new Promise((resolve) => {
      this.makeUnaryRequest(
        `/ml_metadata.MetadataStoreService/${rpc}`,
        encode,
        decode,
        request,
        { deadline: Date.now() + 60_000 },
        (error, answer) => resolve(error === null ? answer : error.code),
      )
    })
  }
}

function plain(type: Type, bytes: Buffer): object {
  return type.toObject(type.decode(bytes), { longs: Number, enums: String })
}

const text = (stringValue: string): object => ({ stringValue })
const within = { options: { filterQuery: `contexts_a.name = 'run'`, maxResultSize: 1 } }
const named = { typeName: 'A' }

/** Requests in an order in which each finds what it needs; ids of types come after the nine that every store has. */
const conversation: readonly (readonly [rpc: string, request: object, answer: unknown])[] = [
  ['PutArtifactType', { artifactType: { name: 'A', properties: { p: 'STRING', n: 'INT' } } }, { typeId: 10 }],
  ['PutExecutionType', { executionType: { name: 'A', inputType: { any: {} } } }, { typeId: 11 }],
  ['PutContextType', { contextType: { name: 'A', externalId: 'x' } }, { typeId: 12 }],
  [
    'PutTypes',
    { artifactTypes: [{ name: 'B', externalId: 'y' }], executionTypes: [{ name: 'B', externalId: 'z' }] },
    { artifactTypeIds: [13], executionTypeIds: [14] },
  ],
  [
    'PutArtifacts',
    { artifacts: [{ typeId: 10, name: 'a', uri: 'u', externalId: 'x', properties: { p: text('Ä😀') } }] },
    { artifactIds: [1] },
  ],
  ['PutArtifacts', { artifacts: [{ id: 1, state: 'LIVE' }], updateMask: { paths: ['state'] } }, { artifactIds: [1] }],
  ['PutExecutions', { executions: [{ typeId: 11, name: 'a', externalId: 'x' }] }, { executionIds: [1] }],
  [
    'PutContexts',
    {
      contexts: [
        { typeId: 12, name: 'run', externalId: 'x' },
        { typeId: 12, name: 'pipeline' },
      ],
    },
    { contextIds: [1, 2] },
  ],
  ['PutEvents', { events: [{ artifactId: 1, executionId: 1, type: 'INPUT', path: { steps: [{ key: 'k' }] } }] }, {}],
  [
    'PutAttributionsAndAssociations',
    { attributions: [{ artifactId: 1, contextId: 1 }], associations: [{ executionId: 1, contextId: 1 }] },
    {},
  ],
  ['PutParentContexts', { parentContexts: [{ childId: 1, parentId: 2 }] }, {}],
  ['PutParentContexts', { parentContexts: [{ childId: 2, parentId: 1 }] }, 3],
  [
    'PutExecution',
    {
      execution: { typeId: 11, lastKnownState: 'COMPLETE' },
      artifactEventPairs: [{ artifact: { typeId: 10, uri: 'v' }, event: { type: 'OUTPUT' } }],
      contexts: [{ typeId: 12, name: 'run' }],
      options: { reuseContextIfAlreadyExist: true },
    },
    { executionId: 2, artifactIds: [2], contextIds: [1] },
  ],
  [
    'PutLineageSubgraph',
    {
      executions: [{ typeId: 11 }],
      artifacts: [{ typeId: 10 }],
      contexts: [{ typeId: 12, name: 'run' }],
      eventEdges: [{ executionIndex: 0, artifactIndex: 0, event: { type: 'OUTPUT' } }],
      options: { reuseContextIfAlreadyExist: true },
    },
    { executionIds: [3], artifactIds: [3], contextIds: [1] },
  ],
  ['GetArtifactType', named, { artifactType: { id: 10, properties: { p: 'STRING', n: 'INT' } } }],
  ['GetExecutionType', named, { executionType: { id: 11, inputType: { any: {} } } }],
  ['GetContextType', named, { contextType: { id: 12, externalId: 'x' } }],
  ['GetArtifactType', { typeName: 'a' }, 5],
  ['GetArtifactTypes', {}, { artifactTypes: [{ id: 10 }, { id: 13 }] }],
  ['GetExecutionTypes', {}, { executionTypes: [{ id: 11 }, { id: 14 }] }],
  ['GetContextTypes', {}, { contextTypes: [{ id: 12 }] }],
  ['GetArtifactTypesByID', { typeIds: [10, 11] }, { artifactTypes: [{ id: 10 }] }],
  ['GetExecutionTypesByID', { typeIds: [10, 11] }, { executionTypes: [{ id: 11 }] }],
  ['GetContextTypesByID', { typeIds: [12] }, { contextTypes: [{ id: 12 }] }],
  ['GetArtifactTypesByExternalIds', { externalIds: ['y'] }, { artifactTypes: [{ id: 13 }] }],
  ['GetExecutionTypesByExternalIds', { externalIds: ['z'] }, { executionTypes: [{ id: 14 }] }],
  ['GetContextTypesByExternalIds', { externalIds: ['x'] }, { contextTypes: [{ id: 12 }] }],
  ['GetArtifacts', within, { artifacts: [{ id: 1 }], nextPageToken: expect.any(String) }],
  ['GetExecutions', within, { executions: [{ id: 1 }], nextPageToken: expect.any(String) }],
  ['GetContexts', { options: { filterQuery: `parent_contexts_p.name = 'pipeline'` } }, { contexts: [{ id: 1 }] }],
  ['GetContexts', { options: { filterQuery: `name LIKE 'R%' OR name = 'RUN'` } }, {}],
  [
    'GetArtifactsByID',
    { artifactIds: [1, 99], populateArtifactTypes: true },
    {
      artifacts: [{ id: 1, name: 'a', uri: 'u', state: 'LIVE', type: 'A', properties: { p: text('Ä😀') } }],
      artifactTypes: [{ id: 10 }],
    },
  ],
  ['GetExecutionsByID', { executionIds: [2] }, { executions: [{ id: 2, lastKnownState: 'COMPLETE' }] }],
  ['GetContextsByID', { contextIds: [2] }, { contexts: [{ id: 2, name: 'pipeline' }] }],
  ['GetArtifactsByType', named, { artifacts: [{ id: 1 }, { id: 2 }, { id: 3 }] }],
  ['GetExecutionsByType', named, { executions: [{ id: 1 }, { id: 2 }, { id: 3 }] }],
  [
    'GetContextsByType',
    { ...named, options: { orderByField: { isAsc: false } } },
    { contexts: [{ id: 2 }, { id: 1 }] },
  ],
  ['GetArtifactByTypeAndName', { ...named, artifactName: 'a' }, { artifact: { id: 1 } }],
  ['GetExecutionByTypeAndName', { ...named, executionName: 'a' }, { execution: { id: 1 } }],
  ['GetContextByTypeAndName', { ...named, contextName: 'run' }, { context: { id: 1 } }],
  ['GetContextByTypeAndName', { ...named, contextName: 'RUN' }, {}],
  ['GetArtifactsByURI', { uris: ['v', 'V', 'w'] }, { artifacts: [{ id: 2 }] }],
  [
    'GetEventsByExecutionIDs',
    { executionIds: [1] },
    { events: [{ artifactId: 1, type: 'INPUT', path: { steps: [{ key: 'k' }] } }] },
  ],
  ['GetEventsByArtifactIDs', { artifactIds: [2, 3] }, { events: [{ executionId: 2 }, { executionId: 3 }] }],
  ['GetArtifactsByExternalIds', { externalIds: ['x'] }, { artifacts: [{ id: 1 }] }],
  ['GetExecutionsByExternalIds', { externalIds: ['x'] }, { executions: [{ id: 1 }] }],
  ['GetContextsByExternalIds', { externalIds: ['x'] }, { contexts: [{ id: 1 }] }],
  ['GetContextsByExternalIds', { externalIds: ['X'] }, 5],
  ['GetContextsByArtifact', { artifactId: 3 }, { contexts: [{ id: 1 }] }],
  ['GetContextsByExecution', { executionId: 3 }, { contexts: [{ id: 1 }] }],
  ['GetParentContextsByContext', { contextId: 1 }, { contexts: [{ id: 2 }] }],
  ['GetChildrenContextsByContext', { contextId: 2 }, { contexts: [{ id: 1 }] }],
  ['GetArtifactsByContext', { contextId: 1 }, { artifacts: [{ id: 1 }, { id: 2 }, { id: 3 }] }],
  ['GetExecutionsByContext', { contextId: 1 }, { executions: [{ id: 1 }, { id: 2 }, { id: 3 }] }],
  [
    'GetLineageSubgraph',
    {
      lineageSubgraphQueryOptions: { startingExecutions: { filterQuery: 'id = 2' } },
      readMask: { paths: ['artifacts', 'associations'] },
    },
    { lineageSubgraph: { artifacts: [{ id: 2 }], associations: [{ executionId: 2, contextId: 1 }] } },
  ],
  ['GetLineageGraph', {}, 12],
  ['GetParentContextsByContexts', { contextIds: [1] }, 12],
  ['GetChildrenContextsByContexts', { contextIds: [1] }, 12],
]

describe.each(serverTypes)('metadata on %s (skipped without a server or the written contract)', (type) => {
  it.skipIf(!isRunning(type) || contract === undefined)(
    'is served to a client of the contract, in every procedure, while runs are recorded in it',
    async () => {
      expect(new Set(conversation.map(([rpc]) => rpc))).toEqual(new Set(contractRpcs(contract!)))
      using project = testProject()
      await using fresh = freshDatabase(type)
      const { host, port, user, password, database } = fresh.location
      const place = [`--host=${host}`, `--port=${port}`, `--username=${user}`, `--database=${database}`]
      const set = await project.zenml('config', 'metadata', 'set', type, ...place, `--password=${password}`)
      expect(set.stderr).toBe('')
      const served = await serve(project)
      const client = new ContractClient(`127.0.0.1:${served.port}`, credentials.createInsecure())
      for (const [rpc, request, answer] of conversation) {
        const given = await client.ask(rpc, request)
        const place = `${rpc} ${JSON.stringify(request)}`
        if (typeof answer === 'number') expect(given, place).toBe(answer)
        else expect(given, place).toMatchObject(answer as object)
      }
      project.write(numbersPipeline)
      project.commit()
      const before = (await client.ask('GetExecutions', {})).executions.length
      expect((await project.zenml('pipeline', 'run', 'pipeline.yaml')).code).toBe(0)
      expect((await client.ask('GetExecutions', {})).executions.length).toBeGreaterThan(before)
      client.close()
      expect(await served.end('SIGTERM')).toBe(0)
      expect(served.stderr()).not.toContain(password)
    },
  )

  it.skipIf(!isRunning(type) || contract === undefined)(
    'is connected to again when all connections end, and nothing is made twice',
    async () => {
      using project = testProject()
      await using fresh = freshDatabase(type)
      const { host, port, user, password, database } = fresh.location
      const place = [`--host=${host}`, `--port=${port}`, `--username=${user}`, `--database=${database}`]
      await project.zenml('config', 'metadata', 'set', type, ...place, `--password=${password}`)
      const served = await serve(project)
      const client = new ContractClient(`127.0.0.1:${served.port}`, credentials.createInsecure())
      const put = (name: string): Promise<unknown> => client.ask('PutArtifactType', { artifactType: { name } })
      expect(await put('before')).toEqual({ typeId: 10 })
      // Every connection of the service ends, as when the database starts anew.
      if (type === 'postgres')
        await fresh.sql(
          'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()',
        )
      else
        for (const { ID } of await fresh.sql(
          'SELECT ID FROM information_schema.PROCESSLIST WHERE DB = DATABASE() AND ID <> CONNECTION_ID()',
        ))
          await fresh.sql(`KILL CONNECTION ${ID}`)
      expect(await Promise.all(['a', 'b', 'a', 'b'].map(put))).toEqual(
        expect.arrayContaining([{ typeId: 11 }, { typeId: 12 }]),
      )
      expect((await client.ask('GetArtifactTypes', {})).artifactTypes).toHaveLength(3)
      client.close()
      expect(await served.end('SIGTERM')).toBe(0)
    },
  )
})
