import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { sha256 } from '../../src/base/digest.ts'
import { openDatabase } from '../../src/metadata/open.ts'
import { runRecords } from '../../src/metadata/run-records.ts'
import type { PipelineSpec } from '../../src/model/pipeline-spec.ts'
import { priorsOf } from '../../src/run/priors.ts'
import { example } from '../fingerprint/example.ts'

it('all executions with a key are met, newest first, and no more are read than are wanted', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'zenml-priors-'))
  try {
    await using database = await openDatabase({ type: 'sqlite', path: join(folder, 'metadata.db') })
    const records = runRecords(database)
    const identity = { key: sha256('same'), fields: {}, fingerprint: example }
    await records.startRun({
      ...{ id: 'aa', pipeline: 'p', seed: 0, startedAt: 1000, environment: {}, spec: {} as PipelineSpec, steps: [] },
      code: { commit: 'c', tree: 't', dirty: false, ref: null, remote: null, branch: 'main' },
      process: { host: 'h', pid: 1, started: 's' },
    })
    const executions: number[] = []
    for (let index = 0; index < 45; index++) {
      const step = { name: `step${index}`, source: 's', parameters: {}, identity, inputs: {}, bases: {} }
      const execution = await records.startStep('aa', { ...step, startedAt: 1000 })
      const outcome = index % 5 === 0 ? 'failed' : 'executed'
      const end = { outcome, endedAt: 1001, identity, outputs: {}, bases: {}, log: null } as const
      await records.endStep(execution, { ...end, metrics: {}, touches: [], error: null })
      if (outcome === 'executed') executions.unshift(execution)
    }
    const asked: (number | undefined)[] = []
    const watched = {
      findByKeys: (...[keys, options]: Parameters<typeof records.findByKeys>) => {
        asked.push(options?.before)
        return records.findByKeys(keys, options)
      },
    }
    const found: number[] = []
    for await (const { execution } of priorsOf(watched, identity.key)) found.push(execution)
    expect(found).toEqual(executions)
    expect(asked).toEqual([undefined, executions[19]])
    asked.length = 0
    for await (const { execution } of priorsOf(watched, identity.key)) {
      expect(execution).toBe(executions[0])
      break
    }
    expect(asked).toEqual([undefined])
    for await (const prior of priorsOf(records, sha256('none'))) expect.fail(`${prior.execution} has another key`)
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
})
