import { expect, it } from 'vitest'
import { freshStore, type Store } from './store.ts'

/** 1 → E1 → 2 → E2 → 3 → E3 → 4, with E1 in a context. */
async function chain(): Promise<Store> {
  const store = await freshStore('sqlite')
  await store.call('PutArtifactType', { artifact_type: { name: 'A' } })
  await store.call('PutExecutionType', { execution_type: { name: 'E' } })
  await store.call('PutContextType', { context_type: { name: 'C' } })
  await store.call('PutArtifacts', { artifacts: [1, 2, 3, 4].map((n) => ({ type_id: 10, uri: `a${n}` })) })
  await store.call('PutExecutions', { executions: [1, 2, 3].map((n) => ({ type_id: 11, name: `e${n}` })) })
  await store.call('PutContexts', { contexts: [{ type_id: 12, name: 'c' }] })
  await store.call('PutAttributionsAndAssociations', { associations: [{ execution_id: 1, context_id: 1 }] })
  await store.call('PutEvents', {
    events: [1, 2, 3].flatMap((n) => [
      { artifact_id: n, execution_id: n, type: 'INPUT' },
      { artifact_id: n + 1, execution_id: n, type: 'OUTPUT' },
    ]),
  })
  return store
}

const ids = (nodes: readonly { readonly id: string }[] = []): string => nodes.map(({ id }) => id).join('')

it.each<[options: object, artifacts: string, executions: string]>([
  [{}, '3421', '231'],
  [{ max_num_hops: 0 }, '3', ''],
  [{ max_num_hops: 1 }, '3', '23'],
  [{ max_num_hops: '9223372036854775807' }, '3421', '231'],
  [{ direction: 'UPSTREAM' }, '321', '21'],
  [{ direction: 'DOWNSTREAM' }, '34', '3'],
  [{ direction: 'UPSTREAM', ending_executions: { filter_query: `name = 'e1'` } }, '32', '2'],
  [
    { direction: 'UPSTREAM', ending_executions: { filter_query: `name = 'e1'`, include_ending_nodes: true } },
    '32',
    '21',
  ],
  [{ ending_artifacts: { filter_query: `uri IN ('a2', 'a4')`, include_ending_nodes: true } }, '324', '23'],
])('goes as far as %j says', async (options, artifacts, executions) => {
  await using store = await chain()
  const { lineage_subgraph: graph } = await store.call('GetLineageSubgraph', {
    lineage_subgraph_query_options: { starting_artifacts: { filter_query: `uri = 'a3'` }, ...options },
  })
  const sorted = (text: string): string => [...text].sort().join('')
  expect([sorted(ids(graph.artifacts)), sorted(ids(graph.executions))]).toEqual([sorted(artifacts), sorted(executions)])
  // No event leads out of the graph.
  for (const { artifact_id, execution_id } of graph.events ?? [])
    expect([artifacts, executions]).toEqual([
      expect.stringContaining(artifact_id),
      expect.stringContaining(execution_id),
    ])
})

it.each<[request: object, status: string]>([
  [{}, 'INVALID_ARGUMENT'],
  [{ lineage_subgraph_query_options: { starting_artifacts: {} } }, 'INVALID_ARGUMENT'],
  [{ lineage_subgraph_query_options: { starting_artifacts: { filter_query: `uri = 'no'` } } }, 'NOT_FOUND'],
  [
    { lineage_subgraph_query_options: { starting_artifacts: { filter_query: 'id > 0' }, max_num_hops: -1 } },
    'INVALID_ARGUMENT',
  ],
  [
    {
      lineage_subgraph_query_options: {
        starting_artifacts: { filter_query: 'id > 0' },
        ending_artifacts: { filter_query: 'no' },
      },
    },
    'INVALID_ARGUMENT',
  ],
  [
    {
      lineage_subgraph_query_options: { starting_artifacts: { filter_query: 'id > 0' } },
      read_mask: { paths: ['artifact'] },
    },
    'INVALID_ARGUMENT',
  ],
])('ends %j with %s', async (request, status) => {
  await using store = await chain()
  expect(await store.call('GetLineageSubgraph', request)).toBe(status)
})

it('gives the lists that the mask names, and no others', async () => {
  await using store = await chain()
  const get = async (...paths: readonly string[]): Promise<readonly string[]> => {
    const { lineage_subgraph: graph } = await store.call('GetLineageSubgraph', {
      lineage_subgraph_query_options: { starting_artifacts: { filter_query: `uri = 'a3'` } },
      read_mask: { paths },
    })
    return Object.keys(graph).sort()
  }
  expect(await get('events')).toEqual(['events'])
  expect(await get('contexts', 'artifact_types')).toEqual(['artifact_types', 'contexts'])
  expect(await get('parent_contexts', 'artifacts')).toEqual(['artifacts'])
})
