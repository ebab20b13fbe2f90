import type { Value } from '../../src/metadata/api/messages.ts'
import type { MetadataService } from '../../src/metadata/api/service.ts'

/** A PutExecution of the usual size: 2 new artifacts, 1 input, 5 properties and 4 contexts, one of which is new each time. */
export interface UsualPutExecution {
  /** Puts one; the name tells its artifacts and its own context from those of others. */
  put(name: string): Promise<number>
}

/** Makes the types, the input and the shared contexts `p` and `p.train` ready, or finds them, and the context `run` too. */
export async function usualPutExecution(service: MetadataService): Promise<UsualPutExecution> {
  const call = async (rpc: string, request: object): Promise<{ readonly [field: string]: number & number[] }> =>
    (await service.call(rpc, request)) as never
  const { typeId: data } = await call('PutArtifactType', { artifactType: { name: 'Data' } })
  const { typeId: trainer } = await call('PutExecutionType', {
    executionType: { name: 'Trainer', properties: new Map(names.map((name) => [name, 'STRING'])) },
  })
  const contextTypes: number[] = []
  for (const name of ['pipeline', 'pipeline_run', 'node', 'execution_cache'])
    contextTypes.push((await call('PutContextType', { contextType: { name } }))['typeId']!)
  const inputId = await inputOf(call, data!)
  const properties = new Map(names.map((name): [string, Value] => [name, { stringValue: `value of ${name}` }]))
  return {
    async put(name) {
      const { executionId } = await call('PutExecution', {
        execution: { typeId: trainer, lastKnownState: 'COMPLETE', properties },
        artifactEventPairs: [
          { event: { artifactId: inputId, type: 'INPUT', path: { steps: [{ key: 'examples' }, { index: 0 }] } } },
          ...['model', 'report'].map((key) => ({
            artifact: { typeId: data, uri: `${key}-${name}`, state: 'LIVE' },
            event: { type: 'OUTPUT', path: { steps: [{ key }, { index: 0 }] } },
          })),
        ],
        contexts: ['p', 'run', 'p.train', `cache-${name}`].map((context, at) => ({
          typeId: contextTypes[at]!,
          name: context,
        })),
        options: { reuseContextIfAlreadyExist: true },
      })
      return executionId!
    },
  }
}

const names = ['learning_rate', 'epochs', 'layers', 'optimizer', 'seed']

/** The one input of all; of several that make it at once, the first is told by its external id. */
async function inputOf(
  call: (rpc: string, request: object) => Promise<{ readonly [field: string]: number & number[] }>,
  typeId: number,
): Promise<number> {
  const request = { artifacts: [{ typeId, uri: 'input', externalId: 'input' }] }
  const made = await call('PutArtifacts', request).catch(() => undefined)
  if (made !== undefined) return made['artifactIds']![0]!
  const found = await call('GetArtifactsByExternalIds', { externalIds: ['input'] })
  return (found['artifacts'] as unknown as readonly { readonly id: number }[])[0]!.id
}
