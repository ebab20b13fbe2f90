import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { sha256 } from '../../src/base/digest.ts'
import { compareFingerprints } from '../../src/fingerprint/compare.ts'
import { identify } from '../../src/fingerprint/identify.ts'
import type { CodeLeaf, Fingerprint } from '../../src/model/fingerprint.ts'
import { example } from './example.ts'

const code = (change: Partial<CodeLeaf>): Fingerprint => ({ ...example, code: { ...example.code, ...change } })

describe('comparing two fingerprints', () => {
  it('finds nothing between equal ones', () => {
    expect(compareFingerprints(example, structuredClone(example))).toEqual([])
  })

  it('names the file whose text changed, was added or went', () => {
    const files = { 'steps/train.ts': sha256('train'), 'lib/scale.ts': sha256('scaled'), 'lib/new.ts': sha256('new') }
    expect(compareFingerprints(example, code({ digest: sha256('other'), files }))).toEqual([
      { field: 'code', path: 'lib/new.ts', before: null, after: sha256('new') },
      { field: 'code', path: 'lib/scale.ts', before: sha256('scale'), after: sha256('scaled') },
    ])
    expect(compareFingerprints(code({ digest: sha256('other'), files }), example)[0]).toMatchObject({
      path: 'lib/new.ts',
      after: null,
    })
  })

  it('says nothing of files while the bundle is the same', () => {
    expect(compareFingerprints(example, code({ files: { 'steps/train.ts': sha256('a comment') } }))).toEqual([])
    expect(compareFingerprints(example, code({ source: 'steps/other.ts#train' }))).toEqual([])
  })

  it('names the source, the bundler or the bundle where no file changed', () => {
    const digest = sha256('other')
    expect(compareFingerprints(example, code({ digest, source: 'steps/train.ts#other' }))).toEqual([
      { field: 'code', path: 'source', before: 'steps/train.ts#train', after: 'steps/train.ts#other' },
    ])
    expect(compareFingerprints(example, code({ digest, bundler: 'esbuild 0.29.0' }))).toEqual([
      { field: 'code', path: 'bundler', before: 'esbuild 0.28.2', after: 'esbuild 0.29.0' },
    ])
    expect(compareFingerprints(example, code({ digest }))).toEqual([
      { field: 'code', path: 'bundle', before: example.code.digest, after: digest },
    ])
  })

  it('names packages with their versions, and with their integrity where only that moved', () => {
    const packages = [
      { name: 'zenml', version: '0.1.0', integrity: 'sha512-cccc' },
      { name: 'zod', version: '4.6.8', integrity: 'sha512-dddd' },
      { name: 'zod', version: '3.0.0', integrity: 'sha512-eeee' },
      { name: 'acorn', version: '8.0.0', integrity: 'sha512-ffff' },
    ]
    expect(compareFingerprints(example, { ...example, packages })).toEqual([
      { field: 'packages', path: 'acorn', before: null, after: '8.0.0' },
      { field: 'packages', path: 'zenml', before: '0.1.0 (sha512-aaaa)', after: '0.1.0 (sha512-cccc)' },
      { field: 'packages', path: 'zod', before: '4.6.7', after: '3.0.0, 4.6.8' },
    ])
  })

  it('goes into parameters leaf by leaf', () => {
    const parameters = {
      epochs: 21,
      layers: [16, 4],
      ratios: { train: 0.8, test: 0.2 },
      label: 'Art é',
      shuffle: { by: 'row' },
      limit: null,
      extra: [],
    }
    expect(
      compareFingerprints(example, { ...example, parameters }).map(({ path, before, after }) => [path, before, after]),
    ).toEqual([
      ['epochs', 20, 21],
      ['extra', null, []],
      ['layers.1', 8, 4],
      ['ratios.eval', 0.2, null],
      ['ratios.test', null, 0.2],
      ['shuffle', true, { by: 'row' }],
    ])
    expect(compareFingerprints(example, { ...example, parameters: { ...example.parameters, layers: [16] } })).toEqual([
      { field: 'parameters', path: 'layers', before: [16, 8], after: [16] },
    ])
  })

  it('names inputs, outputs, variables, environment, seed and format, in that order', () => {
    const after: Fingerprint = {
      ...example,
      format: 3 as never,
      inputs: { examples: { digest: sha256('more'), from: 'renamed.examples' } },
      outputs: { model: 'Graph' },
      variables: { REGION: sha256('us'), TOKEN: sha256('t') },
      environment: { node: '22.23.3', platform: 'linux', arch: 'x64', image: sha256('image') },
      observed: { seed: 3, files: {} },
    }
    expect(compareFingerprints(example, after).map(({ field, path }) => `${field} ${path}`)).toEqual([
      'inputs examples',
      'outputs model',
      'variables REGION',
      'variables TOKEN',
      'environment image',
      'environment node',
      'observed seed',
      'format format',
    ])
  })

  it('names observed files in the order of their paths, and the seed before them', () => {
    const before = { seed: 1, files: { z: sha256('1'), gone: sha256('1'), same: null, 'b/': sha256('1') } }
    const after = { seed: 2, files: { 'b/': sha256('2'), same: null, z: sha256('2'), added: sha256('1') } }
    expect(compareFingerprints({ ...example, observed: before }, { ...example, observed: after })).toEqual([
      { field: 'observed', path: 'seed', before: 1, after: 2 },
      { field: 'observed', path: 'added', before: null, after: sha256('1') },
      { field: 'observed', path: 'b/', before: sha256('1'), after: sha256('2') },
      { field: 'observed', path: 'gone', before: sha256('1'), after: null },
      { field: 'observed', path: 'z', before: sha256('1'), after: sha256('2') },
    ])
    expect(compareFingerprints(example, { ...example, observed: { seed: 2, files: {} } })).toEqual([
      { field: 'observed', path: 'seed', before: null, after: 2 },
    ])
  })

  it('finds nothing where neither has a part that may be absent', () => {
    const unset = { ...example, environment: { ...example.environment, image: undefined } } as unknown as Fingerprint
    expect(compareFingerprints(unset, structuredClone(unset))).toEqual([])
    expect(compareFingerprints({ ...unset, environment: { ...unset.environment, node: '22.0.0' } }, unset)).toEqual([
      { field: 'environment', path: 'node', before: '22.0.0', after: '20.20.2' },
    ])
  })

  it('finds a change exactly where the key or what was observed differs', () => {
    const variants = fc.record({
      code: fc.constantFrom(
        example.code,
        { ...example.code, digest: sha256('x') },
        { ...example.code, bundler: 'esbuild 1' },
      ),
      packages: fc.constantFrom(
        example.packages,
        [...example.packages].reverse(),
        [],
        [{ name: 'zod', version: '1', integrity: '' }],
      ),
      parameters: fc.constantFrom({}, { a: 1 }, { a: [1] }, { a: { b: null } }, { __proto__x: 1 }, { constructor: 1 }),
      inputs: fc.constantFrom({}, example.inputs),
      outputs: fc.constantFrom({}, example.outputs),
      variables: fc.constantFrom({}, example.variables, { TOKEN: sha256('') }),
      environment: fc.constantFrom(example.environment, { ...example.environment, canary: 'c' }),
    })
    fc.assert(
      fc.property(variants, variants, (a, b) => {
        const [before, after] = [{ ...example, ...a } as Fingerprint, { ...example, ...b } as Fingerprint]
        expect(compareFingerprints(before, after).length > 0).toBe(identify(before).key !== identify(after).key)
      }),
    )
  })
})
