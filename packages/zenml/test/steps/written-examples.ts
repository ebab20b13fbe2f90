import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll } from 'vitest'
import type { FeatureKind } from '../../src/formats/batch.ts'
import {
  batchOf,
  type Cell,
  createExamplesWriter,
  type ExamplesReader,
  openExamples,
} from '../../src/formats/examples.ts'

/** A row as tests write it. */
export type Row = { readonly [feature: string]: Cell }

const directory = mkdtempSync(join(tmpdir(), 'zenml-examples-'))
let made = 0
afterAll(() => rmSync(directory, { recursive: true, force: true }))

/** Examples in a folder that is removed after the tests of a file. */
export async function examplesOf(
  splits: { readonly [split: string]: readonly Row[] },
  kinds: { readonly [feature: string]: FeatureKind } = {},
): Promise<ExamplesReader> {
  const place = join(directory, String(made++))
  const writer = await createExamplesWriter(place)
  for (const [split, rows] of Object.entries(splits)) await writer.write(split, batchOf(rows, kinds))
  await writer.finish()
  return await openExamples(place)
}
