import { expect, it } from 'vitest'
import { testProject } from '../support/project.ts'

const files = (more = ''): { readonly [path: string]: string } => ({
  'steps/words.ts': `
import { map } from 'zenml/steps'
import { readFileSync } from 'node:fs'
export const words = map({
  name: 'words',
  columns: ['text'],
  features: { words: 'int', extra: 'bytes' },
  run: ({ item }) => {
    console.log('called for', item.text)
    return { words: String(item.text).split(' ').length, extra: ${more === '' ? "''" : more} }
  },
})
`,
  'pipeline.yaml': `
version: 1
pipeline: texts
datasources:
  texts: { path: data/texts.csv }
steps:
  snapshot: { source: "zenml/steps#snapshot", inputs: { source: datasources.texts } }
  words: { source: "steps/words.ts#words", inputs: { examples: snapshot.examples } }
`,
})

const data = (...texts: string[]): { readonly [path: string]: string } => ({
  'data/texts.csv': `text\n${texts.join('\n')}\n`,
})

it('one changed item of a snapshot is made anew alone, and verify makes all of them and agrees', async () => {
  using project = testProject()
  project.write({ ...files(), ...data('a b', 'c', 'd e f') })
  project.commit()
  const made = async (): Promise<string[]> => {
    const { stdout, stderr, code } = await project.zenml('pipeline', 'run', 'pipeline.yaml')
    expect(code, stderr).toBe(0)
    return [...`${stdout}${stderr}`.matchAll(/called for (.*)/g)].map(([, text]) => text!.trim())
  }
  expect(await made()).toEqual(['a b', 'c', 'd e f'])
  project.write(data('a b', 'changed', 'd e f'))
  expect(await made()).toEqual(['changed'])
  const { verdict, steps } = await project.json('pipeline', 'verify', '@latest')
  expect(verdict).toBe('reproduced')
  expect(steps.map(({ name }: { name: string }) => name)).toEqual(['snapshot', 'words'])
  // Other code is another function: nothing of it stands.
  project.write(files("'x'"))
  expect(await made()).toEqual(['a b', 'changed', 'd e f'])
})

it('what an item read of the repository is watched for all later executions that took its result over', async () => {
  using project = testProject()
  const reading = files("readFileSync(process.env.ZENML_TEST_ROOT + '/list.txt', 'utf8')")
  project.write({ ...reading, ...data('a', 'b'), 'list.txt': 'one' })
  const yaml = reading['pipeline.yaml']!.replace(
    'inputs: { examples: snapshot.examples } }',
    'inputs: { examples: snapshot.examples }, environment: [ZENML_TEST_ROOT] }',
  )
  project.write({ 'pipeline.yaml': yaml })
  project.commit()
  const run = async (): Promise<{ made: number; outcome: string }> => {
    const { stdout, stderr, code } = await project.zenmlWith(
      { ZENML_TEST_ROOT: project.root },
      'pipeline',
      'run',
      'pipeline.yaml',
    )
    expect(code, stderr).toBe(0)
    const { steps } = await project.json('pipeline', 'status', '@latest')
    return { made: [...`${stdout}${stderr}`.matchAll(/called for /g)].length, outcome: steps[1].outcome }
  }
  expect(await run()).toEqual({ made: 2, outcome: 'executed' })
  project.write(data('a', 'b', 'c'))
  expect(await run()).toEqual({ made: 1, outcome: 'executed' })
  // The third execution stands on the file through the first two as well.
  project.write({ 'list.txt': 'two' })
  expect(await run()).toEqual({ made: 3, outcome: 'executed' })
  expect(await run()).toEqual({ made: 0, outcome: 'reused' })
})
