import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { canonicalJson, digestOf } from '../../src/base/canonical.ts'
import { sha256 } from '../../src/base/digest.ts'
import type { Json, JsonObject } from '../../src/base/json.ts'
import { identify, identityDigest, keyFields } from '../../src/fingerprint/identify.ts'
import { observedDigest } from '../../src/fingerprint/observed.ts'
import type { Fingerprint } from '../../src/model/fingerprint.ts'
import { example } from './example.ts'

describe('the identity', () => {
  // A change of any of these is another format: raise Fingerprint.format, and say so in docs/decisions.
  it('is what it always was, byte for byte', () => {
    const { key, fields } = identify(example)
    expect({ fields, key, identity: identityDigest(identify(example)) }).toMatchInlineSnapshot(`
      {
        "fields": {
          "code": "sha256:b117a07582730822db295c4465440fab1917feaa5a90b83b09d4d3b7d4fcdc26",
          "environment": "sha256:61b0d61799206c161404e5ee56f0615162893b92af5452b01f67cb418a560668",
          "format": "sha256:95a0ba48c44fa5c81a85138857393ec1217c585dd7d4af3ff356d2022319d2da",
          "inputs": "sha256:cb9711e724687c1027b14a57929733d3c359c12e4ad4ebc545e847e683ad38e8",
          "outputs": "sha256:7f76f007116e8abfef9bf654fe3dfc4dc67c3ecd704be9907ab6b8c2ce9ba77c",
          "packages": "sha256:bb403479c880296c844671076ae74581bea469e34fd39b0d8789b026efd2b919",
          "parameters": "sha256:202051b8b73ccc26dd217728a6264ec51ec5ecfee09f345b69d677437d0ece91",
          "variables": "sha256:dbf7553ba276ce8c28db2f93dd19802055b427a32f1f2eebaf0903080ca6b587",
        },
        "identity": "sha256:0c783d1bea777ccca2f2afa8ce4df7a986c69034b7b932552b9989fca9444a34",
        "key": "sha256:27607ecdb95ab514efe6c32cbba2a5b15eb099cce8f4671a7fb75e8bb1eb981c",
      }
    `)
  })

  it('is made of named fields that one can compute with the encoding alone', () => {
    const { key, fields } = identify(example)
    expect(fields.parameters).toBe(digestOf(['zenml field 1', 'parameters', example.parameters]))
    expect(key).toBe(digestOf(['zenml identity 1', ...keyFields.map((field) => [field, fields[field]!])]))
  })

  it('holds whatever people are shown', () => {
    const other = {
      ...example,
      code: { ...example.code, source: 'renamed.ts#x', files: {} },
      inputs: { examples: { ...example.inputs['examples']!, from: 'b.c' } },
    }
    expect(identify(other).key).toBe(identify(example).key)
    expect(identify(other).fields).toEqual(identify(example).fields)
  })

  it('does not depend on what was observed, which has a digest of its own', () => {
    const [none, unused, used] = [
      identify(example),
      identify({ ...example, observed: { seed: null, files: {} } }),
      identify({ ...example, observed: { seed: 7, files: {} } }),
    ]
    expect(unused.key).toBe(none.key)
    expect(used.key).toBe(none.key)
    expect(none.fields).not.toHaveProperty('observed')
    expect(used.fields.observed).toBe(observedDigest({ seed: 7, files: {} }))
    expect(new Set([none, unused, used].map(identityDigest)).size).toBe(3)
  })

  it('has another key in each format, so that no execution of before files were observed is ever reused', () => {
    expect(identify({ ...example, format: 1 }).key).not.toBe(identify(example).key)
    // The key of format 1, as it was.
    expect(identify({ ...example, format: 1 }).key).toBe(
      'sha256:381e22c93b097fa74514b61c5215e3e76478d90c22f7e39e12e33b25254ce139',
    )
  })

  it('takes packages as a set', () => {
    const [a, b] = example.packages
    for (const packages of [
      [b!, a!],
      [a!, b!, a!],
      [{ ...b! }, { ...a! }],
    ])
      expect(identify({ ...example, packages }).key).toBe(identify(example).key)
    expect(identify({ ...example, packages: [a!] }).key).not.toBe(identify(example).key)
  })

  it('refuses parameters that have no canonical encoding', () => {
    for (const bad of [Number.NaN, Number.POSITIVE_INFINITY, '\ud800', undefined, new Date(0)]) {
      expect(() => identify({ ...example, parameters: { list: [bad as never] } })).toThrow(TypeError)
    }
  })
})

const json: fc.Arbitrary<Json> = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<Json>
const parameters = fc.dictionary(fc.string(), json, { maxKeys: 5 }) as fc.Arbitrary<JsonObject>
const fingerprints: fc.Arbitrary<Fingerprint> = fc.record({
  format: fc.constant(2 as const),
  code: fc.record({
    digest: fc.string().map(sha256),
    source: fc.string(),
    bundler: fc.constantFrom('esbuild 0.28.2', 'esbuild 0.28.3'),
    files: fc.dictionary(fc.string(), fc.string().map(sha256), { maxKeys: 3 }),
  }),
  packages: fc.array(fc.record({ name: fc.string(), version: fc.string(), integrity: fc.string() }), { maxLength: 4 }),
  parameters,
  inputs: fc.dictionary(fc.string(), fc.record({ digest: fc.string().map(sha256), from: fc.string() }), { maxKeys: 3 }),
  outputs: fc.dictionary(fc.string(), fc.string(), { maxKeys: 3 }),
  variables: fc.dictionary(fc.string(), fc.option(fc.string().map(sha256)), { maxKeys: 3 }),
  environment: fc.record({ node: fc.string(), platform: fc.string(), arch: fc.string() }),
})

/** The same value with the keys of every object in another order. */
function reversed(value: unknown): unknown {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return value.map(reversed)
  return Object.fromEntries(
    Object.entries(value)
      .reverse()
      .map(([key, item]) => [key, reversed(item)]),
  )
}

describe('for any fingerprint, the key', () => {
  it('does not depend on the order of keys, nor on having been stored as JSON', () => {
    fc.assert(
      fc.property(fingerprints, (fingerprint) => {
        const { key, fields } = identify(fingerprint)
        for (const same of [
          reversed(fingerprint),
          JSON.parse(JSON.stringify(fingerprint)),
          JSON.parse(canonicalJson(fingerprint as never)),
        ]) {
          expect(identify(same as Fingerprint).key).toBe(key)
          expect(identify(same as Fingerprint).fields).toEqual(fields)
        }
      }),
    )
  })

  it('does not depend on how a number is spelled', () => {
    const spelled = (text: string): Fingerprint => ({ ...example, parameters: JSON.parse(text) as JsonObject })
    const key = identify(spelled('{"rate":1,"zero":0,"small":0.1}')).key
    expect(identify(spelled('{"small":1e-1,"zero":-0.0,"rate":1.0}')).key).toBe(key)
    expect(identify(spelled('{"zero":0e5,"rate":1e0,"small":0.10000000000000000001}')).key).toBe(key)
  })

  it('does not depend on the order or repetition of packages, nor on the files, sources and names shown', () => {
    fc.assert(
      fc.property(fingerprints, fc.string(), (fingerprint, text) => {
        const other: Fingerprint = {
          ...fingerprint,
          code: { ...fingerprint.code, source: text, files: { [text]: sha256(text) } },
          packages: [...fingerprint.packages, ...fingerprint.packages].reverse(),
          inputs: Object.fromEntries(
            Object.entries(fingerprint.inputs).map(([input, leaf]) => [input, { ...leaf, from: text }]),
          ),
        }
        expect(identify(other).key).toBe(identify(fingerprint).key)
      }),
    )
  })

  it('is equal exactly where everything that counts is equal', () => {
    const counted = ({ code, packages, inputs, environment, ...rest }: Fingerprint): Json =>
      JSON.parse(
        canonicalJson({
          ...rest,
          code: { digest: code.digest, bundler: code.bundler },
          packages: [
            ...new Set(packages.map((leaf) => canonicalJson([leaf.name, leaf.version, leaf.integrity]))),
          ].sort(),
          inputs: Object.fromEntries(Object.entries(inputs).map(([input, { digest }]) => [input, digest])),
          environment,
        } as unknown as Json),
      ) as Json
    fc.assert(
      fc.property(fingerprints, fingerprints, (a, b) => {
        expect(identify(a).key === identify(b).key).toBe(canonicalJson(counted(a)) === canonicalJson(counted(b)))
      }),
    )
  })

  const leaves: readonly (readonly [string, (fingerprint: Fingerprint) => Fingerprint])[] = [
    ['format', (f) => ({ ...f, format: 3 as never })],
    ['code', (f) => ({ ...f, code: { ...f.code, digest: sha256(`${f.code.digest}!`) } })],
    ['code', (f) => ({ ...f, code: { ...f.code, bundler: `${f.code.bundler}!` } })],
    ['packages', (f) => ({ ...f, packages: [...f.packages, { name: 'added-', version: '1', integrity: 'x' }] })],
    [
      'packages',
      (f) => ({ ...f, packages: [{ name: 'n', version: '1', integrity: `${JSON.stringify(f.packages)}` }] }),
    ],
    [
      'parameters',
      (f) => ({ ...f, parameters: { ...f.parameters, [`${Object.keys(f.parameters).join('')}x`]: null } }),
    ],
    [
      'inputs',
      (f) => ({
        ...f,
        inputs: { ...f.inputs, [`${Object.keys(f.inputs).join('')}x`]: { digest: sha256(''), from: '' } },
      }),
    ],
    ['outputs', (f) => ({ ...f, outputs: { ...f.outputs, [`${Object.keys(f.outputs).join('')}x`]: '' } })],
    ['variables', (f) => ({ ...f, variables: { ...f.variables, [`${Object.keys(f.variables).join('')}x`]: null } })],
    ['environment', (f) => ({ ...f, environment: { ...f.environment, node: `${f.environment.node}!` } })],
    ['environment', (f) => ({ ...f, environment: { ...f.environment, platform: `${f.environment.platform}!` } })],
    ['environment', (f) => ({ ...f, environment: { ...f.environment, arch: `${f.environment.arch}!` } })],
    ['environment', (f) => ({ ...f, environment: { ...f.environment, image: sha256('i') } })],
    ['environment', (f) => ({ ...f, environment: { ...f.environment, canary: sha256('c') } })],
  ]
  it.each(leaves.map(([field, change], index) => [index, field, change] as const))(
    'changes with leaf %i, a part of %s, and no other field does',
    (_index, field, change) => {
      fc.assert(
        fc.property(fingerprints, (fingerprint) => {
          const [before, after] = [identify(fingerprint), identify(change(fingerprint))]
          expect(after.key).not.toBe(before.key)
          for (const other of keyFields) expect(after.fields[other] === before.fields[other]).toBe(other !== field)
        }),
        { numRuns: 30 },
      )
    },
  )

  it('tells values apart that look alike', () => {
    const alike: readonly Json[] = [
      1,
      '1',
      [1],
      { '0': 1 },
      true,
      'true',
      null,
      'null',
      '',
      [],
      {},
      ['a', 'b'],
      ['ab'],
      'é',
      'e\u0301',
      0.1,
      0.10000000000000002,
    ]
    const keys = alike.map((value) => identify({ ...example, parameters: { value } }).key)
    expect(new Set(keys).size).toBe(alike.length)
    expect(identify({ ...example, parameters: {} }).key).not.toBe(
      identify({ ...example, parameters: { value: null } }).key,
    )
    expect(identify({ ...example, environment: { ...example.environment, image: 'x' } }).key).not.toBe(
      identify({ ...example, environment: { ...example.environment, canary: 'x' } }).key,
    )
  })
})
