import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { runStep } from '../../src/define/run-step.ts'
import { step } from '../../src/define/step.ts'
import { Evaluation } from '../../src/formats/evaluation.ts'
import { TransformGraph, type TransformGraphData } from '../../src/formats/transform-graph.ts'
import { BytesArtifact, FileTree, JsonArtifact, Model, Schema, Statistics } from '../../src/formats/types.ts'
import { temporary } from './temporary.ts'

it('keeps statistics by split where TensorFlow Extended keeps them', async () => {
  const directory = temporary()
  const statistics = { eval: { datasets: [] }, train: { datasets: [{ numExamples: 3 }] } }
  await Statistics.materializer.save(statistics, directory)
  expect(existsSync(join(directory, 'Split-train/FeatureStats.pb'))).toBe(true)
  expect(await Statistics.materializer.load(directory)).toEqual({ eval: {}, train: { datasets: [{ numExamples: 3 }] } })
})

it('keeps a schema as text', async () => {
  const directory = temporary()
  await Schema.materializer.save({ feature: [{ name: 'a', type: 'INT' }] }, directory)
  expect(readFileSync(join(directory, 'schema.pbtxt'), 'utf8')).toBe('feature {\n  name: "a"\n  type: INT\n}\n')
  expect(await Schema.materializer.load(directory)).toEqual({ feature: [{ name: 'a', type: 'INT' }] })
})

it('names the file and the places where a schema is wrong', async () => {
  const directory = temporary()
  writeFileSync(join(directory, 'schema.pbtxt'), 'feature {\n  tipe: INT\n}\n')
  const loading = Schema.materializer.load(directory)
  await expect(loading).rejects.toMatchObject({ code: 'ZEN_SCHEMA_TEXT' })
  await expect(loading).rejects.toThrow(
    `${join(directory, 'schema.pbtxt')}:2:3: Feature has no field "tipe". Did you mean "type"?`,
  )
})

it('keeps a model with its files and what a predictor must know', async () => {
  const directory = temporary()
  const files = { 'weights.bin': Uint8Array.of(1, 2), 'deep/er/graph.json': Uint8Array.of(3) }
  await Model.materializer.save({ format: 'test', metadata: { labels: ['b', 'a'], b: 1, a: 2 }, files }, directory)
  expect(readFileSync(join(directory, 'model.json'), 'utf8')).toBe(
    '{"format":"test","metadata":{"a":2,"b":1,"labels":["b","a"]}}\n',
  )
  const model = await Model.materializer.load(directory)
  expect(model.metadata).toEqual({ labels: ['b', 'a'], b: 1, a: 2 })
  expect(await model.read('deep/er/graph.json')).toEqual(Uint8Array.of(3))
  expect(await model.read('weights.bin')).toEqual(Uint8Array.of(1, 2))
  expect(() => model.read('../model.json')).toThrow(expect.objectContaining({ code: 'ZEN_ARTIFACT_PATH' }))
  await expect(model.read('none')).rejects.toMatchObject({ code: 'ZEN_ARTIFACT_FORMAT' })
})

it('keeps any JSON value with its keys sorted, and any bytes', async () => {
  const json = temporary()
  await JsonArtifact.materializer.save({ b: [1, null, 'é'], a: { d: true, c: 0.1 } }, json)
  expect(readFileSync(join(json, 'value.json'), 'utf8')).toBe('{"a":{"c":0.1,"d":true},"b":[1,null,"é"]}\n')
  expect(await JsonArtifact.materializer.load(json)).toEqual({ b: [1, null, 'é'], a: { d: true, c: 0.1 } })
  const bytes = temporary()
  await BytesArtifact.materializer.save(Uint8Array.of(0, 255), bytes)
  expect(await BytesArtifact.materializer.load(bytes)).toEqual(Uint8Array.of(0, 255))
})

it('keeps a tree of files from contents and from a directory', async () => {
  const written = temporary()
  await FileTree.materializer.save({ 'b.txt': 'é', 'a/c.bin': Uint8Array.of(7) }, written)
  const copied = temporary()
  await FileTree.materializer.save(written, copied)
  const tree = await FileTree.materializer.load(copied)
  expect(tree.files).toEqual(['a/c.bin', 'b.txt'])
  expect(new TextDecoder().decode(await tree.read('b.txt'))).toBe('é')
})

it('refuses paths that lead out of a tree before it writes anything, and links in a directory', async () => {
  const directory = temporary()
  for (const path of ['../up', '/absolute', 'a//b', 'a/./b', '', 'a\\b']) {
    await expect(FileTree.materializer.save({ 'first.txt': 'x', [path]: 'y' }, directory)).rejects.toMatchObject({
      code: 'ZEN_ARTIFACT_PATH',
    })
  }
  expect(readdirSync(directory)).toEqual([])
  const linked = temporary()
  mkdirSync(join(linked, 'deep'))
  symlinkSync('/etc/hostname', join(linked, 'deep/link'))
  await expect(FileTree.materializer.save(linked, directory)).rejects.toMatchObject({ code: 'ZEN_ARTIFACT_LINK' })
  expect(readdirSync(directory)).toEqual([])
})

it.each([
  ['Statistics', Statistics],
  ['Schema', Schema],
  ['Model', Model],
  ['Json', JsonArtifact],
  ['Bytes', BytesArtifact],
  ['Evaluation', Evaluation],
  ['TransformGraph', TransformGraph],
] as const)('says that a directory without its files holds no %s', async (_, type) => {
  await expect(type.materializer.load(temporary())).rejects.toMatchObject({ code: 'ZEN_ARTIFACT_FORMAT' })
})

it('says which version of an evaluation or a transform it cannot read', async () => {
  const directory = temporary()
  writeFileSync(join(directory, 'evaluation.json'), '{"version":2}')
  writeFileSync(join(directory, 'transform.json'), '[]')
  await expect(Evaluation.materializer.load(directory)).rejects.toThrow('has version 2, this zenml reads version 1')
  await expect(TransformGraph.materializer.load(directory)).rejects.toThrow('has version none')
  writeFileSync(join(directory, 'transform.json'), '{"version":3}')
  await expect(TransformGraph.materializer.load(directory)).rejects.toThrow('this zenml reads versions 1 and 2')
})

it('writes a transform of version 2 in bytes that do not move', async () => {
  const directory = temporary()
  const graph: TransformGraphData = {
    version: 2,
    features: [
      { name: 'x', transform: { kind: 'scale_to_0_1', fill: 0.5, min: 0, max: 2 }, values: 3, missing: 'indicator' },
      { name: 't', transform: { kind: 'tfidf', sizes: [1, 2], level: 'word', words: ['a b'], idf: [1.5], norm: 'l2' } },
    ],
    label: { name: 'y', transform: { kind: 'class', classes: ['é', 'z'] } },
    otherLabels: [{ name: 'z', transform: { kind: 'number' } }],
  }
  await TransformGraph.materializer.save(graph, directory)
  expect(readFileSync(join(directory, 'transform.json'), 'utf8')).toBe(
    '{"features":[{"missing":"indicator","name":"x","transform":{"fill":0.5,"kind":"scale_to_0_1","max":2,"min":0},"values":3},' +
      '{"name":"t","transform":{"idf":[1.5],"kind":"tfidf","level":"word","norm":"l2","sizes":[1,2],"words":["a b"]}}],' +
      '"label":{"name":"y","transform":{"classes":["é","z"],"kind":"class"}},"otherLabels":[{"name":"z","transform":{"kind":"number"}}],"version":2}',
  )
  expect(await TransformGraph.materializer.load(directory)).toEqual(graph)
})

it('reads a transform of version 1 as it was written, and refuses a transform that it does not know', async () => {
  const directory = temporary()
  const label = { name: 'y', transform: { kind: 'number' } } as const
  const transform = { kind: 'minmax', fill: 1, min: 0, max: 2 } as const
  const written =
    '{"features":[{"name":"x","transform":{"fill":1,"kind":"minmax","max":2,"min":0}}],"label":{"name":"y","transform":{"kind":"number"}},"version":1}'
  writeFileSync(join(directory, 'transform.json'), written)
  const graph = await TransformGraph.materializer.load(directory)
  expect(graph).toEqual({ version: 1, features: [{ name: 'x', transform }], label })
  await TransformGraph.materializer.save(graph, directory)
  expect(readFileSync(join(directory, 'transform.json'), 'utf8')).toBe(written)
  const later = { version: 2, features: [{ name: 'x', transform: { kind: 'spline' } }], label }
  writeFileSync(join(directory, 'transform.json'), JSON.stringify(later))
  await expect(TransformGraph.materializer.load(directory)).rejects.toThrow('"spline", which this zenml does not know')
})

it('refuses what JSON cannot say, with its place, before anything is written', async () => {
  const directory = temporary()
  const cyclic: { [key: string]: unknown } = {}
  cyclic['self'] = cyclic
  for (const [value, said] of [
    [{ a: [1, { 'b c': Number.NaN }] }, 'value.a[1]["b c"] is NaN'],
    [[undefined], 'value[0] is undefined'],
    [{ when: new Date(0) }, 'value.when is a Date'],
    [{ big: 5n }, 'value.big is the bigint 5'],
    [new Map(), 'value is a Map'],
    [{ half: '\ud800' }, 'value.half is a text with half of a surrogate pair'],
    [{ '\ud800': 1 }, 'a key of value is a text with half'],
    [() => 1, 'value is a function'],
    [cyclic, 'contains itself'],
  ] as const) {
    const saving = JsonArtifact.materializer.save(value as never, directory)
    await expect(saving).rejects.toMatchObject({ code: 'ZEN_ARTIFACT_VALUE' })
    await expect(saving).rejects.toThrow(said)
  }
  await expect(
    Model.materializer.save({ format: 'x', metadata: { a: Number.POSITIVE_INFINITY }, files: {} }, directory),
  ).rejects.toThrow('value.metadata.a is Infinity')
  await expect(BytesArtifact.materializer.save({ length: 1 } as never, directory)).rejects.toMatchObject({
    code: 'ZEN_ARTIFACT_VALUE',
  })
  expect(readdirSync(directory)).toEqual([])
})

it('refuses files that would stand in each other’s place, and names no file system keeps, before it writes anything', async () => {
  const directory = temporary()
  for (const files of [
    { a: 'x', 'a/b': 'y' },
    { 'a/b': 'x', 'a/b/c/d': 'y' },
    { ok: 'x', ['é'.repeat(128)]: 'y' },
    { ok: 'x', '\ud800': 'y' },
    { ok: 'x', 'a\0b': 'y' },
  ])
    await expect(FileTree.materializer.save(files, directory)).rejects.toMatchObject({ code: 'ZEN_ARTIFACT_PATH' })
  await expect(FileTree.materializer.save({ ok: 'x', z: 5 as never }, directory)).rejects.toThrow(
    '"z" are of type number',
  )
  expect(readdirSync(directory)).toEqual([])
  // What is there is not overwritten: so two names that a file system takes for one are not lost.
  writeFileSync(join(directory, 'there'), 'old')
  await expect(FileTree.materializer.save({ there: 'new' }, directory)).rejects.toMatchObject({
    code: 'ZEN_ARTIFACT_PATH',
  })
  expect(readFileSync(join(directory, 'there'), 'utf8')).toBe('old')
})

it('refuses a directory with names that an artifact cannot have', async () => {
  for (const name of [Buffer.from('back\\slash'), Buffer.of(0x61, 0xff)]) {
    const from = temporary()
    writeFileSync(Buffer.concat([Buffer.from(`${from}/`), name]), 'x')
    const to = temporary()
    await expect(FileTree.materializer.save(from, to)).rejects.toMatchObject({ code: 'ZEN_ARTIFACT_PATH' })
    expect(readdirSync(to)).toEqual([])
  }
})

it('reads a tree that is laid out by links, as the inputs of a step are, and saves it on', async () => {
  const stored = temporary()
  writeFileSync(join(stored, 'blob'), 'é')
  const input = temporary()
  mkdirSync(join(input, 'deep'))
  symlinkSync(join(stored, 'blob'), join(input, 'deep/a.txt'))
  const tree = await FileTree.materializer.load(input)
  expect(tree.files).toEqual(['deep/a.txt'])
  const output = temporary()
  await FileTree.materializer.save(tree, output)
  expect(lstatSync(join(output, 'deep/a.txt')).isFile()).toBe(true)
  expect(readFileSync(join(output, 'deep/a.txt'), 'utf8')).toBe('é')
  symlinkSync(join(stored, 'none'), join(input, 'dangling'))
  await expect(FileTree.materializer.load(input)).rejects.toMatchObject({ code: 'ZEN_ARTIFACT_LINK' })
})

it('an output without any file is an error that names it, as in a run', async () => {
  const write = step({ name: 'write', outputs: { files: FileTree }, run: () => ({ files: {} }) })
  await expect(runStep(write, { inputs: {} })).rejects.toMatchObject({
    code: 'ZEN_OUTPUT_MISSING',
    message: 'Step "write" gave an output "files" of type FileTree that has no file.',
  })
})
