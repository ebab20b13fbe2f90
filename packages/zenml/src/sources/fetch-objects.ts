import { createHash } from 'node:crypto'
import { createWriteStream } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { Transform } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { digestOf } from '../base/canonical.ts'
import { hexOf } from '../base/digest.ts'
import { ZenmlError } from '../base/errors.ts'
import { unlessAborted } from '../base/unless-aborted.ts'
import { crc32c } from '../formats/crc32c.ts'
import type { AnyObjectDatasource } from '../model/object-uri.ts'
import {
  type ConnectOptions,
  type FileConnector,
  type ObjectChecksum,
  type ObjectConnector,
  type ObjectContent,
  type ObjectStore,
  sourceFailure,
} from './connector.ts'
import { type SelectedObject, selectObjects } from './select-objects.ts'

/** What `fetchObjects` needs to know. */
export interface ObjectsToFetch extends ConnectOptions<AnyObjectDatasource> {
  readonly known: string | undefined
  /** An empty folder. */
  readonly directory: string
}

/** How many objects are fetched at once. */
const objectsAtOnce = 8

/** How long a service may say nothing, in milliseconds. */
const usualPatience = 60_000

/**
 * Fetches the objects of a source as files, byte for byte as they are stored, each in exactly the state in which it was listed: or all of them are
 * as they were told, or it throws. Their version is made of names, lengths and states: where it is the known one, nothing is fetched. Memory holds
 * the list, and a few pieces of each of eight objects.
 *
 * Throws what connectors throw, `ZEN_SOURCE_LOST` for a read that ends early or stands still, `ZEN_SOURCE_CHANGED` for an object that changed since the
 * listing, `ZEN_SOURCE_READ` for bytes with another checksum, `ZEN_SOURCE_LIMIT` beyond `maxBytes`, and what `selectObjects` throws.
 */
export async function fetchObjects(
  connector: ObjectConnector<AnyObjectDatasource>,
  { known, directory, ...options }: ObjectsToFetch,
  patience: number = usualPatience,
): ReturnType<FileConnector['fetch']> {
  const { spec } = options
  const end = new AbortController()
  const signal = AbortSignal.any([end.signal, ...(options.signal === undefined ? [] : [options.signal])])
  /** Waits for an answer. What comes too late is thrown away. */
  const answered = async <T>(work: Promise<T>, code: 'ZEN_SOURCE_CONNECT' | 'ZEN_SOURCE_LOST'): Promise<T> => {
    const silent = new AbortController()
    const timer = setTimeout(() => silent.abort(sourceFailure(code, spec, new Error('it does not answer'))), patience)
    try {
      return await unlessAborted(AbortSignal.any([signal, silent.signal]), work)
    } finally {
      clearTimeout(timer)
    }
  }
  try {
    await using store = await answered(connector.open({ ...options, signal }), 'ZEN_SOURCE_CONNECT')
    const selected = await selectObjects(store, spec, signal, (work) => answered(work, 'ZEN_SOURCE_CONNECT'))
    const bytes = selected.reduce((sum, { object }) => sum + object.size, 0)
    if (bytes > spec.maxBytes) throw tooMuch(spec, bytes)
    const version = versionOf(selected, bytes)
    if (version === known) return { kind: 'unchanged' }
    for (const folder of new Set(selected.map(({ inner }) => dirname(inner))))
      await mkdir(join(directory, folder), { recursive: true })
    const failures: unknown[] = []
    let come = 0
    const onBytes = (count: number): void => {
      come += count
      options.onProgress?.(come, bytes, 'bytes')
    }
    const rest = selected.values()
    const worker = async (): Promise<void> => {
      for (const one of rest) {
        try {
          await download(store, one, join(directory, one.inner), { spec, signal, patience, onBytes }, (work) =>
            answered(work, 'ZEN_SOURCE_LOST'),
          )
        } catch (error) {
          // The others end because of this one, so theirs say nothing new.
          failures.push(error)
          end.abort(error)
          return
        }
      }
    }
    await Promise.all(Array.from({ length: objectsAtOnce }, worker))
    options.signal?.throwIfAborted()
    if (failures.length > 0) throw failures[0]
    return { kind: 'fetched', version }
  } finally {
    // Whatever was asked for and is not there yet is not wanted any more.
    end.abort(new Error('the fetch is over'))
  }
}

/** How often it is looked whether more has come, while a service may say nothing. */
const looks = 12

/** What tells these objects from all others, without a byte of them read. */
function versionOf(selected: readonly SelectedObject[], bytes: number): string {
  const states = selected.map(({ object: { name, size, version } }) => [name, size, version])
  const objects = selected.length === 1 ? '1 object' : `${selected.length} objects`
  return `${objects}, ${bytes} bytes, ${hexOf(digestOf(['objects 1', states])).slice(0, 32)}`
}

async function download(
  store: ObjectStore,
  { object }: SelectedObject,
  path: string,
  {
    spec,
    signal,
    patience,
    onBytes,
  }: { spec: AnyObjectDatasource; signal: AbortSignal; patience: number; onBytes: (count: number) => void },
  answered: (work: Promise<ObjectContent>) => Promise<ObjectContent>,
): Promise<void> {
  signal.throwIfAborted()
  const work = store.read(object, signal)
  let content: ObjectContent
  try {
    content = await answered(work)
  } catch (error) {
    work.then(({ body }) => body.destroy()).catch(() => {})
    throw error
  }
  const { body, checksum } = content
  const called = `the object ${JSON.stringify(object.name)}`
  const check = checksum === undefined ? undefined : checks[checksum.algorithm]()
  let bytes = 0
  const meter = new Transform({
    transform(chunk: Uint8Array, _encoding, done) {
      bytes += chunk.length
      check?.add(chunk)
      onBytes(chunk.length)
      const tooLong = bytes > object.size
      done(tooLong ? damaged(spec, `${called} has more than the ${object.size} bytes that were told`) : null, chunk)
    },
  })
  const silence = new AbortController()
  let before = 0
  let quiet = 0
  const timer = setInterval(() => {
    quiet = bytes === before ? quiet + 1 : 0
    before = bytes
    if (quiet === looks) silence.abort(new Error(`${called} stopped coming`))
  }, patience / looks)
  try {
    await pipeline(body, meter, createWriteStream(path, { flags: 'wx' }), {
      signal: AbortSignal.any([signal, silence.signal]),
    })
  } catch (error) {
    if (error instanceof ZenmlError || signal.aborted) throw error
    throw sourceFailure('ZEN_SOURCE_LOST', spec, silence.signal.aborted ? silence.signal.reason : error)
  } finally {
    clearInterval(timer)
  }
  if (bytes !== object.size)
    throw sourceFailure('ZEN_SOURCE_LOST', spec, new Error(`${called} ended after ${bytes} of ${object.size} bytes`))
  if (check !== undefined && check.value() !== checksum!.value)
    throw damaged(spec, `${called} came with the ${checksum!.algorithm} ${check.value()} instead of ${checksum!.value}`)
}

/** A checksum that is computed while bytes pass by. */
interface Check {
  add(bytes: Uint8Array): void
  /** In base64. */
  value(): string
}

const checks: { readonly [algorithm in ObjectChecksum['algorithm']]: () => Check } = {
  md5() {
    const hash = createHash('md5')
    return { add: (bytes) => hash.update(bytes), value: () => hash.copy().digest('base64') }
  },
  crc32c() {
    let crc = 0
    return {
      add(bytes) {
        crc = crc32c(bytes, 0, bytes.length, crc)
      },
      value() {
        const bytes = Buffer.alloc(4)
        bytes.writeUInt32BE(crc)
        return bytes.toString('base64')
      },
    }
  },
}

function damaged(spec: AnyObjectDatasource, what: string): ZenmlError {
  return sourceFailure('ZEN_SOURCE_READ', spec, new Error(what))
}

function tooMuch(spec: AnyObjectDatasource, bytes: number): ZenmlError {
  return new ZenmlError('ZEN_SOURCE_LIMIT', `${spec.uri} has ${bytes} bytes, more than ${spec.maxBytes}.`, {
    facts: { uri: spec.uri, bytes, maxBytes: spec.maxBytes },
    next: 'Raise maxBytes of the datasource, if it is meant to be that large, or name fewer objects.',
    exitCode: 1,
  })
}
