import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll } from 'vitest'

const made: string[] = []
afterAll(() => {
  for (const directory of made.splice(0)) rmSync(directory, { recursive: true, force: true, maxRetries: 5 })
})

/** A folder with files in it, removed after the tests; objects become JSON, `-> target` makes a link. */
export function folderWith(files: { readonly [path: string]: string | object } = {}): string {
  const root = realpathSync(mkdtempSync(join(tmpdir(), 'zenml-environment-')))
  made.push(root)
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true })
    if (typeof content === 'string' && content.startsWith('-> ')) symlinkSync(content.slice(3), join(root, path))
    else writeFileSync(join(root, path), typeof content === 'string' ? content : JSON.stringify(content))
  }
  return root
}

/** Runs npm as a user would. */
export function npm(directory: string, ...args: string[]): string {
  return execFileSync('npm', [...args, '--no-audit', '--no-fund', '--loglevel=error'], {
    cwd: directory,
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'pipe'],
  })
}

/** Evaluates an expression in a module of a folder and gives what it prints. */
export function evaluate(directory: string, code: string, node: string = process.execPath): string {
  return execFileSync(node, ['--input-type=module', '-e', code], { cwd: directory, encoding: 'utf8' }).trim()
}
