import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { gunzipSync } from 'node:zlib'
import { describe, expect, it } from 'vitest'
import { runStep } from '../../src/define/run-step.ts'
import { maskedCrc32c } from '../../src/formats/crc32c.ts'
import { openExamples } from '../../src/formats/examples.ts'
import { decodeSchema, encodeSchema, readSchema, type SchemaFeature } from '../../src/formats/schema-proto.ts'
import { schemaOf } from '../../src/steps/schema.ts'
import { statistics } from '../../src/steps/statistics.ts'
import { decodeAll, encodeAll, plainByBatch, plainByOracle, recordsOf } from './example-oracle.ts'

const tfx = fileURLToPath(new URL('../../../../../shared/tfx', import.meta.url))
const folder = join(tfx, 'csv_example_gen/Split-train')

describe.skipIf(!existsSync(tfx))('files of TensorFlow Extended (skipped without ../shared)', () => {
  it('every TFRecord shard has the checksums that ours gives, and every record means the same to protobufjs and to us, also encoded again', () => {
    const shards = readdirSync(folder).sort()
    expect(shards).toHaveLength(12)
    let total = 0
    for (const shard of shards) {
      const framed = new Uint8Array(gunzipSync(readFileSync(join(folder, shard))))
      const view = new DataView(framed.buffer, framed.byteOffset, framed.length)
      for (let at = 0; at < framed.length; ) {
        const length = view.getUint32(at, true)
        expect(maskedCrc32c(framed, at, at + 8) >>> 0).toBe(view.getUint32(at + 8, true))
        expect(maskedCrc32c(framed, at + 12, at + 12 + length) >>> 0).toBe(view.getUint32(at + 12 + length, true))
        at += 16 + length
      }
      const records = recordsOf(framed)
      const batch = decodeAll(records)
      const again = recordsOf(encodeAll(batch))
      expect(batch.length).toBe(records.length)
      for (const [row, record] of records.entries()) {
        const theirs = plainByOracle(record)
        expect(plainByBatch(batch, row)).toEqual(theirs)
        expect(plainByOracle(again[row]!)).toEqual(theirs)
      }
      total += records.length
    }
    expect(total).toBe(9909)
  })

  it('the schema keeps its meaning in the binary form', async () => {
    const theirs = await readSchema(join(tfx, 'schema_gen/schema.pbtxt'))
    // Its one comment has no place there.
    const { comments, ...schema } = theirs
    expect(Object.keys(comments!)).toEqual([''])
    expect(decodeSchema(encodeSchema(theirs))).toEqual(schema)
  })

  it('the schema that the shards give is that of schema.pbtxt, feature by feature, but for what docs/validation.md explains', async () => {
    await using trial = await runStep(statistics, {
      inputs: { examples: await openExamples(join(tfx, 'csv_example_gen')) },
    })
    const ours = schemaOf(trial.outputs.statistics['train']!.datasets![0]!)
    const theirs = await readSchema(join(tfx, 'schema_gen/schema.pbtxt'))
    const plain = (features: readonly SchemaFeature[] | undefined): { readonly [name: string]: object } =>
      Object.fromEntries(features!.map(({ comments: _comments, name, ...rest }) => [name, rest]))
    const [left, right] = [plain(ours.feature), plain(theirs.feature)]
    expect(Object.keys(left).sort()).toEqual(Object.keys(right).sort())
    const sometimesEmpty = [
      'company',
      'dropoff_census_tract',
      'dropoff_community_area',
      'dropoff_latitude',
      'dropoff_longitude',
      'pickup_census_tract',
      'trip_seconds',
    ]
    const full = ['pickup_community_area', 'pickup_latitude', 'pickup_longitude']
    for (const [name, expected] of Object.entries(right)) {
      const one = { valueCount: { min: 1, max: 1 } }
      if (sometimesEmpty.includes(name))
        expect({ name, ...left[name] }).toEqual({ name, ...expected, ...one, presence: { minCount: 1 } })
      else if (full.includes(name)) expect({ name, ...left[name] }).toEqual({ name, ...expected, ...one })
      else expect({ name, ...left[name] }).toEqual({ name, ...expected })
      // Where they differ, theirs says nothing of the number of values.
      expect([...sometimesEmpty, ...full].includes(name)).toBe(!('valueCount' in expected))
    }
    const onlyTheirs = theirs.stringDomain!.map(({ name, value }) => {
      const found = ours.stringDomain!.find((domain) => domain.name === name)!.value!
      expect(found.filter((text) => !value!.includes(text))).toEqual([])
      return [name, value!.filter((text) => !found.includes(text)).length]
    })
    expect(onlyTheirs).toEqual([
      ['company', 8],
      ['payment_type', 1],
    ])
  })
})
