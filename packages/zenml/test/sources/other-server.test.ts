import { type AddressInfo, createServer, type Socket } from 'node:net'
import { expect, it } from 'vitest'
import { postgresConnector } from '../../src/sources/postgres.ts'

it.each([{}, { tls: {} }])('a port where something else than PostgreSQL answers is told at once (%j)', async (more) => {
  // The greeting of MySQL, which comes unasked; it closes nothing by itself.
  const sockets: Socket[] = []
  const other = createServer((socket) => {
    sockets.push(socket.on('error', () => {}))
    socket.write(Buffer.from('\x64\x00\x00\x00\x0a5.5.5-', 'latin1'))
  })
  await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve))
  const { port } = other.address() as AddressInfo
  try {
    const spec = {
      type: 'postgres',
      host: '127.0.0.1',
      port,
      username: 'u',
      database: 'd',
      table: 't',
      ...more,
    } as const
    const reading = postgresConnector.read({ spec, places: { root: '/', dataRoots: [] }, environment: {} })
    await expect(reading).rejects.toMatchObject({ code: 'ZEN_SOURCE_CONNECT' })
  } finally {
    for (const socket of sockets) socket.destroy()
    other.close()
  }
})
