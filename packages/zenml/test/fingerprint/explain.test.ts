import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256 } from '../../src/base/digest.ts'
import type { JsonObject } from '../../src/base/json.ts'
import { explainChanges } from '../../src/fingerprint/explain.ts'
import { wordsOf } from '../../src/fingerprint/explain-words.ts'
import { identify, identityDigest } from '../../src/fingerprint/identify.ts'
import { changedMeanwhile } from '../../src/fingerprint/observe-file.ts'
import type { Fingerprint, PackageLeaf } from '../../src/model/fingerprint.ts'
import { example } from './example.ts'

const words = (before: Fingerprint, after: Fingerprint): string[] => explainChanges(before, after).map(wordsOf)

/** The example with another leaf of each kind, or with something that is for people only. */
const leaves: fc.Arbitrary<Partial<Fingerprint>> = fc.record(
  {
    code: fc.constantFrom(
      example.code,
      { ...example.code, digest: sha256('other'), files: { 'steps/train.ts': sha256('other') } },
      { ...example.code, bundler: 'esbuild 1' },
      { ...example.code, source: 'steps/other.ts#train' },
      { ...example.code, map: sha256('map'), imports: { files: {}, packages: {} } },
    ),
    packages: fc.constantFrom(
      example.packages,
      [...example.packages].reverse(),
      example.packages.map((leaf): PackageLeaf => ({ ...leaf, neededBy: ['zenml'] })),
      example.packages.slice(1),
    ),
    parameters: fc.dictionary(fc.string({ maxLength: 2 }), fc.jsonValue({ maxDepth: 2 }), {
      maxKeys: 2,
    }) as fc.Arbitrary<JsonObject>,
    inputs: fc.constantFrom(
      example.inputs,
      {},
      { examples: { ...example.inputs['examples']!, from: 'renamed.examples' } },
    ),
    outputs: fc.constantFrom(example.outputs, {}),
    variables: fc.constantFrom(example.variables, { TOKEN: null }, {}),
    environment: fc.constantFrom(example.environment, { ...example.environment, node: '22.23.3' }),
    observed: fc.constantFrom({ seed: null, files: {} }, { seed: 1, files: {} }, { seed: 2, files: {} }),
  },
  { requiredKeys: [] },
)

describe('the changes between two executions', () => {
  it('are empty exactly where their identities are equal', () => {
    fc.assert(
      fc.property(leaves, leaves, (a, b) => {
        const [before, after] = [a, b].map((change): Fingerprint => ({ ...example, ...change }))
        const equal = identityDigest(identify(before!)) === identityDigest(identify(after!))
        expect(explainChanges(before!, after!).length === 0).toBe(equal)
      }),
      { numRuns: 500 },
    )
  })

  it('name the way from a file to the step, and from a package over those that need it', () => {
    const code = {
      ...example.code,
      digest: sha256('new'),
      files: { ...example.code.files, 'lib/scale.ts': sha256('scaled') },
      imports: {
        files: { 'lib/scale.ts': 'lib/index.ts', 'lib/index.ts': 'steps/train.ts' },
        packages: { zenml: ['steps/train.ts'] },
      },
    }
    const packages = [
      { name: 'zenml', version: '0.1.0', integrity: 'sha512-aaaa' },
      { name: 'zod', version: '4.6.8', integrity: 'sha512-bbbb', neededBy: ['zenml'] },
    ]
    expect(words(example, { ...example, code, packages })).toEqual([
      'lib/scale.ts (imported by lib/index.ts, imported by steps/train.ts) changed',
      'package zod (imported by zenml, imported by steps/train.ts) changed from 4.6.7 to 4.6.8',
    ])
  })

  it('go on where imports lead in a circle, or lead nowhere', () => {
    const code = {
      ...example.code,
      digest: sha256('new'),
      files: { 'lib/scale.ts': sha256('scaled') },
      imports: { files: { 'lib/scale.ts': 'lib/b.ts', 'lib/b.ts': 'lib/scale.ts' }, packages: {} },
    }
    expect(words(example, { ...example, code })[0]).toContain('lib/scale.ts (imported by lib/b.ts')
  })

  it('are told in words without a value of an environment variable', () => {
    const after: Fingerprint = {
      ...example,
      parameters: { ...example.parameters, epochs: 30 },
      variables: { REGION: sha256('us'), TOKEN: sha256('t') },
      environment: { ...example.environment, node: '22.23.3' },
      observed: { seed: 2, files: {} },
    }
    expect(words({ ...example, observed: { seed: 1, files: {} } }, after)).toEqual([
      'parameter epochs changed from 20 to 30',
      'environment variable REGION has another value',
      'environment variable TOKEN is set now, or declared only now',
      'Node changed from 20.20.2 to 22.23.3',
      'its seed changed from 1 to 2',
    ])
  })

  it('name an observed file by its path, also against an execution that has none recorded', () => {
    const observed = (files: object): Fingerprint => ({ ...example, observed: { seed: null, files } as never })
    const told = explainChanges(observed({ 'data/a.csv': sha256('1') }), observed({ 'data/a.csv': sha256('2') }))
    expect(told).toEqual([{ field: 'observed', path: 'data/a.csv', before: sha256('1'), after: sha256('2') }])
    expect(wordsOf(told[0]!)).toBe('data/a.csv, which it reads, changed')
    expect(
      explainChanges({ ...example, observed: { seed: null, files: {} } }, observed({ 'data/a.csv': sha256('1') })),
    ).toMatchObject([{ path: 'data/a.csv', before: null }])
  })

  it('name a file that is called like the seed or like their own field, and one that changed while it was read', () => {
    const observed = (files: object): Fingerprint => ({ ...example, observed: { seed: 1, files } as never })
    const before = observed({ seed: sha256('1'), 'files.txt': sha256('1'), moving: changedMeanwhile })
    const after = observed({ seed: sha256('2'), 'files.txt': sha256('2'), moving: changedMeanwhile })
    expect(explainChanges(before, after).map(({ field, path }) => `${field} ${path}`)).toEqual([
      'observed files.txt',
      'observed seed',
      'observed moving',
    ])
    expect(words(before, after).at(-1)).toBe('moving, which it reads, changed while it ran')
  })

  it('say of a path that a step follows that it leads elsewhere', () => {
    const observed = (files: object): Fingerprint => ({ ...example, observed: { seed: null, files } as never })
    const told = (before: unknown, after: unknown): string[] =>
      words(observed({ 'data/now/.': before }), observed({ 'data/now/.': after }))
    const [one, two] = [sha256('1'), sha256('2')]
    expect(told(one, two)).toEqual(['data/now, which it follows, leads elsewhere'])
    expect(told(null, two)).toEqual(['data/now, which it looked for in vain, is there now, or is followed only now'])
    expect(told(one, null)).toEqual(['data/now, which it followed, is gone or no longer followed'])
    expect(told(one, changedMeanwhile)).toEqual(['data/now, which it follows, was led elsewhere while it ran'])
  })

  it('are told with quotes where a text would read as another value', () => {
    const told = (before: unknown, after: unknown): string =>
      words(
        { ...example, parameters: { value: before } as JsonObject },
        { ...example, parameters: { value: after } as JsonObject },
      )[0]!
    expect(told('1', 1)).toBe('parameter value changed from "1" to 1')
    expect(told('', null)).toBe('parameter value changed from "" to nothing')
    expect(told('nothing', 'true')).toBe('parameter value changed from "nothing" to "true"')
    expect(told('1.2.3', 'a\nb')).toBe('parameter value changed from 1.2.3 to "a\\nb"')
  })
})
