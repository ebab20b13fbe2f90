import { readFileSync, statSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, inject, it } from 'vitest'
import { freshDatabase, isRunning } from '../support/databases.ts'
import { testProject } from '../support/project.ts'
import { serverTypes } from '../support/servers.ts'
import { digestTree } from '../support/tree-state.ts'

describe.each(serverTypes)('metadata on %s (skipped without a server)', (type) => {
  it.skipIf(!isRunning(type))(
    'is set once it answers, and the password is nowhere but in a file of the user',
    async () => {
      using project = testProject()
      await using fresh = freshDatabase(type)
      const { host, port, user, password, database } = fresh.location
      const place = [`--host=${host}`, `--port=${port}`, `--username=${user}`, `--database=${database}`]
      const before = project.read('.zenml/config.json')
      const printed: string[] = []
      const run = async (...args: string[]): Promise<number | null> => {
        const { code, stdout, stderr } = await project.zenml('config', ...args)
        printed.push(stdout, stderr)
        return code
      }
      // Nothing is saved that does not open.
      expect(await run('metadata', 'set', type, ...place, '--password=wrong-7531')).toBe(2)
      expect(printed.join('')).toContain('ZEN_METADATA_ACCESS')
      expect(await run('metadata', 'set', type, ...place.with(1, '--port=1'), `--password=${password}`)).toBe(1)
      expect(printed.join('')).toContain('ZEN_METADATA_CONNECTION')
      expect(project.read('.zenml/config.json')).toBe(before)

      expect(await run('metadata', 'set', type, ...place, `--password=${password}`)).toBe(0)
      expect(await fresh.sql('SELECT id FROM Type')).toHaveLength(9)
      expect(await run('metadata', 'get')).toBe(0)
      expect(await run('list')).toBe(0)
      expect(printed.at(-2)).toContain(`${type} ${user}@${host}:${port}/${database}`)
      const { metadata } = await project.json('config', 'metadata', 'get')
      expect(metadata).toEqual({ type, host, port, user, database })
      expect(printed.join('')).not.toContain(password)
      expect(printed.join('')).not.toContain('wrong-7531')
      expect(project.read('.zenml/config.json')).not.toContain(password)
      const file = join(project.cache, '.config/zenml/credentials.json')
      expect(readFileSync(file, 'utf8')).toContain(password)
      expect(statSync(file).mode & 0o777).toBe(0o600)
      // It need not be said again, and initialising again asks nobody.
      expect(await run('metadata', 'set', type, ...place)).toBe(0)
      expect((await project.zenml('init')).code).toBe(0)
      expect((await project.json('config', 'metadata', 'get')).metadata.type).toBe(type)
    },
  )

  it.skipIf(!isRunning(type))('finds its socket from every folder, however the path was written', async () => {
    using project = testProject()
    await using fresh = freshDatabase(type)
    const { port, user, password, database } = fresh.location
    symlinkSync(inject('servers')[type]!.socket, join(project.root, 'socket'))
    const place = ['--socket=socket', `--port=${port}`, `--username=${user}`, `--database=${database}`]
    const set = await project.zenml('config', 'metadata', 'set', type, ...place, `--password=${password}`)
    expect([set.code, set.stderr]).toEqual([0, ''])
    expect(await fresh.sql('SELECT id FROM Type')).toHaveLength(9)
    const { metadata } = await project.json('config', 'metadata', 'get')
    expect(metadata.socket).toBe(join(project.root, 'socket'))
  })

  it.skipIf(!isRunning(type))('takes the password from a variable each time, where it names one', async () => {
    using project = testProject()
    await using fresh = freshDatabase(type)
    const { host, port, user, password, database } = fresh.location
    const place = [`--host=${host}`, `--port=${port}`, `--username=${user}`, `--database=${database}`]
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what one types
    const args = ['config', 'metadata', 'set', type, ...place, '--password=${env:TEAM_PASSWORD}']
    const before = digestTree(join(project.root, '.zenml'))
    const missing = await project.zenml(...args)
    expect([missing.code, missing.stderr]).toEqual([2, expect.stringContaining('TEAM_PASSWORD')])
    expect(digestTree(join(project.root, '.zenml'))).toBe(before)
    expect((await project.zenmlWith({ TEAM_PASSWORD: password }, ...args)).code).toBe(0)
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what one types
    expect(JSON.parse(project.read('.zenml/config.json')).metadata.password).toBe('${env:TEAM_PASSWORD}')
    expect(project.read('.zenml/config.json')).not.toContain(password)
    expect(digestTree(join(project.cache, '.config'))).toBe('nothing')
  })

  it.skipIf(!isRunning(type))('no step, and no process beside it, is given the password', async () => {
    using project = testProject({ ownFile: true })
    await using fresh = freshDatabase(type)
    const { host, port, user, password, database } = fresh.location
    const place = [`--host=${host}`, `--port=${port}`, `--username=${user}`, `--database=${database}`]
    project.write({
      'look.ts': `
import { readdirSync, readFileSync } from 'node:fs'
import { step } from 'zenml'
import { JsonArtifact } from 'zenml/formats'

export const look = step({
  name: 'look',
  outputs: { seen: JsonArtifact },
  run: () => {
    const told = (path: string): string => {
      try {
        return readFileSync(path, 'latin1')
      } catch {
        return ''
      }
    }
    // Whose environment can be read is a matter of the user; command lines are open to all.
    const lines = readdirSync('/proc').filter((name) => /^\\d+$/.test(name)).map((id) => told('/proc/' + id + '/cmdline'))
    return { seen: { own: told('/proc/self/environ'), lines, variables: { ...process.env } } }
  },
})
`,
      'look.yaml': 'version: 1\npipeline: look\nsteps:\n  look: { source: "look.ts#look" }\n',
    })
    project.commit()
    // biome-ignore lint/suspicious/noTemplateCurlyInString: what one types
    const reference = '--password=${env:TEAM_PASSWORD}'
    const variables = { TEAM_PASSWORD: password }
    const set = await project.zenmlWith(variables, 'config', 'metadata', 'set', type, ...place, reference)
    expect(set.code, set.stderr).toBe(0)
    const run = await project.zenmlWith(variables, 'pipeline', 'run', 'look.yaml', '--json')
    expect(run.code, run.stderr).toBe(0)
    const { steps } = JSON.parse(run.stdout)
    await project.zenmlWith(variables, 'artifact', 'pull', steps[0].outputs.seen.digest, 'pulled')
    const seen = readFileSync(join(project.root, 'pulled/value.json'), 'utf8')
    expect(JSON.parse(seen).lines.length).toBeGreaterThan(2)
    expect(seen).not.toContain(password)
    expect(run.stdout + run.stderr).not.toContain(password)
  })
})

it('a configuration that holds a password in clear is refused without showing it', async () => {
  using project = testProject()
  const metadata = { type: 'mysql', host: 'h', port: 3306, user: 'u', database: 'd', password: 'in-clear-7531' }
  project.write({
    '.zenml/config.json': JSON.stringify({ ...JSON.parse(project.read('.zenml/config.json')), metadata }),
  })
  const { code, stderr, stdout } = await project.zenml('config', 'list')
  expect(code).toBe(2)
  expect(stderr).toContain('metadata.password')
  expect(stdout + stderr).not.toContain('in-clear-7531')
})

it.each([
  ['mysql', '--uri=x'],
  ['sqlite', '--uri=x', '--host=h'],
  ['mysql', '--username=u', '--port=99999'],
  ['mysql', '--host=h'],
  ['mysqll', '--username=u'],
  ['postgres', '--username=u', '--tls=maybe'],
])('a place that cannot be meant is refused: %s %s', async (...args) => {
  using project = testProject()
  const { code, stderr } = await project.zenml('config', 'metadata', 'set', ...args)
  expect([code, stderr]).toEqual([2, expect.stringContaining('ZEN_USAGE')])
})
