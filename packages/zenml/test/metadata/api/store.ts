import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { metadataService } from '../../../src/metadata/api/service.ts'
import { StatusError } from '../../../src/metadata/api/status.ts'
import { openDatabase } from '../../../src/metadata/open.ts'
import type { DatabaseType, SqlDatabase } from '../../../src/metadata/sql/database.ts'
import type { DatabaseLocation } from '../../../src/metadata/sql/location.ts'
import { messageFromJson } from '../../../src/metadata/wire/from-json.ts'
import { rpcs } from '../../../src/metadata/wire/rpcs.ts'
import { messageToJson } from '../../../src/metadata/wire/to-json.ts'
import { freshDatabase, isRunning } from '../../support/databases.ts'
import type { ServerAccess } from '../../support/servers.ts'

export const databaseTypes = ['sqlite', 'mysql', 'postgres'] as const
export const runs = (type: DatabaseType): boolean => type === 'sqlite' || isRunning(type)

/** A client of a store: each has its own connections and caches, as a process of its own. */
export interface StoreClient extends AsyncDisposable {
  readonly database: SqlDatabase
  /** A call in JSON with the names of the contract; the name of the status where it is another than OK. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read into answers freely
  call(rpc: string, request: object): Promise<any>
}

export interface Store extends StoreClient {
  readonly location: DatabaseLocation
  another(): Promise<StoreClient>
}

/** An empty store on a database of its own, on the server of this run or on a given one. */
export async function freshStore(type: DatabaseType, now?: () => number, access?: ServerAccess): Promise<Store> {
  const fresh = type === 'sqlite' ? freshFile() : freshDatabase(type, access)
  const client = await clientOf(fresh.location, now)
  const others: StoreClient[] = []
  return {
    ...client,
    location: fresh.location,
    async another() {
      const other = await clientOf(fresh.location, now)
      others.push(other)
      return other
    },
    async [Symbol.asyncDispose]() {
      for (const one of [client, ...others]) await one[Symbol.asyncDispose]()
      await fresh[Symbol.asyncDispose]()
    },
  }
}

function freshFile(): AsyncDisposable & { readonly location: DatabaseLocation } {
  const folder = mkdtempSync(join(tmpdir(), 'zenml-api-'))
  return {
    location: { type: 'sqlite', path: join(folder, 'metadata.db') },
    [Symbol.asyncDispose]: async () => rmSync(folder, { recursive: true }),
  }
}

/** A client of the store at a place. */
export async function clientOf(location: DatabaseLocation, now: () => number = Date.now): Promise<StoreClient> {
  const database = await openDatabase(location)
  const service = metadataService(database, { now })
  return {
    database,
    async call(rpc, request) {
      const types = rpcs.get(rpc)!
      try {
        return messageToJson(
          types.response,
          (await service.call(rpc, messageFromJson(types.request, request))) as never,
        )
      } catch (error) {
        if (error instanceof StatusError) return error.status
        throw error
      }
    },
    [Symbol.asyncDispose]: () => database[Symbol.asyncDispose](),
  }
}
