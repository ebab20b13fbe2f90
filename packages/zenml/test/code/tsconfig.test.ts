import { join } from 'node:path'
import { expect, it } from 'vitest'
import { SourceTree } from '../../src/code/source-tree.ts'
import { aliasesOf, findTsconfig } from '../../src/code/tsconfig.ts'
import { temporaryProject } from './temporary-project.ts'

function read(
  files: { readonly [path: string]: string },
  directory = '',
): { root: string } & ReturnType<typeof findTsconfig> {
  const root = temporaryProject(files)
  return { root, ...findTsconfig(new SourceTree(root), join(root, directory)) }
}

it('the nearest file counts, with comments, trailing commas and a byte order mark', () => {
  const text =
    '\uFEFF{ // a "comment"\n "compilerOptions": { /* , } */ "target": "es2022", "outDir": "//not a comment,}", }, }'
  expect(read({ 'a/b/c.ts': '', 'a/tsconfig.json': text, 'tsconfig.json': '{}' }, 'a/b').compilerOptions).toEqual({
    target: 'es2022',
  })
  expect(read({ 'a/c.ts': '' }, 'a')).toMatchObject({ compilerOptions: {}, paths: [], files: [] })
})

it('what is extended comes first, in order, from files and packages, and every file is named', () => {
  const found = read({
    'tsconfig.json':
      '{ "extends": ["./one", "@acme/tsconfig/two.json", "plain"], "compilerOptions": { "jsx": "react" } }',
    'one.json': '{ "compilerOptions": { "target": "es2020", "jsx": "preserve", "strict": true } }',
    'node_modules/@acme/tsconfig/two.json': '{ "compilerOptions": { "target": "es2021" } }',
    'node_modules/plain/tsconfig.json': '{ "compilerOptions": { "strict": false } }',
  })
  expect(found.compilerOptions).toEqual({ target: 'es2021', jsx: 'react', strict: false })
  expect(found.files.map((file) => file.slice(found.root.length + 1))).toEqual([
    'one.json',
    'node_modules/@acme/tsconfig/two.json',
    'node_modules/plain/tsconfig.json',
    'tsconfig.json',
  ])
})

it('aliases are tried by the length of what stands before their star, exact ones first', () => {
  const { root, ...tsconfig } = read({
    'tsconfig.json':
      '{ "compilerOptions": { "baseUrl": "src", "paths": { "@/*": ["a/*", "b/*"], "@/lib/*": ["lib/*.ts"], "@/lib/x": ["exact.ts"], "*-end": ["end/*"] } } }',
  })
  const of = (specifier: string): string[] => aliasesOf(tsconfig, specifier).map((path) => path.slice(root.length + 1))
  expect(of('@/lib/x')).toEqual(['src/exact.ts', 'src/lib/x.ts', 'src/a/lib/x', 'src/b/lib/x', 'src/@/lib/x'])
  expect(of('the-end')).toEqual(['src/end/the', 'src/the-end'])
  expect(of('zod')).toEqual(['src/zod'])
})

it.each([
  ['{', /is no JSON/],
  ['[]', /is no object/],
  ['{ "extends": "./tsconfig.json" }', /extends itself/],
  ['{ "extends": "./missing" }', /extends missing\.json, which does not exist/],
  ['{ "extends": "../outside.json" }', /outside of the repository/],
  ['{ "extends": "@acme/none/x.json" }', /no package @acme\/none is installed/],
  ['{ "extends": [1] }', /no text/],
])('a tsconfig.json that says %s is refused', (text, message) => {
  expect(() => read({ 'tsconfig.json': text })).toThrow(message)
})
