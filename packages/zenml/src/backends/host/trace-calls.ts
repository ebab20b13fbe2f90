import childProcess from 'node:child_process'
import crypto from 'node:crypto'
import dgram from 'node:dgram'
import dns from 'node:dns'
import fs from 'node:fs'
import net from 'node:net'
import os from 'node:os'
import { basename } from 'node:path'
import vm from 'node:vm'
import workerThreads from 'node:worker_threads'
import type { TouchKind } from '../../model/touch.ts'
import type { Listener, Taps } from './tap.ts'
import type { Ledger } from './trace-ledger.ts'

const randomness = [
  'randomBytes',
  'pseudoRandomBytes',
  'randomUUID',
  'randomInt',
  'randomFill',
  'randomFillSync',
  'getRandomValues',
  'generateKey',
  'generateKeySync',
  'generateKeyPair',
  'generateKeyPairSync',
  'generatePrime',
  'generatePrimeSync',
]
/** Not the folders of home and of temporary files, which are the step's own; not platform and architecture, which are in its identity. */
const facts = [
  ...['hostname', 'userInfo', 'networkInterfaces', 'totalmem', 'freemem', 'loadavg', 'release', 'version', 'machine'],
  'getPriority',
]
/** What the process uses, and as whom it runs. */
const ownFacts = [
  ...['memoryUsage', 'resourceUsage', 'constrainedMemory', 'availableMemory', 'getActiveResourcesInfo'],
  ...['getuid', 'geteuid', 'getgid', 'getegid', 'getgroups'],
]
const records = ['4', '6', 'Any', 'Caa', 'Cname', 'Mx', 'Naptr', 'Ns', 'Ptr', 'Soa', 'Srv', 'Txt']
const lookups = ['lookup', 'lookupService', 'reverse', 'resolve', ...records.map((record) => `resolve${record}`)]

/** Watches randomness that is not seeded, the network, other processes, threads and facts of the machine. */
export function watchCalls(taps: Taps, ledger: Ledger): void {
  const named =
    (kind: TouchKind, prefix: string) =>
    (name: string): Listener =>
    (_args, below) =>
      void ledger.hit(ledger.counter(kind, `${prefix}.${name}`), below)
  const telling = (kind: TouchKind, tell: (args: readonly unknown[]) => string) => (): Listener => (args, below) =>
    void ledger.hit(ledger.counter(kind, tell(args)), below)

  taps.methods(crypto, randomness, named('randomness', 'crypto'))
  const web = Object.getPrototypeOf(crypto.webcrypto) as object
  taps.methods(web, ['getRandomValues', 'randomUUID'], named('randomness', 'crypto'))
  taps.methods(Object.getPrototypeOf(crypto.webcrypto.subtle) as object, ['generateKey'], named('randomness', 'subtle'))

  for (const { prototype } of [crypto.ECDH, crypto.DiffieHellman])
    taps.methods(prototype, ['generateKeys'], named('randomness', 'crypto'))

  taps.methods(net.Socket.prototype, ['connect'], telling('network', socketHost))
  taps.methods(dgram.Socket.prototype, ['send', 'connect'], telling('network', datagramHost))
  for (const owner of [dns, dns.promises, dns.Resolver.prototype, dns.promises.Resolver.prototype])
    taps.methods(
      owner,
      lookups,
      telling('network', ([name]) => String(name)),
    )
  taps.methods(
    globalThis,
    ['fetch'],
    telling('network', ([input]) => urlHost(input)),
  )
  for (const name of ['WebSocket', 'EventSource'])
    taps.class(globalThis, name, telling('network', ([url]) => urlHost(url))())

  taps.methods(
    childProcess.ChildProcess.prototype,
    ['spawn'],
    telling('process', ([options]) => spawned(options)),
  )
  taps.methods(
    childProcess,
    ['spawnSync', 'execFileSync'],
    telling('process', ([file]) => command(file)),
  )
  taps.methods(
    childProcess,
    ['execSync'],
    telling('process', ([line]) => firstWord(line)),
  )
  taps.class(workerThreads, 'Worker', named('threads', 'worker_threads')('Worker'))
  taps.methods(os, ['cpus', 'availableParallelism'], named('threads', 'os'))
  // Since Node 21.
  const navigator: unknown = Reflect.get(globalThis, 'navigator')
  if (typeof navigator === 'object' && navigator !== null)
    taps.getter(
      Object.getPrototypeOf(navigator) as object,
      'hardwareConcurrency',
      named('threads', 'navigator')('hardwareConcurrency'),
    )
  watchHost(taps, named)
}

/** Facts of the machine and of the process, and contexts, whose clocks and randomness are their own. */
function watchHost(taps: Taps, named: (kind: TouchKind, prefix: string) => (name: string) => Listener): void {
  taps.methods(os, facts, named('host', 'os'))
  taps.methods(process.memoryUsage, ['rss'], named('host', 'process.memoryUsage'))
  taps.methods(process, ownFacts, named('host', 'process'))
  taps.getter(process, 'report', named('host', 'process')('report'))
  for (const name of ['pid', 'ppid']) taps.value(process, name, named('host', 'process')(name))
  for (const owner of [fs, fs.promises]) taps.methods(owner, ['statfs', 'statfsSync'], named('host', 'fs'))
  taps.methods(vm, ['createContext', 'runInNewContext'], named('randomness', 'vm'))
  taps.methods(vm.Script.prototype, ['runInNewContext'], named('randomness', 'vm.Script'))
  taps.methods(URL, ['createObjectURL'], named('randomness', 'URL'))
}

/** Of `connect(options)`, `connect(port, host)`, `connect(path)`, and of the array that Node itself passes on. */
function socketHost(args: readonly unknown[]): string {
  const [first, second] = Array.isArray(args[0]) ? (args[0] as unknown[]) : args
  if (typeof first === 'object' && first !== null) {
    const { host, path } = first as { readonly host?: unknown; readonly path?: unknown }
    return typeof path === 'string' ? path : String(host ?? 'localhost')
  }
  if (typeof first === 'string' && Number.isNaN(Number(first))) return first
  return typeof second === 'string' ? second : 'localhost'
}

/** The address comes last of what `send` and `connect` are given, before the callback. */
function datagramHost(args: readonly unknown[]): string {
  const address = args.slice(1).findLast((value) => typeof value === 'string')
  return address === undefined ? 'localhost' : (address as string)
}

function urlHost(input: unknown): string {
  const text = typeof input === 'object' && input !== null && 'url' in input ? String(input.url) : String(input)
  return URL.canParse(text) ? new URL(text).host || new URL(text).protocol : text.slice(0, 100)
}

/** The program of a new process; a shell's is that of its command line. */
function spawned(options: unknown): string {
  const { file, args } = options as { readonly file?: unknown; readonly args?: readonly unknown[] }
  const shell = typeof file === 'string' && /^(?:.*[/\\])?(?:sh|bash|cmd\.exe)$/.test(file)
  return shell && args?.[1] === '-c' ? firstWord(args[2]) : command(file)
}

/** Only the name: arguments may hold secrets, and paths are of this machine. */
function command(file: unknown): string {
  return basename(String(file))
}

/** Without the variables that a line of a shell sets first, which may be secrets too. */
function firstWord(line: unknown): string {
  const words = String(line).split(/[\s;&|<>()]+/)
  return command(words.find((word) => word !== '' && !/^\w+=/.test(word)) ?? '')
}
