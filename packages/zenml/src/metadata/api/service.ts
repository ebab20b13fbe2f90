import { type Clock, systemClock } from '../../base/clock.ts'
import { type SqlDatabase, SqlError } from '../sql/database.ts'
import type { Work } from '../sql/work.ts'
import { putAttributionsAndAssociations, putParentContexts } from './edges.ts'
import { eventsOf, putEvents } from './events.ts'
import { type Kind, type KindFacts, kinds } from './kinds.ts'
import { type LineageSubgraphRequest, lineageSubgraph } from './lineage-subgraph.ts'
import { listNodes, type Selection } from './list-nodes.ts'
import type {
  Association,
  Attribution,
  Event,
  FieldMask,
  ListOptions,
  NodeType,
  ParentContext,
  Whole,
} from './messages.ts'
import { type PutExecutionRequest, putExecution } from './put-execution.ts'
import { type PutLineageSubgraphRequest, putLineageSubgraph } from './put-lineage-subgraph.ts'
import { artifactsByUri, linkedNodes, nodeByTypeAndName, nodesByExternalId, readNodes } from './read-nodes.ts'
import { alreadyExists, invalid, notFound, StatusError } from './status.ts'
import { allTypes, findType, putType, type TypeOptions, typesByExternalId, typesById } from './types.ts'
import { type GivenNode, idOf, type PutOptions, putNodes, type TypeCache } from './write-nodes.ts'

/** The service of ML Metadata over a database: one function for all of its calls. */
export interface MetadataService {
  /**
   * Answers a call of `ml_metadata.MetadataStoreService`, given and answered as messages with camel-cased fields.
   *
   * Throws `StatusError` for every answer other than OK, with nothing changed.
   */
  call(rpc: string, request: object): Promise<object>
}

/** What a request may carry; each call looks at its own fields. */
interface Request {
  readonly [field: string]: unknown
}

/** A call: what it does, and whether that changes the database. */
interface Call {
  readonly writes: boolean
  readonly work: (request: Request, use: Use) => Work<object>
}

interface Use {
  readonly put: PutOptions
  readonly database: SqlDatabase
}

/**
 * The service over an open database.
 *
 * @example
 * const service = metadataService(database)
 * const { typeId } = await service.call('PutArtifactType', { artifactType: { name: 'DataSet' } })
 */
export function metadataService(database: SqlDatabase, clock: Clock = systemClock): MetadataService {
  const types: TypeCache = new Map()
  return {
    async call(rpc, request) {
      const call = Object.hasOwn(calls, rpc) ? calls[rpc] : undefined
      if (call === undefined) throw new StatusError('UNIMPLEMENTED', `${rpc} is not implemented.`)
      const work = (): Work<object> => call.work(request as Request, { put: { now: clock.now(), types }, database })
      try {
        return await (call.writes ? database.write(work) : database.read(work))
      } catch (error) {
        // Types that were read in a transaction which others shared and which was lost may never have been.
        if (!(error instanceof StatusError)) types.clear()
        throw error instanceof SqlError ? inWordsOfTheService(error) : error
      }
    },
  }
}

/** What a database refused because of what it was given, in ML Metadata's words. */
function inWordsOfTheService(error: SqlError): Error {
  switch (error.kind) {
    case 'range':
      return new StatusError('OUT_OF_RANGE', 'A whole number does not fit: this database keeps 32 bits.', error)
    case 'long':
      return new StatusError('INVALID_ARGUMENT', 'A text is longer than this database keeps.', error)
    case 'text':
      return new StatusError('INVALID_ARGUMENT', 'A text has a character that this database does not keep.', error)
    case 'unique':
      return alreadyExists('Another writer stored the same at the same time.', error)
    default:
      return error
  }
}

const calls: { readonly [rpc: string]: Call } = {
  ...callsOf('Artifact'),
  ...callsOf('Execution'),
  ...callsOf('Context'),
  PutTypes: write(function* (request) {
    const options = request as TypeOptions
    const put = function* (kind: Kind, types: unknown): Work<readonly number[]> {
      const ids: number[] = []
      for (const type of (types ?? []) as readonly NodeType[]) ids.push(yield* putType(kinds[kind], type, options))
      return ids
    }
    return {
      artifactTypeIds: yield* put('Artifact', request['artifactTypes']),
      executionTypeIds: yield* put('Execution', request['executionTypes']),
      contextTypeIds: yield* put('Context', request['contextTypes']),
    }
  }),
  PutEvents: write(function* ({ events }, { put }) {
    yield* putEvents((events ?? []) as readonly Event[], put.now)
    return {}
  }),
  PutExecution: write((request, { put }) => putExecution(request as PutExecutionRequest, put)),
  PutLineageSubgraph: write((request, { put }) => putLineageSubgraph(request as PutLineageSubgraphRequest, put)),
  PutAttributionsAndAssociations: write(function* ({ attributions, associations }) {
    yield* putAttributionsAndAssociations(
      (attributions ?? []) as readonly Attribution[],
      (associations ?? []) as readonly Association[],
    )
    return {}
  }),
  PutParentContexts: write(function* ({ parentContexts }) {
    yield* putParentContexts((parentContexts ?? []) as readonly ParentContext[])
    return {}
  }),
  GetArtifactsByURI: read(function* ({ uris }) {
    return { artifacts: yield* artifactsByUri(kinds.Artifact, (uris ?? []) as readonly string[]) }
  }),
  GetEventsByExecutionIDs: read(function* ({ executionIds }) {
    return { events: yield* eventsOf('execution_id', (executionIds ?? []) as readonly Whole[]) }
  }),
  GetEventsByArtifactIDs: read(function* ({ artifactIds }) {
    return { events: yield* eventsOf('artifact_id', (artifactIds ?? []) as readonly Whole[]) }
  }),
  GetContextsByArtifact: contextsOfNode('Attribution', 'artifact_id', 'artifactId'),
  GetContextsByExecution: contextsOfNode('Association', 'execution_id', 'executionId'),
  GetParentContextsByContext: relatives('parent_context_id', 'context_id'),
  GetChildrenContextsByContext: relatives('context_id', 'parent_context_id'),
  GetArtifactsByContext: membersOf('Artifact'),
  GetExecutionsByContext: membersOf('Execution'),
  GetLineageSubgraph: read(function* (request, { database }) {
    return { lineageSubgraph: yield* lineageSubgraph(request as LineageSubgraphRequest, database.type) }
  }),
}

/** The calls that exist for each kind of node, under its name. */
function callsOf(kind: Kind): { readonly [rpc: string]: Call } {
  const facts = kinds[kind]
  const one = facts.word
  const many = `${one}s`
  return {
    [`Put${kind}Type`]: write(function* (request) {
      const type = request[`${one}Type`] as NodeType | undefined
      if (type === undefined) throw invalid(`There is no ${one}_type.`)
      return { typeId: yield* putType(facts, type, request as TypeOptions) }
    }),
    [`Put${kind}s`]: write(function* (request, { put }) {
      const options = request['options'] as { readonly abortIfLatestUpdatedTimeChanged?: boolean } | undefined
      const ids = yield* putNodes(facts, (request[many] ?? []) as readonly GivenNode[], {
        ...put,
        mask: request['updateMask'] as FieldMask | undefined,
        abortIfChanged: options?.abortIfLatestUpdatedTimeChanged,
      })
      return { [`${one}Ids`]: ids }
    }),
    [`Get${kind}Type`]: read(function* ({ typeName, typeVersion }) {
      const type = yield* findType(facts, String(typeName ?? ''), typeVersion as string | undefined)
      if (type === undefined) throw notFound(`There is no type of ${many} named "${String(typeName ?? '')}".`)
      return { [`${one}Type`]: type }
    }),
    [`Get${kind}Types`]: read(function* () {
      return { [`${one}Types`]: yield* allTypes(facts) }
    }),
    [`Get${kind}TypesByID`]: read(function* ({ typeIds }) {
      return { [`${one}Types`]: yield* typesById(facts, (typeIds ?? []) as readonly Whole[]) }
    }),
    [`Get${kind}TypesByExternalIds`]: read(function* ({ externalIds }) {
      return { [`${one}Types`]: yield* typesByExternalId(facts, (externalIds ?? []) as readonly string[]) }
    }),
    [`Get${kind}s`]: read((request, use) => list(facts, request, {}, use)),
    [`Get${kind}sByType`]: read(function* (request, use) {
      const { typeName, typeVersion } = request
      const type = yield* findType(facts, String(typeName ?? ''), typeVersion as string | undefined)
      return type === undefined ? {} : yield* list(facts, request, { type: type.id }, use)
    }),
    [`Get${kind}sByID`]: read(function* (request) {
      const nodes = yield* readNodes(facts, (request[`${one}Ids`] ?? []) as readonly Whole[])
      if (request['populateArtifactTypes'] !== true) return { [many]: nodes }
      const types = yield* typesById(
        facts,
        nodes.map(({ typeId }) => typeId),
      )
      return { [many]: nodes, [`${one}Types`]: types }
    }),
    [`Get${kind}sByExternalIds`]: read(function* ({ externalIds }) {
      return { [many]: yield* nodesByExternalId(facts, (externalIds ?? []) as readonly string[]) }
    }),
    [`Get${kind}ByTypeAndName`]: read(function* (request) {
      const type = yield* findType(
        facts,
        String(request['typeName'] ?? ''),
        request['typeVersion'] as string | undefined,
      )
      if (type === undefined) return {}
      const node = yield* nodeByTypeAndName(facts, type.id, String(request[`${one}Name`] ?? ''))
      return node === undefined ? {} : { [one]: node }
    }),
  }
}

function* list(facts: KindFacts, { options }: Request, selection: Selection, { database }: Use): Work<object> {
  // Without options everything is listed; options without a size mean pages.
  const { nodes, nextPageToken } = yield* listNodes(facts, options as ListOptions | undefined, selection, database.type)
  return { [`${facts.word}s`]: nodes, ...(nextPageToken === undefined ? {} : { nextPageToken }) }
}

function contextsOfNode(table: string, key: string, field: string): Call {
  return read(function* (request) {
    const id = idOf(key, request[field] as Whole | undefined)
    const text = `SELECT DISTINCT context_id AS id FROM ${table} WHERE ${key} IN (??)`
    const contexts = yield* linkedNodes(kinds.Context, text, [id])
    if (contexts.length === 0) throw notFound(`No context holds the node with the ${key} ${id}.`)
    return { contexts }
  })
}

function relatives(wanted: string, key: string): Call {
  return read(function* ({ contextId }) {
    const text = `SELECT DISTINCT ${wanted} AS id FROM ParentContext WHERE ${key} IN (??)`
    return { contexts: yield* linkedNodes(kinds.Context, text, [idOf('context_id', contextId as Whole | undefined)]) }
  })
}

function membersOf(kind: 'Artifact' | 'Execution'): Call {
  return read((request, use) =>
    list(kinds[kind], request, { context: idOf('context_id', request['contextId'] as Whole | undefined) }, use),
  )
}

function write(work: Call['work']): Call {
  return { writes: true, work }
}

function read(work: Call['work']): Call {
  return { writes: false, work }
}
