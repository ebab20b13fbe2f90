import { readFile } from 'node:fs/promises'
import { release } from 'node:os'
import { compareText } from '../base/canonical.ts'
import { type Digest, isDigest, sha256 } from '../base/digest.ts'
import type { JsonObject } from '../base/json.ts'
import type { EnvironmentLeaf } from '../model/fingerprint.ts'

/** The machine as a run records it. */
export interface CapturedEnvironment {
  /** What is part of every step's identity. */
  readonly leaf: EnvironmentLeaf
  /** What explains a difference but does not make one by itself: v8, libc, kernel, processor features, container. */
  readonly facts: JsonObject
}

/** Where the facts come from; the process's own by default. */
export interface EnvironmentSources {
  readonly versions: { readonly node: string; readonly v8: string }
  readonly platform: string
  readonly arch: string
  /** Release of the operating system's kernel. */
  readonly release: string
  readonly variables: { readonly [name: string]: string | undefined }
  /** Reads a file of the system; rejects where there is none. */
  read(path: string): Promise<Uint8Array>
}

/** The variable in which whoever starts a container says which image it is: `sha256:…` or `name@sha256:…`. */
export const imageVariable = 'ZENML_IMAGE'

/** Processor features that choose other instructions, and so can round otherwise (x86 and ARM names of the Linux kernel). */
const numericFeatures: readonly string[] = [
  ...[
    'sse3',
    'pni',
    'ssse3',
    'sse4_1',
    'sse4_2',
    'avx',
    'avx2',
    'fma',
    'fma4',
    'f16c',
    'avx_vnni',
    'amx_tile',
    'amx_bf16',
    'amx_int8',
  ],
  ...['asimd', 'asimdhp', 'asimddp', 'asimdfhm', 'fphp', 'bf16', 'i8mm', 'sve', 'sve2', 'svebf16', 'svei8mm', 'sme'],
]

/**
 * Captures what of this machine can change results. The image's digest is known where whoever started the container says it
 * (`ZENML_IMAGE`), or where Podman tells it; never a tag, which can move.
 */
export async function captureEnvironment(sources: EnvironmentSources = ofThisProcess): Promise<CapturedEnvironment> {
  const { versions, platform, arch, variables, read } = sources
  const text = async (path: string): Promise<string | undefined> => {
    try {
      return Buffer.from(await read(path)).toString('utf8')
    } catch {
      // Not this kind of system, or closed to us: the fact is then not known, and left out.
      return undefined
    }
  }
  const linux = platform === 'linux'
  const [cpuinfo, maps, docker, podman] = linux
    ? await Promise.all(['/proc/cpuinfo', '/proc/self/maps', '/.dockerenv', '/run/.containerenv'].map(text))
    : []
  const image = imageOf(variables[imageVariable], podman)
  const libc = maps === undefined ? undefined : await libcOf(maps, read)
  const container =
    podman !== undefined
      ? 'podman'
      : docker !== undefined
        ? 'docker'
        : variables['KUBERNETES_SERVICE_HOST']
          ? 'kubernetes'
          : undefined
  return {
    leaf: { node: versions.node, platform, arch, ...(image === undefined ? {} : { image }) },
    facts: {
      node: versions.node,
      v8: versions.v8,
      platform,
      arch,
      release: sources.release,
      ...(libc === undefined ? {} : { libc }),
      ...(cpuinfo === undefined ? {} : { cpu: cpuOf(cpuinfo) }),
      ...(container === undefined ? {} : { container }),
      ...(image === undefined ? {} : { image }),
    },
  }
}

const ofThisProcess: EnvironmentSources = {
  versions: process.versions,
  platform: process.platform,
  arch: process.arch,
  release: release(),
  variables: process.env,
  read: (path) => readFile(path),
}

function imageOf(variable: string | undefined, podman: string | undefined): Digest | undefined {
  const told =
    /sha256:[0-9a-f]{64}$/.exec(variable ?? '')?.[0] ??
    `sha256:${/^imageid="(?:sha256:)?([0-9a-f]{64})"$/m.exec(podman ?? '')?.[1]}`
  return isDigest(told) ? told : undefined
}

/** `glibc 2.36` from the library that this process has loaded; `musl` has no version in its file that can be relied on. */
async function libcOf(maps: string, read: EnvironmentSources['read']): Promise<string | undefined> {
  if (/\/ld-musl-[^/\s]+$/m.test(maps)) return 'musl'
  const path = /\/\S*\/libc(?:\.so\.6|-[\d.]+\.so)$/m.exec(maps)?.[0]
  if (path === undefined) return undefined
  try {
    const bytes = await read(path)
    // Megabytes, which need no copy.
    const library = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
    const at = library.indexOf('GNU C Library')
    const version = at < 0 ? undefined : /version (\d+(?:\.\d+)+)/.exec(library.toString('latin1', at, at + 200))?.[1]
    return version === undefined ? undefined : `glibc ${version}`
  } catch {
    // Replaced or removed since it was loaded: its version is not known then.
    return undefined
  }
}

/** Model, the features that can change bits, and a digest of all of them, so that any other difference shows too. */
function cpuOf(cpuinfo: string): JsonObject {
  const model = /^model name\s*:\s*(.+)$/m.exec(cpuinfo)?.[1]?.trim()
  const all = (/^(?:flags|Features)\s*:\s*(.+)$/m.exec(cpuinfo)?.[1] ?? '')
    .trim()
    .split(/\s+/)
    .filter((name) => name !== '')
    .sort(compareText)
  return {
    ...(model === undefined ? {} : { model }),
    features: all.filter((name) => numericFeatures.includes(name) || name.startsWith('avx512')),
    allFeatures: sha256(all.join(' ')),
  }
}
