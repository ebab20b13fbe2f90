import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  type Anomalies,
  decodeAnomalies,
  encodeAnomalies,
  parseAnomalies,
  printAnomalies,
} from '../../src/formats/anomalies-proto.ts'
import { anomalyTypes } from '../../src/formats/anomalies-specs.ts'
import { decodeSchema, encodeSchema, parseSchema, printSchema, type Schema } from '../../src/formats/schema-proto.ts'
import {
  type DatasetFeatureStatisticsList,
  decodeStatistics,
  encodeStatistics,
} from '../../src/formats/statistics-proto.ts'
import { anyMessage, byOracle, everyField, oracleBytes, oracleType } from './metadata-oracle.ts'

const runs = { numRuns: 300 }

interface AnomalyEntry {
  readonly key?: string
  readonly value?: object
}

/** Our maps as the entries that they are on the wire, in the order of their keys, and back. */
function toEntries(anomalies: Anomalies): object {
  if (anomalies.anomalyInfo === undefined) return anomalies
  const entries = [...anomalies.anomalyInfo].sort(([left], [right]) => (left < right ? -1 : 1))
  return { ...anomalies, anomalyInfo: entries.map(([key, value]) => ({ key, value })) }
}

function toMap(message: { readonly [key: string]: unknown }): Anomalies {
  const entries = message['anomalyInfo'] as readonly AnomalyEntry[] | undefined
  if (entries === undefined) return message as Anomalies
  return { ...message, anomalyInfo: new Map(entries.map(({ key = '', value = {} }) => [key, value])) } as Anomalies
}

describe('beside protobufjs over the field numbers of the public format', () => {
  it('schemas are the same both ways, in every field', () => {
    const type = oracleType('Schema')
    const same = (message: { readonly [key: string]: unknown }): void => {
      const ours = encodeSchema(message as Schema)
      expect(byOracle(type, ours)).toEqual(message)
      const theirs = oracleBytes(type, message)
      expect(decodeSchema(theirs)).toEqual(message)
      expect(Buffer.from(encodeSchema(decodeSchema(theirs))).equals(ours)).toBe(true)
      expect(parseSchema(printSchema(message as Schema))).toEqual({ ok: true, value: message })
    }
    const every = everyField(type)
    expect(Object.keys(every).length).toBeGreaterThan(180)
    for (const message of Object.values(every)) same(message)
    fc.assert(fc.property(anyMessage(type), same), runs)
  })

  it('statistics are the same both ways, in every field', () => {
    const type = oracleType('StatisticsList3')
    const same = (message: { readonly [key: string]: unknown }): void => {
      const ours = encodeStatistics(message as DatasetFeatureStatisticsList)
      expect(byOracle(type, ours)).toEqual(message)
      const theirs = oracleBytes(type, message)
      expect(decodeStatistics(theirs)).toEqual(message)
      expect(Buffer.from(encodeStatistics(decodeStatistics(theirs))).equals(ours)).toBe(true)
    }
    const every = everyField(type)
    expect(Object.keys(every).length).toBeGreaterThan(110)
    for (const message of Object.values(every)) same(message)
    fc.assert(fc.property(anyMessage(type, 7), same), runs)
  })

  it('anomalies are the same both ways, binary and as text', () => {
    const type = oracleType('Anomalies')
    const same = (message: { readonly [key: string]: unknown }): void => {
      const anomalies = toMap(message)
      const ours = encodeAnomalies(anomalies)
      expect(toMap(byOracle(type, ours) as { readonly [key: string]: unknown })).toEqual(anomalies)
      expect(decodeAnomalies(oracleBytes(type, toEntries(anomalies)))).toEqual(anomalies)
      expect(parseAnomalies(printAnomalies(anomalies))).toEqual({ ok: true, value: anomalies })
    }
    for (const message of Object.values(everyField(type))) same(message)
    fc.assert(fc.property(anyMessage(type), same), runs)
  })
})

it('the numbers of anomaly types are those of the public format', () => {
  const numbers = Object.values(anomalyTypes)
  expect(new Set(numbers).size).toBe(numbers.length)
  expect(Math.max(...numbers)).toBe(numbers.length - 1)
  expect(anomalyTypes).toMatchObject({ SCHEMA_NEW_COLUMN: 36, COMPARATOR_L_INFTY_HIGH: 42, MULTIPLE_REASONS: 82 })
})

describe('the text of anomalies', () => {
  it('is laid out as Python lays out a map: key and value of each entry, in the order of the keys', () => {
    const anomalies: Anomalies = {
      anomalyInfo: new Map([
        ['b', { severity: 'WARNING' }],
        ['a', { path: { step: ['a'] }, reason: [{ type: 'SCHEMA_NEW_COLUMN', description: 'new "column"' }] }],
      ]),
      anomalyNameFormat: 'SERIALIZED_PATH',
    }
    const text = `anomaly_info {
  key: "a"
  value {
    reason {
      type: SCHEMA_NEW_COLUMN
      description: "new \\"column\\""
    }
    path {
      step: "a"
    }
  }
}
anomaly_info {
  key: "b"
  value {
    severity: WARNING
  }
}
anomaly_name_format: SERIALIZED_PATH
`
    expect(printAnomalies(anomalies)).toBe(text)
    expect(parseAnomalies(text)).toEqual({ ok: true, value: anomalies })
    expect(parseAnomalies('anomaly_info: [{ key: "a" }, <value { }>]')).toEqual({
      ok: true,
      value: {
        anomalyInfo: new Map([
          ['a', {}],
          ['', {}],
        ]),
      },
    })
  })

  it('is refused with the places of what is wrong', () => {
    expect(parseAnomalies('anomaly_info { key: "a" valu { } }', 'a.pbtxt')).toEqual({
      ok: false,
      error: [
        {
          code: 'ZEN_ANOMALIES_TEXT',
          message: expect.stringContaining('Did you mean "value"?'),
          file: 'a.pbtxt',
          line: 1,
          column: 25,
          path: 'anomaly_info.valu',
        },
      ],
    })
  })
})
