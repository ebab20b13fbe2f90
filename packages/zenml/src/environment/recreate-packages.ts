import { existsSync } from 'node:fs'
import { mkdir, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { dirname, join, posix } from 'node:path'
import { digestOf } from '../base/canonical.ts'
import { type Clock, systemClock } from '../base/clock.ts'
import { hexOf, sha256 } from '../base/digest.ts'
import { systemCode, ZenmlError } from '../base/errors.ts'
import { isArtifactPath } from '../model/artifact.ts'
import { type CacheEntries, cacheEntries } from './cache-entries.ts'
import { type InstallInputs, readInstallInputs } from './install-inputs.ts'
import { recordFileOf } from './install-record.ts'
import { linkTree, stateOfTree } from './link-tree.ts'
import { askNode, type NpmOptions, npmWords, type ProcessGuard, runNpm } from './npm.ts'

/** Which packages are to be brought back, and by what. */
export interface RecreatePackagesOptions {
  /** The laid-out code. */
  readonly root: string
  /** Files of the run, relative to the root: lockfiles in their folders and above count. Default: only the root's. */
  readonly files?: readonly string[]
  /** The Node that is to load the packages. Default this process's own. */
  readonly node?: string
  /** `npm-cli.js`. Default the one beside Node, else the one on the PATH. */
  readonly npm?: string
  /** `userCacheDirectory`. */
  readonly cacheDirectory: string
  readonly signal?: AbortSignal
  /** Told each line that npm prints. */
  readonly onOutput?: (line: string) => void
  readonly guard?: ProcessGuard
  readonly clock?: Clock
}

/** What became of the packages. */
export type RecreatedPackages =
  | { readonly kind: 'recreated'; readonly fromCache: boolean }
  /** `other`: the lockfile of another package manager, where there is one. */
  | { readonly kind: 'no-lockfile'; readonly other: string | null }

/** Version of how environments are made; part of each one's name. */
const format = 1
/** Environments that are kept. */
const kept = 8
const stateName = '.zenml-state'

const npmArguments: readonly string[] = [
  ...['ci', '--prefer-offline', '--no-audit', '--no-fund', '--no-update-notifier', '--no-progress', '--logs-max=0'],
  // NODE_ENV=production of whoever calls must not leave packages out.
  ...['--include=dev', '--include=optional', '--include=peer', '--fetch-retries=1', '--fetch-retry-mintimeout=1000'],
]

/**
 * Gives laid-out code its `node_modules`, as its lockfile says: from an environment in the user's cache, else by `npm ci`. Install scripts of packages run
 * as the code's own settings allow; scripts of the code itself never do. Local packages (workspaces, `file:`) lead to the code's own folders.
 *
 * Throws `ZEN_PACKAGES_RECREATE` with npm's words, `ZEN_PACKAGES_OUTSIDE`, `ZEN_NPM_MISSING`, `ZEN_NODE`.
 *
 * @example
 * await recreatePackages({ root: join(place, 'code'), cacheDirectory: userCacheDirectory(process.env) })
 */
export async function recreatePackages(options: RecreatePackagesOptions): Promise<RecreatedPackages> {
  const { root, files = [], cacheDirectory, node = process.execPath, clock = systemClock } = options
  const folders = new Set(['.', ...files.filter(isArtifactPath).flatMap(foldersAbove)])
  const inputs: { readonly folder: string; readonly found: InstallInputs }[] = []
  for (const folder of folders) {
    const found = await readInstallInputs(root, folder)
    // A workspace's own leftover lockfile is not read by npm either.
    if (found !== undefined && !inputs.some((other) => other.found.folders.includes(folder)))
      inputs.push({ folder, found })
  }
  if (inputs.length === 0) return { kind: 'no-lockfile', other: otherLockfile(root) }
  const kind = await askNode(node)
  const entries = cacheEntries(join(cacheDirectory, 'environments'), clock)
  let fromCache = true
  for (const { folder, found } of inputs) {
    const content = Object.fromEntries([...found.files].map(([path, bytes]) => [path, sha256(bytes)]))
    const key = hexOf(digestOf([format, folder, content, kind.platform, kind.arch, kind.libc, kind.abi])).slice(0, 40)
    let entry = await wholeEntry(entries, key, found, root)
    if (entry === undefined) {
      fromCache = false
      entry = await entries.make(key, (part) => install(part, folder, found, options), root)
      await entries.sweep(kept)
    }
    await layOut(entry, root, found)
  }
  return { kind: 'recreated', fromCache }
}

/** An environment that is still what npm made. */
async function wholeEntry(
  entries: CacheEntries,
  key: string,
  { folders }: InstallInputs,
  root: string,
): Promise<string | undefined> {
  const entry = await entries.use(key)
  if (entry === undefined) return undefined
  await entries.lend(entry, root)
  const state = await readFile(join(entry, stateName), 'utf8').catch(() => undefined)
  if (state !== undefined && state === stateOfTree(entry, installed(entry, folders))) return entry
  // Steps of another rerun that is still at it may load from there.
  await entries.remove(entry, root)
  return undefined
}

/** The `node_modules` of an environment, relative to it. */
function installed(entry: string, folders: readonly string[]): string[] {
  return folders.map((folder) => posix.join(folder, 'node_modules')).filter((path) => existsSync(join(entry, path)))
}

async function install(
  part: string,
  folder: string,
  { files, folders }: InstallInputs,
  options: RecreatePackagesOptions,
): Promise<void> {
  for (const [path, bytes] of files) {
    const file = join(part, ...path.split('/'))
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, bytes)
  }
  const { node, npm, signal, onOutput, guard } = options
  const how: NpmOptions = {
    directory: join(part, folder),
    ...(node === undefined ? {} : { node }),
    ...(npm === undefined ? {} : { npm }),
    ...(signal === undefined ? {} : { signal }),
    ...(onOutput === undefined ? {} : { onOutput }),
    ...(guard === undefined ? {} : { guard }),
  }
  const { code, output } = await runNpm(npmArguments, how)
  if (code !== 0) throw failed(folder, output)
  // It may name a token; the environment has no use for it any more.
  await rm(join(part, folder, '.npmrc'), { force: true })
  await writeFile(join(part, stateName), stateOfTree(part, installed(part, folders)))
}

/** Gives the code its `node_modules`; where local packages are linked, the links must start from within the code. */
async function layOut(entry: string, root: string, { folders }: InstallInputs): Promise<void> {
  const top = await realpath(root)
  for (const path of installed(entry, folders)) {
    const parent = join(top, dirname(path))
    if ((await realpath(parent).catch(ifMissing)) !== parent) {
      throw new ZenmlError(
        'ZEN_PACKAGES_OUTSIDE',
        `${dirname(path)} of the run's code is a link, so no packages are put there.`,
        {
          facts: { path: dirname(path) },
          next: 'Make it a folder in the repository.',
          exitCode: 1,
        },
      )
    }
    const target = join(top, path)
    await rm(target, { recursive: true, force: true })
    if (folders.length === 1) await symlink(join(entry, path), target, 'junction')
    else await linkTree(join(entry, path), target)
  }
  // Links make folders anew; what npm says of its install is the last that is written, as npm does it, or it is not believed.
  if (folders.length > 1) await renew(recordFileOf(join(top, folders[0]!)))
}

async function renew(file: string): Promise<void> {
  const bytes = await readFile(file).catch(ifMissing)
  if (bytes === undefined) return
  // Not in place: it may be a link to the kept one.
  await rm(file)
  await writeFile(file, bytes)
}

function ifMissing(error: unknown): undefined {
  if (systemCode(error) === 'ENOENT') return undefined
  throw error
}

function foldersAbove(path: string): string[] {
  const folders: string[] = []
  for (let current = posix.dirname(path); current !== '.'; current = posix.dirname(current)) folders.push(current)
  return folders.reverse()
}

function otherLockfile(root: string): string | null {
  return ['yarn.lock', 'pnpm-lock.yaml', 'bun.lock', 'bun.lockb'].find((name) => existsSync(join(root, name))) ?? null
}

function failed(folder: string, output: string): ZenmlError {
  const words = npmWords(output)
  return new ZenmlError(
    'ZEN_PACKAGES_RECREATE',
    `npm cannot install the packages of the run's lockfile${folder === '.' ? '' : ` in ${folder}`}: ${words}`,
    { facts: { npm: words, folder }, next: cure(words), exitCode: 1 },
  )
}

function cure(words: string): string {
  if (words.includes('EINTEGRITY'))
    return "The registry, or npm's cache, gives other bytes than the lockfile names: find out why before anything is trusted."
  if (/ENOTCACHED|ENOTFOUND|EAI_AGAIN|ECONNREFUSED|ECONNRESET|ETIMEDOUT|network/i.test(words))
    return "Connect to the registry and try again: npm's cache does not hold all of them."
  if (/CERT|UNABLE_TO_VERIFY|UNABLE_TO_GET_ISSUER/.test(words))
    return 'Node does not trust the certificate of the registry: name its authority in NODE_EXTRA_CA_CERTS, or in the "cafile" of npm.'
  if (/E404|ETARGET/.test(words))
    return 'The registry no longer has that package: name one that has, or put it into the cache of npm.'
  if (/EUSAGE|in sync/.test(words))
    return 'The package.json and the lockfile of that commit do not fit together; packages cannot be brought back from them.'
  return 'Run "npm ci" in a checkout of the commit to see more.'
}
