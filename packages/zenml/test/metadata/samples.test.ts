import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, it } from 'vitest'
import { metadataService } from '../../src/metadata/api/service.ts'
import { openDatabase } from '../../src/metadata/open.ts'
import { schemaVersion } from '../../src/metadata/schema-10.ts'
import { upgradeSqlite } from '../../src/metadata/upgrade/upgrade-sqlite.ts'
import { messageFromJson } from '../../src/metadata/wire/from-json.ts'
import { rpcs } from '../../src/metadata/wire/rpcs.ts'
import { messageToJson } from '../../src/metadata/wire/to-json.ts'
import { hasFacts } from '../support/golden.ts'
import { questionsOf, sampleFiles, samples, versionOf } from '../support/samples.ts'

const folders: string[] = []
afterEach(() => {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
})

it.skipIf(!hasFacts).for(sampleFiles)('%s answers as the real core does, and reading changes no byte', async (file) => {
  const folder = mkdtempSync(join(tmpdir(), 'zenml-sample-'))
  folders.push(folder)
  const path = join(folder, file)
  copyFileSync(join(samples, file), path)
  // An older one is refused as it is, and answers once it was upgraded.
  const version = versionOf(path)
  if (version < schemaVersion) {
    await expect(openDatabase({ type: 'sqlite', path })).rejects.toMatchObject({ code: 'ZEN_METADATA_OLDER' })
    expect(sameBytes(path, join(samples, file))).toBe(true)
    expect(await upgradeSqlite({ path })).toMatchObject({ from: version, to: schemaVersion })
  }
  const before = readFileSync(path)
  await using database = await openDatabase({ type: 'sqlite', path })
  const service = metadataService(database)
  for (const { rpc, request, status = 'OK', response } of questionsOf(file)) {
    expect(status).toBe('OK')
    const types = rpcs.get(rpc)!
    const answer = await service.call(rpc, messageFromJson(types.request, request))
    expect(messageToJson(types.response, answer as never), `${rpc} ${JSON.stringify(request)}`).toEqual(response)
  }
  expect(readFileSync(path).equals(before)).toBe(true)
  if (version === schemaVersion) expect(sameBytes(path, join(samples, file))).toBe(true)
})

function sameBytes(left: string, right: string): boolean {
  return readFileSync(left).equals(readFileSync(right))
}
