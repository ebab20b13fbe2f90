import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { describe, expect, it } from 'vitest'
import { isRunning } from '../../support/databases.ts'
import { serverTypes } from '../../support/servers.ts'

const keep = fileURLToPath(new URL('../../../../../tools/servers/keep.mjs', import.meta.url))

describe.each(serverTypes)('a server of %s that tests start (skipped without a server)', (type) => {
  it.skipIf(!isRunning(type))('goes with its folder when those who started it are killed', async () => {
    // As tests are: a process that started the keeper, and holds its input.
    const script = `const { spawn } = require('node:child_process')
spawn(process.execPath, ${JSON.stringify([keep, type])}, { stdio: ['pipe', 'inherit', 'inherit'], detached: true })`
    const tests = spawn(process.execPath, ['-e', script], { stdio: ['ignore', 'pipe', 'inherit'] })
    const [line] = (await once(tests.stdout, 'data')) as [Buffer]
    const { folder, pid } = JSON.parse(line.toString()) as { readonly folder: string; readonly pid: number }
    expect(existsSync(join(folder, 'data'))).toBe(true)
    tests.kill('SIGKILL')
    await once(tests, 'exit')
    while (existsSync(folder)) await wait(20)
    expect(() => process.kill(pid, 0)).toThrow('ESRCH')
  })
})
