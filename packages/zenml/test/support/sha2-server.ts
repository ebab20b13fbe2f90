import { constants, createHash, generateKeyPairSync, privateDecrypt, randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { type AddressInfo, createServer, type Socket } from 'node:net'
import { TLSSocket } from 'node:tls'

/** What the server saw of a connection that was let in. */
export interface LetIn {
  readonly user: string
  /** By the cache of passwords, by RSA, or in clear on an encrypted connection. */
  readonly how: 'cached' | 'rsa' | 'clear'
}

export interface Sha2ServerOptions {
  readonly user: string
  readonly password: string
  /** Whether the server knows the password's digest from an earlier connection. */
  readonly cached?: boolean
  /** The plugin that the greeting names; another than that of the user makes the server switch. Default caching_sha2_password. */
  readonly greeting?: 'mysql_native_password' | 'caching_sha2_password'
  /** Offers TLS with these. */
  readonly tls?: { readonly key: string; readonly cert: string }
}

/**
 * A double of the way in to MySQL 8: the handshake of `caching_sha2_password`, which MariaDB does not have and no MySQL server can be had for here. It keeps the
 * rules of the real one: the token is checked against the digest of the password; what is not cached is asked for in full, in clear only where the
 * connection is encrypted, and else by RSA with padding OAEP; a wrong one is error 1045. Source: MySQL Internals, "Caching_sha2_password information".
 *
 * Its limits: whoever was let in gets error 1105 for everything.
 */
export async function sha2Server(
  options: Sha2ServerOptions,
): Promise<AsyncDisposable & { readonly port: number; readonly letIn: readonly LetIn[] }> {
  const letIn: LetIn[] = []
  const sockets = new Set<Socket>()
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('error', () => undefined)
    void talk(socket, options, letIn).catch(() => socket.destroy())
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    letIn,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy()
      server.close()
      await once(server, 'close')
    },
  }
}

const plugin = 'caching_sha2_password'
const withTls = 0x800
// PROTOCOL_41, SECURE_CONNECTION, PLUGIN_AUTH, CONNECT_WITH_DB, TRANSACTIONS, LONG_PASSWORD and what clients expect beside.
const capabilities = 0x0008_a209 | 0x8
const { publicKey, privateKey } = generateKeyPairSync('rsa', { modulusLength: 2048 })

const sha256 = (...parts: readonly Uint8Array[]): Buffer => {
  const hash = createHash('sha256')
  for (const part of parts) hash.update(part)
  return hash.digest()
}
const xor = (left: Buffer, right: Buffer): Buffer =>
  Buffer.from(left.map((byte, at) => byte ^ right[at % right.length]!))

async function talk(
  plain: Socket,
  { user, password, cached = false, greeting = plugin, tls }: Sha2ServerOptions,
  letIn: LetIn[],
): Promise<void> {
  let socket: Socket = plain
  let sequence = 0
  const send = (payload: Buffer): void => {
    const head = Buffer.alloc(4)
    head.writeUIntLE(payload.length, 0, 3)
    head[3] = sequence++
    socket.write(Buffer.concat([head, payload]))
  }
  const take = async (size: number): Promise<Buffer> => {
    for (;;) {
      const bytes = socket.read(size) as Buffer | null
      if (bytes !== null) return bytes
      if (socket.readableEnded || socket.destroyed) throw new Error('the client has gone')
      await Promise.race([once(socket, 'readable'), once(socket, 'close')])
    }
  }
  const receive = async (): Promise<Buffer> => {
    const head = await take(4)
    sequence = head[3]! + 1
    return await take(head.readUIntLE(0, 3))
  }
  const refuse = (code: number, state: string, message: string): void => {
    const head = Buffer.alloc(3)
    head[0] = 0xff
    head.writeUInt16LE(code, 1)
    send(Buffer.concat([head, Buffer.from(`#${state}${message}`)]))
  }

  const scramble = Buffer.from(randomBytes(20).map((byte) => (byte % 127) + 1))
  const offered = capabilities | (tls === undefined ? 0 : withTls)
  const fixed = Buffer.alloc(8)
  fixed.writeUInt16LE(offered & 0xffff, 0)
  fixed[2] = 255
  fixed.writeUInt16LE(2, 3)
  fixed.writeUInt16LE(offered >>> 16, 5)
  fixed[7] = 21
  send(
    Buffer.concat([
      Buffer.from('\n8.0.36\0'),
      Buffer.from([1, 0, 0, 0]),
      scramble.subarray(0, 8),
      Buffer.from([0]),
      fixed,
      Buffer.alloc(10),
      scramble.subarray(8),
      Buffer.from(`\0${greeting}\0`),
    ]),
  )
  let answer = await receive()
  let encrypted = false
  if (tls !== undefined && (answer.readUInt32LE(0) & withTls) !== 0) {
    socket = new TLSSocket(plain, { isServer: true, ...tls })
    socket.on('error', () => undefined)
    encrypted = true
    answer = await receive()
  }
  const end = answer.indexOf(0, 32)
  const given = answer.toString('utf8', 32, end)
  let token = answer.subarray(end + 2, end + 2 + answer[end + 1]!)
  if (greeting !== plugin) {
    send(Buffer.concat([Buffer.from([0xfe]), Buffer.from(`${plugin}\0`), scramble, Buffer.from([0])]))
    token = await receive()
  }
  const denied = (): void =>
    refuse(1045, '28000', `Access denied for user '${given}'@'localhost' (using password: YES)`)
  if (given !== user) return denied()
  const ok = (how: LetIn['how']): void => {
    letIn.push({ user: given, how })
    send(Buffer.from([0, 0, 0, 2, 0, 0, 0]))
  }
  if (cached) {
    const stored = sha256(sha256(Buffer.from(password)))
    if (token.length !== 32 || !sha256(xor(token, sha256(stored, scramble))).equals(stored)) return denied()
    send(Buffer.from([1, 3]))
    ok('cached')
  } else {
    send(Buffer.from([1, 4]))
    let said = await receive()
    if (!encrypted) {
      if (said.length !== 1 || said[0] !== 2)
        return refuse(1251, '08004', 'a password in clear on a connection that is not encrypted')
      send(Buffer.concat([Buffer.from([1]), Buffer.from(publicKey.export({ type: 'spki', format: 'pem' }))]))
      said = xor(
        privateDecrypt(
          { key: privateKey, padding: constants.RSA_PKCS1_OAEP_PADDING, oaepHash: 'sha1' },
          await receive(),
        ),
        scramble,
      )
    }
    if (said.toString() !== `${password}\0`) return denied()
    ok(encrypted ? 'clear' : 'rsa')
  }
  for (;;) {
    await receive()
    sequence = 1
    refuse(1105, 'HY000', 'this double knows the way in only')
  }
}
