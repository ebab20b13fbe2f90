import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { TestProject } from './project.ts'

/** Packages that behave as packages do, installed and pinned as npm would: name to the text of the module. */
export function installPackages(project: TestProject, packages: { readonly [name: string]: string }): void {
  const pins: { [path: string]: object } = {}
  for (const [name, code] of Object.entries(packages)) {
    const directory = join(project.root, 'node_modules', name)
    mkdirSync(directory, { recursive: true })
    writeFileSync(
      join(directory, 'package.json'),
      JSON.stringify({ name, version: '1.0.0', type: 'module', main: 'index.js' }),
    )
    writeFileSync(join(directory, 'index.js'), code)
    pins[`node_modules/${name}`] = { version: '1.0.0', integrity: `sha512-${Buffer.from(name).toString('base64')}` }
  }
  const lock = { name: 'demo', version: '1.0.0', lockfileVersion: 3, packages: { '': { name: 'demo' }, ...pins } }
  project.write({ 'package-lock.json': `${JSON.stringify(lock, null, 2)}\n` })
}
