// Keeps one database server in a temporary folder for as long as its standard input stays open: `node keep.mjs mysql|postgres [JSON]`.
// Each line of its input is a command (`start`, `stop`, `kill`), each line of its output an answer; the first says how to connect.
// The process that wanted the server may be killed in any way: the input closes then, and server and folder go.
import { execFileSync, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs'
import { mkdtemp, realpath } from 'node:fs/promises'
import { connect, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { mariadb } from './mariadb.mjs'
import { postgres } from './postgres.mjs'

const [type, json = '{}'] = process.argv.slice(2)
const kind = { mysql: mariadb, postgres }[type]
const { durable = false, options = [] } = JSON.parse(json)
becomeNobody()
const folder = await realpath(await mkdtemp(join(tmpdir(), `zenml-${type}-`)))
const server = { folder, durable, options, password: randomBytes(18).toString('base64url'), port: 0 }
let child
let ending = false
let initialised

const answer = (value) => process.stdout.write(`${JSON.stringify(value)}\n`)
process.stdout.on('error', () => {})
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP']) process.on(signal, end)
const commands = { start, stop: () => finish(kind.endSignal), kill: () => finish('SIGKILL') }
const input = createInterface({ input: process.stdin })
let last = begin()
input.on('line', (line) => {
  last = last.then(commands[line]).then(
    () => answer({ done: line }),
    (error) => answer({ error: String(error.message) }),
  )
})
input.on('close', end)

async function begin() {
  try {
    if (kind.program() === undefined) throw new Error(`No ${type} server is installed: run tools/servers/install.sh.`)
    initialised = kind.initialise(server)
    await initialised
    await start()
    const { password, port } = server
    const account = { host: '127.0.0.1', port, socket: kind.socket(server), user: kind.account, password }
    answer({ ...account, folder, pid: child.pid })
  } catch (error) {
    answer({ error: `${error.message}\n${log()}` })
    await end()
  }
}

/** Starts the server, at first on a port that is free now; another one may take it before the server does. */
async function start() {
  const first = server.port === 0
  for (let attempt = 1; ; attempt++) {
    if (first) server.port = await freePort()
    if (ending) throw new Error('It is no longer wanted.')
    const file = openSync(join(folder, 'log'), 'a')
    child = spawn(kind.program(), kind.start(server), {
      cwd: folder,
      stdio: ['ignore', file, file],
      // A group of its own: Ctrl-C in a terminal ends the tests, which then end this.
      detached: true,
    })
    closeSync(file)
    const starting = child
    child.on('error', () => {})
    while (starting.exitCode === null && starting.signalCode === null) {
      if (kind.isReady(server, child.pid) && (await answers(server.port))) return
      await wait(20)
    }
    if (attempt === 5 || ending) throw new Error(`The ${type} server did not start.`)
    // Parts of one that was killed may be on their way out.
    await wait(attempt * 100)
  }
}

async function finish(signal) {
  if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
  const gone = once(child, 'exit')
  child.kill(signal)
  await gone
}

async function end() {
  if (ending) return
  ending = true
  try {
    // What still writes into the folder would make it again.
    await initialised?.catch(() => {})
    await finish(kind.quickSignal)
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 20 })
    process.exit()
  }
}

/** Database servers refuse to be root. */
function becomeNobody() {
  if (process.getuid() !== 0) return
  const [uid, gid] = ['-u', '-g'].map((flag) => Number(execFileSync('id', [flag, 'nobody'], { encoding: 'utf8' })))
  process.chdir('/')
  process.setgroups([gid])
  process.setgid(gid)
  process.setuid(uid)
}

async function freePort() {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address()
  probe.close()
  await once(probe, 'close')
  return port
}

async function answers(port) {
  return await new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    socket.once('data', () => done(true))
    socket.once('connect', () => type === 'postgres' && done(true))
    socket.once('error', () => done(false))
    const done = (value) => {
      socket.destroy()
      resolve(value)
    }
  })
}

function log() {
  try {
    return readFileSync(join(folder, 'log'), 'utf8').slice(-2000)
  } catch {
    return ''
  }
}
