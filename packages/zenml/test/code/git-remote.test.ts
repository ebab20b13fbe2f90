import fc from 'fast-check'
import { expect, it } from 'vitest'
import { withoutCredentials } from '../../src/code/git-remote.ts'

it.each([
  ['https://example.com/ada/repo.git', 'https://example.com/ada/repo.git'],
  ['https://ada:token@example.com/repo.git', 'https://example.com/repo.git'],
  ['https://token@example.com:8443/repo@2.git', 'https://example.com:8443/repo@2.git'],
  ['https://ada:p@ss@example.com/repo.git', 'https://example.com/repo.git'],
  ['https://ada:to/ken@example.com/repo.git', 'https://example.com/repo.git'],
  ['https://a@da:to/ken@example.com/repo.git', 'https://example.com/repo.git'],
  ['https://ada:token@[2001:db8::1]:443/repo.git', 'https://[2001:db8::1]:443/repo.git'],
  ['https://example.com/repo.git?private_token=abc#def', 'https://example.com/repo.git'],
  ['https://example.com/@scope/repo.git', 'https://example.com/@scope/repo.git'],
  ['ssh://git:secret@example.com:22/repo.git', 'ssh://git@example.com:22/repo.git'],
  ['git@example.com:ada/repo.git', 'git@example.com:ada/repo.git'],
  ['git:secret@example.com:ada/repo.git', 'git@example.com:ada/repo.git'],
  ['example.com:ada/re@po.git', 'example.com:ada/re@po.git'],
  ['codecommit::https://ada:token@example.com/repo', 'codecommit::https://example.com/repo'],
  ['ext::sh -c "connect secret"', null],
  ['https://ada:sec@ret/token@example.com/repo.git', null],
  ['https://ada@example.com/repo@1.git', 'https://example.com/repo@1.git'],
  ['/srv/git/repo@1.git', '/srv/git/repo@1.git'],
  ['../other repo', '../other repo'],
  ['file:///srv/git/a@b.git', 'file:///srv/git/a@b.git'],
])('%s is recorded as %s', (url, recorded) => {
  expect(withoutCredentials(url)).toBe(recorded)
})

it('no password reaches a record, whatever is in it', () => {
  fc.assert(
    fc.property(fc.constantFrom('http', 'https', 'ssh', 'git'), fc.stringMatching(/^[!-~]{0,20}$/), (scheme, noise) => {
      const recorded = withoutCredentials(`${scheme}://ada:SECRET${noise}SECRET@example.com/repo.git`)
      expect(recorded ?? '').not.toContain('SECRET')
    }),
    {
      examples: [
        ['http', '@/'],
        ['https', '@host/'],
      ],
    },
  )
})
