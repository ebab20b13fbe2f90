import { expect, it } from 'vitest'
import { testProject } from '../support/project.ts'
import { numbersPipeline } from '../support/steps.ts'

it('runs are listed in an order, by time and page by page, and what is no such list is refused', async () => {
  using project = testProject()
  project.write(numbersPipeline)
  for (const count of ['2', '3', '3'])
    expect((await project.zenml('pipeline', 'run', 'pipeline.yaml', '--param', `make.count=${count}`)).code).toBe(0)
  interface Run {
    readonly id: string
    readonly startedAt: number
    readonly endedAt: number
  }
  const list = (...options: string[]): Promise<{ runs: Run[]; nextPageToken: string | null }> =>
    project.json('pipeline', 'runs', ...options)
  const all = (await list()).runs
  expect(all).toHaveLength(3)
  const took = ({ startedAt, endedAt }: Run): number => endedAt - startedAt
  const inOrder: readonly (readonly [string[], Run[]])[] = [
    [['--order', 'asc'], [...all].reverse()],
    [['--sort', 'finished'], all],
    [['--sort', 'duration'], [...all].sort((a, b) => took(b) - took(a) || b.startedAt - a.startedAt)],
    [['--sort', 'pipeline', '--status', 'complete', '--since', '1h'], all],
    [['numbers', '--sort', 'status', '--until', '2999-01-01'], all],
    [['--since', '2999-01-01'], []],
    [['--until', '2000-01-01 00:00'], []],
  ]
  for (const [options, expected] of inOrder) {
    const pages: Run[] = []
    for (let token: string | null | undefined; token !== null; ) {
      const page = await list(...options, '--limit', '2', ...(token === undefined ? [] : ['--page-token', token]))
      pages.push(...page.runs)
      token = page.nextPageToken
    }
    expect(pages, options.join(' ')).toEqual(expected)
  }
  const { nextPageToken } = await list('--limit', '1')
  const text = await project.zenml('pipeline', 'runs', '--limit', '1')
  expect(text.stdout).toContain(all[0]!.id)
  expect(text.stderr).toBe(`More: add --page-token ${nextPageToken}\n`)
  for (const [options, code] of [
    [['--sort', 'duration', '--page-token', nextPageToken!], 'ZEN_PAGE_TOKEN'],
    [['--page-token', 'nonsense'], 'ZEN_PAGE_TOKEN'],
    [['--sort', 'name'], 'ZEN_USAGE'],
    [['--since', 'yesterday'], 'ZEN_USAGE'],
    [['--sort', 'duration', '--before', '@latest'], 'ZEN_USAGE'],
  ] as const)
    expect(await project.json('pipeline', 'runs', ...options)).toMatchObject({ error: { code } })
})
