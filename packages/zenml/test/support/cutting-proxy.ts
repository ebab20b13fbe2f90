import { once } from 'node:events'
import { type AddressInfo, connect, createServer, type Socket } from 'node:net'

/**
 * Where the network breaks at the next COMMIT: before the server gets it, after it answered, while it works on it, or before it
 * gets it and so that it does not notice that the client is gone.
 */
export type Cut = 'request' | 'answer' | 'work' | 'silence'

/** A network between clients and a server. */
export interface CuttingProxy extends AsyncDisposable {
  readonly port: number
  /** Set to break a connection once. */
  cut: Cut | undefined
}

/** Passes everything on to a port of this machine, until it is told to break. */
export async function cuttingProxy(serverPort: number): Promise<CuttingProxy> {
  const sockets = new Set<Socket>()
  const proxy = { cut: undefined as Cut | undefined }
  const listener = createServer((client) => {
    const server = connect(serverPort, '127.0.0.1')
    let answering = false
    for (const socket of [client, server]) {
      sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => {})
    }
    const close = (): void => {
      client.destroy()
      server.destroy()
    }
    client.on('data', (data) => {
      const cut = data.includes('COMMIT') ? proxy.cut : undefined
      if (cut === undefined) {
        server.write(data)
        return
      }
      proxy.cut = undefined
      if (cut === 'request') close()
      else if (cut === 'answer') {
        answering = true
        server.write(data)
      } else {
        if (cut === 'work') server.write(data)
        client.removeAllListeners('close')
        client.destroy()
      }
    })
    server.on('data', (data) => {
      if (answering) close()
      else client.write(data)
    })
    client.on('close', () => server.destroy())
    server.on('close', () => client.destroy())
  })
  listener.listen(0, '127.0.0.1')
  await once(listener, 'listening')
  return Object.assign(proxy, {
    port: (listener.address() as AddressInfo).port,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      listener.close()
      await once(listener, 'close')
    },
  })
}
