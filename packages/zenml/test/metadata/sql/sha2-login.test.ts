import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { openDatabase } from '../../../src/metadata/open.ts'
import type { ServerLocation } from '../../../src/metadata/sql/location.ts'
import { certificate } from '../../support/certificate.ts'
import { type Sha2ServerOptions, sha2Server } from '../../support/sha2-server.ts'

const account = { user: 'ada', password: 'geheim-7531 ü' }

/** Tries to open a store on the double; gives how one was let in, and what was said. */
async function enter(options: Partial<Sha2ServerOptions>, given: Partial<ServerLocation> = {}) {
  await using server = await sha2Server({ ...account, ...options })
  const location = { type: 'mysql', host: 'localhost', port: server.port, ...account, database: 'd', ...given } as const
  const error = await openDatabase({ ...location, host: given.host ?? '127.0.0.1' } as ServerLocation).then(
    () => undefined,
    (thrown: unknown) => thrown as Error & { code: string },
  )
  return { letIn: [...server.letIn], error: error! }
}

describe('the way in to MySQL 8, caching_sha2_password, at a double', () => {
  it('a password that the server has cached is proven by its digest', async () => {
    const { letIn, error } = await enter({ cached: true })
    expect(letIn[0]).toEqual({ user: 'ada', how: 'cached' })
    expect(error.message).toContain('this double knows the way in only')
  })

  it('one that it has not goes by RSA, also where the server has to switch to this way first', async () => {
    expect((await enter({})).letIn[0]).toEqual({ user: 'ada', how: 'rsa' })
    expect((await enter({ greeting: 'mysql_native_password' })).letIn[0]).toEqual({ user: 'ada', how: 'rsa' })
  })

  it('on an encrypted connection it needs no RSA', async () => {
    const { cert, key } = certificate()
    const tls = { cert: readFileSync(cert, 'utf8'), key: readFileSync(key, 'utf8') }
    const { letIn } = await enter({ tls }, { host: 'localhost', tls: { ca: cert } })
    expect(letIn[0]).toEqual({ user: 'ada', how: 'clear' })
  })

  it.each([{ cached: true }, { cached: false }])('a wrong one is denied, and is not told: %o', async (options) => {
    const { letIn, error } = await enter(options, { password: 'falsch-9182' })
    expect(letIn).toEqual([])
    expect(error).toMatchObject({ code: 'ZEN_METADATA_ACCESS' })
    expect(`${error.message} ${error.stack} ${JSON.stringify(error)}`).not.toMatch(/falsch-9182|geheim-7531/)
  })
})
