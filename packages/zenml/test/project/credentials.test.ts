import { expect, it } from 'vitest'
import { metadataLocation } from '../../src/project/credentials.ts'

const server = { type: 'postgres', host: 'db.example', port: 5432, user: 'u', database: 'd' } as const

it('sockets and certificates that the configuration names are meant from its own folder, wherever a command is run', async () => {
  const location = await metadataLocation(
    '/repository/.zenml',
    {
      ...server,
      socket: 'run',
      // biome-ignore lint/suspicious/noTemplateCurlyInString: a reference
      password: '${env:PASSWORD}',
      tls: { ca: 'certificates/ca.pem', cert: '../client.pem', key: '/etc/client.key', verify: true },
    },
    { PASSWORD: 'secret' },
  )
  expect(location).toEqual({
    ...server,
    socket: '/repository/.zenml/run',
    password: 'secret',
    tls: {
      ca: '/repository/.zenml/certificates/ca.pem',
      cert: '/repository/client.pem',
      key: '/etc/client.key',
      verify: true,
    },
  })
})
