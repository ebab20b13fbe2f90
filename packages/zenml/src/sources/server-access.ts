import { tlsFiles } from '../metadata/sql/server-errors.ts'
import { type ServerDatasource, variableReference } from '../model/datasource-spec.ts'
import { type ConnectOptions, withVariables } from './connector.ts'
import { resolveFile } from './resolve-source.ts'

/** The password, which a reference to a variable stands for; empty where none is declared. */
export function passwordOf({ spec, environment }: ConnectOptions<ServerDatasource>): string {
  const { password = '' } = spec
  // A spec that was never checked must not send what looks like a password.
  return password.replace(variableReference, '') === '' ? withVariables(password, environment) : ''
}

/** What Node needs for an encrypted connection; undefined for one that is not. Throws as `resolveFile` and `tlsFiles` do. */
export async function encryptionOf({
  spec: { tls },
  places,
}: ConnectOptions<ServerDatasource>): Promise<Awaited<ReturnType<typeof tlsFiles>> | undefined> {
  if (tls === undefined) return undefined
  const files: { ca?: string; cert?: string; key?: string } = {}
  for (const name of ['ca', 'cert', 'key'] as const) {
    const path = tls[name]
    if (path !== undefined) files[name] = await resolveFile(path, places)
  }
  return await tlsFiles({ ...files, verify: tls.verify ?? true })
}
