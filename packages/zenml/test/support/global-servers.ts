import type { TestProject } from 'vitest/node'
import { metadataServerVariable } from './project.ts'
import { type ServerAccess, type ServerType, serverTypes, startServer, type TestServer } from './servers.ts'

declare module 'vitest' {
  export interface ProvidedContext {
    /** The servers of this run of the tests by type; those that were not asked for are missing. */
    readonly servers: { readonly [type in ServerType]?: ServerAccess }
  }
}

/** Starts the servers that `ZENML_SERVERS` asks for (`mysql`, `postgres`, both with a comma, or `all`), one for all tests. */
export default async function setup(project: TestProject): Promise<() => Promise<void>> {
  // Whole projects on a server: `ZENML_METADATA=mysql npx vitest run packages/zenml/test/e2e`.
  const metadata = process.env['ZENML_METADATA']
  const wanted = `${process.env['ZENML_SERVERS'] ?? ''},${metadata ?? ''}`.replace(/^all,.*/, 'all')
  const types = serverTypes.filter((type) => wanted === 'all' || wanted.split(',').includes(type))
  const skipped = serverTypes.filter((type) => !types.includes(type))
  if (skipped.length > 0)
    console.log(
      `Tests on ${skipped.join(' and ')} servers are skipped; to run them: tools/servers/install.sh && ZENML_SERVERS=all npm test`,
    )
  const servers: TestServer[] = await Promise.all(types.map((type) => startServer(type)))
  const access = Object.fromEntries(
    types.map((type, index) => {
      const { host, port, socket, user, password, folder } = servers[index]!
      return [type, { host, port, socket, user, password, folder }]
    }),
  )
  project.provide('servers', access)
  if (metadata === 'mysql' || metadata === 'postgres') {
    const { host, port, user, password } = access[metadata]!
    process.env[metadataServerVariable] = JSON.stringify({ type: metadata, host, port, user, password })
  }
  return async () => {
    await Promise.all(servers.map((server) => server[Symbol.asyncDispose]()))
  }
}
