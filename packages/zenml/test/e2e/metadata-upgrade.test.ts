import { chmodSync, copyFileSync, existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { testProject } from '../support/project.ts'

const sample = fileURLToPath(
  new URL(
    '../../../../../shared/mlmd/samples/ksuchoi216_tfx_tutorial__metadata_penguin-simple_metadata.db',
    import.meta.url,
  ),
)

it.skipIf(!existsSync(sample))(
  'a project takes over a database of an older TFX: it is refused with the command to run, upgraded, and then taken (skipped without ../shared)',
  async () => {
    using project = testProject()
    const path = join(realpathSync(project.root), 'tfx.db')
    copyFileSync(sample, path)
    chmodSync(path, 0o666)
    project.give(path)
    const refused = await project.zenml('config', 'metadata', 'set', 'sqlite', '--uri=tfx.db')
    expect(refused.code).toBe(2)
    expect(refused.stderr).toContain('ZEN_METADATA_OLDER')
    expect(refused.stderr).toContain('zenml config metadata upgrade --uri=')

    const upgraded = await project.zenml('config', 'metadata', 'upgrade', '--uri=tfx.db')
    expect(upgraded).toMatchObject({ code: 0, stderr: '' })
    expect(upgraded.stdout).toContain('tfx.db was upgraded from schema version 8 to 10 (9, 10).')
    expect(upgraded.stdout).toContain('tfx.db.v8.backup')
    expect(existsSync(`${path}.v8.backup`)).toBe(true)

    expect(await project.json('config', 'metadata', 'upgrade', '--uri=tfx.db')).toMatchObject({
      versions: [],
      backup: null,
    })
    expect((await project.zenml('config', 'metadata', 'set', 'sqlite', '--uri=tfx.db')).code).toBe(0)
    expect((await project.zenml('config', 'metadata', 'upgrade')).stdout).toContain('nothing to do')
    expect((await project.zenml('config', 'metadata', 'get')).stdout).toBe(`sqlite ${path}\n`)
  },
)
