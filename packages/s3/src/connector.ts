import { PassThrough, type Readable } from 'node:stream'
import { GetObjectCommand, HeadObjectCommand, ListObjectsV2Command, type S3Client } from '@aws-sdk/client-s3'
import type {
  ObjectChecksum,
  ObjectConnector,
  ObjectStore,
  S3Datasource,
  SourceTools,
  StoredObject,
} from 'zenml/sources'
import { openClient } from './client.ts'
import { failureOf, statusOf } from './failures.ts'

/** Reads objects of Amazon S3 and of servers like it, each with exactly the entity tag that was told. */
export function connector(tools: SourceTools): ObjectConnector<S3Datasource> {
  return {
    kind: 'objects',
    async open(options) {
      return storeOf(await openClient(options, tools), options.spec, tools)
    },
  }
}

function storeOf(client: S3Client, spec: S3Datasource, tools: SourceTools): ObjectStore {
  const bucket = /^s3:\/\/([^/]+)\//.exec(spec.uri)![1]!
  const damaged = (what: string): unknown => tools.sourceFailure('ZEN_SOURCE_READ', spec, new Error(what))
  /** What the client gives, its errors in other words; undefined for statuses that are expected. */
  async function asked<T>(
    work: Promise<T>,
    signal: AbortSignal,
    { expected = [], isReading = false }: { readonly expected?: readonly number[]; readonly isReading?: boolean } = {},
  ): Promise<T | undefined> {
    try {
      return await work
    } catch (error) {
      if (signal.aborted) throw signal.reason
      const status = statusOf(error)
      if (status !== undefined && expected.includes(status)) return undefined
      throw failureOf(error, spec, isReading, tools)
    }
  }
  function told(name: string | undefined, facts: Facts): StoredObject {
    const { Size: size, ETag: tag, VersionId: id } = facts
    if (name !== undefined && Number.isSafeInteger(size) && size! >= 0 && tag !== undefined && tag !== '')
      return { name, size: size!, version: stateOf({ tag, id: id === 'null' ? undefined : id }) }
    throw damaged('an object has no key, size or ETag')
  }
  return {
    async find(name, signal) {
      const head = new HeadObjectCommand({ Bucket: bucket, Key: name })
      const found = await asked(client.send(head, { abortSignal: signal }), signal, { expected: [404] })
      return found && told(name, { Size: found.ContentLength, ETag: found.ETag, VersionId: found.VersionId })
    },
    async *list(prefix, signal) {
      let token: string | undefined
      do {
        const list = new ListObjectsV2Command({
          Bucket: bucket,
          Prefix: prefix,
          // XML cannot hold every name.
          EncodingType: 'url',
          ...(token === undefined ? {} : { ContinuationToken: token }),
        })
        const answer = await asked(client.send(list, { abortSignal: signal }), signal)
        const { Contents = [], EncodingType, IsTruncated, NextContinuationToken } = answer!
        yield Contents.map((facts) =>
          told(EncodingType === 'url' && facts.Key !== undefined ? decoded(facts.Key) : facts.Key, facts),
        )
        if (IsTruncated === true && (NextContinuationToken === undefined || NextContinuationToken === token))
          throw damaged('a listing does not tell where it goes on')
        token = IsTruncated === true ? NextContinuationToken : undefined
      } while (token !== undefined)
    },
    async read({ name, version }, signal) {
      const { tag, id } = parseState(version)
      const get = new GetObjectCommand({
        Bucket: bucket,
        Key: name,
        IfMatch: tag,
        ...(id === undefined ? {} : { VersionId: id }),
      })
      // A version that was deleted may be answered with 400 or 405 too.
      const expected = [404, 412]
      const found = await asked(client.send(get, { abortSignal: signal }), signal, { expected, isReading: true })
      const body = found?.Body as Readable | undefined
      // Whether a server heeds the condition is not left to it.
      if (found !== undefined && body !== undefined && found.ETag === tag)
        return { body: checkedByClient(body, damaged), checksum: checksumOf(found) }
      body?.destroy()
      const why = new Error(`the object ${JSON.stringify(name)} is no longer there as it was listed`)
      throw tools.sourceFailure('ZEN_SOURCE_CHANGED', spec, why)
    },
    async [Symbol.asyncDispose]() {
      client.destroy()
    },
  }

  function decoded(key: string): string {
    try {
      return decodeURIComponent(key.replaceAll('+', ' '))
    } catch {
      throw damaged(`the key ${JSON.stringify(key.slice(0, 100))} is not encoded as was asked for`)
    }
  }
}

/** The bytes of an object, of which the client compares every checksum that it knows and is told: one that differs is no lost connection. */
function checkedByClient(body: Readable, damaged: (what: string) => unknown): Readable {
  const through = new PassThrough()
  body.once('error', (error) =>
    through.destroy((/^checksum mismatch/i.test(error.message) ? damaged(error.message) : error) as Error),
  )
  through.once('close', () => body.destroy())
  return body.pipe(through)
}

/** What the service tells of an object. */
interface Facts {
  readonly Size?: number | undefined
  readonly ETag?: string | undefined
  readonly VersionId?: string | undefined
}

/** Which state of an object it is: its entity tag, and its version where the bucket keeps versions and tells of them. */
interface State {
  readonly tag: string
  readonly id: string | undefined
}

function stateOf({ tag, id }: State): string {
  return JSON.stringify(id === undefined ? [tag] : [tag, id])
}

function parseState(version: string): State {
  const [tag, id] = JSON.parse(version) as [string, string?]
  return { tag, id }
}

/**
 * The entity tag of an object that was written in one piece is the MD5 of its bytes, unless it is encrypted with a key of the key service or of the
 * customer (https://docs.aws.amazon.com/AmazonS3/latest/API/API_Object.html). Other checksums are compared by the client.
 */
function checksumOf(found: {
  readonly ETag?: string | undefined
  readonly ServerSideEncryption?: string | undefined
  readonly SSECustomerAlgorithm?: string | undefined
}): ObjectChecksum | undefined {
  const { ETag = '', ServerSideEncryption = 'AES256', SSECustomerAlgorithm } = found
  const md5 = /^"([0-9a-f]{32})"$/.exec(ETag)?.[1]
  if (md5 === undefined || ServerSideEncryption !== 'AES256' || SSECustomerAlgorithm !== undefined) return undefined
  return { algorithm: 'md5', value: Buffer.from(md5, 'hex').toString('base64') }
}
