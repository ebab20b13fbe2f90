import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../../../src/metadata/open.ts'
import type { ServerLocation } from '../../../src/metadata/sql/location.ts'
import { selectOne } from '../../../src/metadata/sql/work.ts'
import { certificate } from '../../support/certificate.ts'
import { freshDatabase, isRunning } from '../../support/databases.ts'
import { serverTypes, startServer } from '../../support/servers.ts'

describe.each(serverTypes)('on %s (skipped without a server)', (type) => {
  it.skipIf(!isRunning(type))(
    'a connection is encrypted, and the certificate is believed only where it is known',
    async () => {
      const { folder, cert, key } = certificate()
      const options =
        type === 'mysql'
          ? [`--ssl-cert=${cert}`, `--ssl-key=${key}`, `--ssl-ca=${cert}`, '--require-secure-transport=ON']
          : ['-c', 'ssl=on', '-c', `ssl_cert_file=${cert}`, '-c', `ssl_key_file=${key}`]
      await using server = await startServer(type, { options })
      const plain = { ...freshDatabase(type, server).location, host: 'localhost' }
      const cipher = async (location: ServerLocation): Promise<unknown> => {
        await using database = await openDatabase(location)
        const row = await database.read(() =>
          selectOne(
            type === 'mysql'
              ? `SHOW SESSION STATUS LIKE 'Ssl_version'`
              : 'SELECT version AS "Value" FROM pg_stat_ssl WHERE pid = pg_backend_pid()',
          ),
        )
        return row?.['Value']
      }
      expect(await cipher({ ...plain, tls: { ca: cert } })).toMatch(/^TLSv1/)
      expect(await cipher({ ...plain, tls: { verify: false } })).toMatch(/^TLSv1/)
      // Signed by nobody that is known.
      await expect(cipher({ ...plain, tls: {} })).rejects.toMatchObject({ code: 'ZEN_METADATA_CONNECTION' })
      const other = join(folder, 'other.pem')
      await expect(cipher({ ...plain, tls: { ca: other } })).rejects.toMatchObject({ code: 'ZEN_METADATA_TLS' })
      writeFileSync(other, 'no certificate')
      await expect(cipher({ ...plain, tls: { ca: other } })).rejects.toThrow()
      if (type === 'mysql') await expect(cipher(plain)).rejects.toThrow()
    },
  )

  it.skipIf(!isRunning(type))(
    'a server without encryption is refused by who wants it, and its socket serves as well as its port',
    async () => {
      await using server = await startServer(type)
      await using fresh = freshDatabase(type, server)
      await expect(openDatabase({ ...fresh.location, tls: {} })).rejects.toMatchObject({
        code: 'ZEN_METADATA_CONNECTION',
      })
      const port = type === 'mysql' ? 1 : server.port
      await using database = await openDatabase({
        ...fresh.location,
        host: 'nowhere.invalid',
        port,
        socket: server.socket,
      })
      expect(await database.read(() => selectOne('SELECT COUNT(*) AS types FROM Type'))).toEqual({ types: 9 })
    },
  )
})
