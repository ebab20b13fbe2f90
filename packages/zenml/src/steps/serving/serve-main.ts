// What `serve.mjs` of a serving folder is made of.
import { parseArgs } from 'node:util'
import { messageOf } from '../../base/errors.ts'
import { type Answering, createPredictionServer } from './prediction-server.ts'

const usage = `Usage: node serve.mjs [options]

Answers POST /predict, GET /schema and GET /health.

  --host HOST       where to listen (default 127.0.0.1: this machine alone)
  --port PORT       0 takes a free one (default 8501)
  --max-body BYTES  longest body of a request (default 16777216)
  --max-rows ROWS   most rows of a request (default 10000)
  --help            this text
`

/** Milliseconds that requests have to end in when the server is told to stop. */
const grace = 10_000

async function main(): Promise<void> {
  const { values } = parseArgs({
    options: {
      host: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '8501' },
      'max-body': { type: 'string', default: String(16 << 20) },
      'max-rows': { type: 'string', default: '10000' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) {
    process.stdout.write(usage)
    return
  }
  const port = whole('port', values.port, 0, 65_535)
  const limits = {
    body: whole('max-body', values['max-body'], 1, 2 ** 29),
    rows: whole('max-rows', values['max-rows'], 1, 2 ** 31),
  }
  const place = './predict.mjs'
  const server = createPredictionServer((await import(place)) as Answering, limits)
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, values.host, resolve)
  })
  const stop = (): void => {
    server.close(() => process.exit(0))
    server.closeIdleConnections()
    setTimeout(() => server.closeAllConnections(), grace).unref()
  }
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop)
  const address = server.address() as { readonly address: string; readonly port: number; readonly family: string }
  const host = address.family === 'IPv6' ? `[${address.address}]` : address.address
  process.stdout.write(`listening on http://${host}:${address.port}\n`)
}

function whole(option: string, text: string, least: number, most: number): number {
  const value = /^\d{1,10}$/.test(text) ? Number(text) : Number.NaN
  if (value >= least && value <= most) return value
  throw new TypeError(`--${option} takes a whole number from ${least} to ${most}, not "${text}"`)
}

try {
  await main()
} catch (error) {
  process.stderr.write(`${messageOf(error)}\n`)
  process.exitCode = error instanceof TypeError ? 2 : 1
}
