import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { keepPassword } from '../../src/project/credentials.ts'
import { oneAtATime } from '../../src/project/one-at-a-time.ts'
import { bundleScript, importOf } from '../support/bundled-script.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'zenml-one-at-a-time-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const account = (user: string) => ({ type: 'mysql', host: 'h', port: 3306, user, database: 'd' }) as const

it('passwords that several processes keep at once are all kept', async () => {
  const script = await bundleScript(
    folder,
    `${importOf('keepPassword', 'project/credentials.ts')}
    const [name, directory] = process.argv.slice(2)
    for (let i = 0; i < 5; i++) await keepPassword({ type: 'mysql', host: 'h', port: 3306, user: name + i, database: 'd' }, 'p' + i, { ZENML_CONFIG_DIR: directory })`,
    ['better-sqlite3'],
  )
  const directory = join(folder, 'config')
  const writers = ['a', 'b', 'c', 'd'].map((name) =>
    spawn(process.execPath, [script, name, directory], { stdio: 'inherit' }),
  )
  expect((await Promise.all(writers.map((writer) => once(writer, 'exit')))).map(([code]) => code)).toEqual([0, 0, 0, 0])
  const { passwords } = JSON.parse(readFileSync(join(directory, 'credentials.json'), 'utf8'))
  expect(Object.keys(passwords)).toHaveLength(20)
  expect(passwords['mysql://c3@h:3306']).toBe('p3')
})

it('a process that is killed in the middle holds nobody up', async () => {
  const file = join(folder, 'file')
  const script = await bundleScript(
    folder,
    `${importOf('oneAtATime', 'project/one-at-a-time.ts')}
    await oneAtATime(process.argv[2], async () => { console.log('held'); await new Promise((r) => setTimeout(r, 60_000)) })`,
    ['better-sqlite3'],
  )
  const holder = spawn(process.execPath, [script, file], { stdio: ['ignore', 'pipe', 'inherit'] })
  await once(holder.stdout, 'data')
  let entered = false
  const next = oneAtATime(file, async () => {
    entered = true
  })
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(entered).toBe(false)
  holder.kill('SIGKILL')
  await next
  expect(entered).toBe(true)
})

it('what the work throws is thrown, and the next may begin', async () => {
  const file = join(folder, 'file')
  await expect(oneAtATime(file, () => Promise.reject(new Error('broken')))).rejects.toThrow('broken')
  expect(await oneAtATime(file, async () => 7)).toBe(7)
})

it('a credentials file that cannot be written or is damaged says so, without what is in it', async () => {
  writeFileSync(join(folder, 'credentials.json'), '{ "passwords": secret-7531')
  const environment = { ZENML_CONFIG_DIR: folder }
  const damaged = keepPassword(account('u'), 'new-7531', environment)
  await expect(damaged).rejects.toMatchObject({
    code: 'ZEN_METADATA_PASSWORD',
    message: expect.not.stringContaining('7531'),
  })
  const nowhere = join(folder, 'file')
  writeFileSync(nowhere, '')
  const refused = keepPassword(account('u'), 'new-7531', { ZENML_CONFIG_DIR: join(nowhere, 'below') })
  await expect(refused).rejects.toMatchObject({
    code: 'ZEN_METADATA_PASSWORD',
    message: expect.not.stringContaining('7531'),
  })
})
