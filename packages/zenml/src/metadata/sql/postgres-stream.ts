import type { Socket } from 'node:net'
import type { Client } from 'pg'

/**
 * The socket of a connection, to end it at once: what the driver could not agree on with the server it leaves open, which would keep the process alive, and
 * its goodbye (`end`) might wait for ever.
 */
export function streamOf(client: Client): Socket {
  return (client as unknown as { readonly connection: { readonly stream: Socket } }).connection.stream
}
