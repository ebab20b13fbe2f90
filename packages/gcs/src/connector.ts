import type { Bucket, FileMetadata } from '@google-cloud/storage'
import type { GcsDatasource, ObjectConnector, ObjectStore, SourceTools, StoredObject } from 'zenml/sources'
import { bodyOf, openBucket, type Patience } from './client.ts'
import { failureOf, statusOf } from './failures.ts'

/** What is asked of an object. */
const fields = 'name,generation,size,crc32c'

/** Reads objects of Google Cloud Storage, each in exactly the generation that was told. */
export function connector(tools: SourceTools, patience: Patience = {}): ObjectConnector<GcsDatasource> {
  return {
    kind: 'objects',
    async open(options) {
      return storeOf(await openBucket(options, tools, patience), options.spec, tools)
    },
  }
}

function storeOf(bucket: Bucket, spec: GcsDatasource, tools: SourceTools): ObjectStore {
  /** What the client gives, its errors in other words; undefined for a status that is expected. */
  async function asked<T>(
    work: Promise<T>,
    signal: AbortSignal,
    { expected, isReading = false }: { readonly expected?: number; readonly isReading?: boolean } = {},
  ): Promise<T | undefined> {
    try {
      return await work
    } catch (error) {
      if (signal.aborted) throw signal.reason
      if (expected !== undefined && statusOf(error) === expected) return undefined
      throw failureOf(error, spec, isReading, tools)
    }
  }
  return {
    async find(name, signal) {
      const [metadata] =
        (await asked(bucket.file(name).getMetadata({ fields } as object), signal, { expected: 404 })) ?? []
      return metadata && told(metadata, spec, tools)
    },
    async *list(prefix, signal) {
      let pageToken: string | undefined
      do {
        signal.throwIfAborted()
        const query = {
          prefix,
          autoPaginate: false,
          fields: `items(${fields}),nextPageToken`,
          ...(pageToken === undefined ? {} : { pageToken }),
        }
        const answer = await asked(bucket.getFiles(query), signal)
        const { items = [], nextPageToken } = answer![2] as Listing
        yield items.map((metadata) => told(metadata, spec, tools))
        if (nextPageToken !== undefined && nextPageToken === pageToken)
          throw tools.sourceFailure('ZEN_SOURCE_READ', spec, new Error('a listing does not go on'))
        pageToken = nextPageToken
      } while (pageToken !== undefined)
    },
    async read({ name, version, checksum }, signal) {
      const file = bucket.file(name, { generation: version })
      const body = await asked(bodyOf(file, signal), signal, { expected: 404, isReading: true })
      if (body !== undefined) return { body, checksum }
      const why = new Error(`the object ${JSON.stringify(name)} is no longer there as it was listed`)
      throw tools.sourceFailure('ZEN_SOURCE_CHANGED', spec, why)
    },
    // The client holds nothing open beyond its requests, which end with the signal.
    async [Symbol.asyncDispose]() {},
  }
}

/** A page of a listing (https://cloud.google.com/storage/docs/json_api/v1/objects/list). */
interface Listing {
  readonly items?: readonly FileMetadata[]
  readonly nextPageToken?: string
}

function told(metadata: FileMetadata, spec: GcsDatasource, tools: SourceTools): StoredObject {
  const { name, generation, size, crc32c } = metadata
  if (typeof name === 'string' && /^\d+$/.test(String(generation)) && /^\d{1,15}$/.test(String(size)))
    return {
      name,
      size: Number(size),
      version: String(generation),
      ...(crc32c === undefined ? {} : { checksum: { algorithm: 'crc32c', value: crc32c } }),
    }
  throw tools.sourceFailure('ZEN_SOURCE_READ', spec, new Error('an object has no name, generation or size'))
}
