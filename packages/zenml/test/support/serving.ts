import { type ChildProcess, spawn } from 'node:child_process'
import { cpSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/** What a served model says of a row. */
export interface Said {
  readonly prediction: string | number
  readonly probabilities?: readonly number[]
}

/** A serving folder alone in a place of its own. */
export interface ServingCopy extends Disposable {
  readonly directory: string
  /** The function of its `predict.mjs`. */
  predict(rows: readonly unknown[]): Promise<readonly (Said | null)[]>
}

/** Copies a serving folder to where nothing else is, and imports its code from there. */
export async function servingCopy(from: string): Promise<ServingCopy> {
  const directory = mkdtempSync(join(tmpdir(), 'zenml-serving-'))
  cpSync(from, directory, { recursive: true, dereference: true })
  const { predict } = (await import(pathToFileURL(join(directory, 'predict.mjs')).href)) as Pick<ServingCopy, 'predict'>
  return { directory, predict, [Symbol.dispose]: () => rmSync(directory, { recursive: true, force: true }) }
}

/** A serving folder's own server. */
export interface ServingProcess extends AsyncDisposable {
  readonly url: string
  readonly child: ChildProcess
  /** Sends rows, and gives the status and what was answered. */
  // biome-ignore lint/suspicious/noExplicitAny: tests read into documents freely
  post(body: unknown, headers?: { [name: string]: string }): Promise<{ status: number; body: any }>
}

/** Starts `node serve.mjs` on a free port in an environment without anything. */
export async function serve(directory: string, ...args: string[]): Promise<ServingProcess> {
  const child = spawn(process.execPath, ['serve.mjs', '--port', '0', ...args], { cwd: directory, env: {} })
  let said = ''
  const url = await new Promise<string>((resolve, reject) => {
    child.stderr.on('data', (chunk) => (said += chunk))
    child.stdout.on('data', (chunk) => {
      said += chunk
      const found = /listening on (\S+)/.exec(said)
      if (found !== null) resolve(found[1]!)
    })
    child.once('exit', (code) => reject(new Error(`the server ended with ${code}: ${said}`)))
  })
  return {
    url,
    child,
    async post(body, headers = { 'content-type': 'application/json' }) {
      const text = typeof body === 'string' || body instanceof Uint8Array ? body : JSON.stringify(body)
      const response = await fetch(`${url}/predict`, { method: 'POST', headers, body: text as string })
      return { status: response.status, body: await response.json() }
    },
    async [Symbol.asyncDispose]() {
      if (child.exitCode !== null || child.signalCode !== null) return
      const ended = new Promise((resolve) => child.once('exit', resolve))
      child.kill('SIGKILL')
      await ended
    },
  }
}
