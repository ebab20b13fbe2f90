import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
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
] as const)('says that a directory without its files holds no %s', async (_, type) => {
  await expect(type.materializer.load(temporary())).rejects.toMatchObject({ code: 'ZEN_ARTIFACT_FORMAT' })
})
