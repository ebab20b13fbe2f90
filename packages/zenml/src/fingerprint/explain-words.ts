import { canonicalJson } from '../base/canonical.ts'
import type { Json } from '../base/json.ts'
import type { StepChange } from './explain.ts'
import { changedMeanwhile, leads, pathLed } from './observe-file.ts'

/** One change in plain words, as it stands behind "because": `lib/scale.ts (imported by steps/train.ts) changed`. */
export function wordsOf(change: StepChange): string {
  const { field, path, before, after } = change
  switch (field) {
    case 'code':
      return codeWords(change)
    case 'packages':
      if (before === null) return `package ${path} ${shown(after)}${way(change)} is new`
      if (after === null) return `package ${path} ${shown(before)} is no longer used`
      return `package ${path}${way(change)} changed ${fromTo(before, after)}`
    case 'parameters':
      return `parameter ${path} changed ${fromTo(before, after)}`
    case 'inputs':
      if (before === null) return `input ${path} is new`
      return after === null ? `input ${path} is gone` : `input ${path} changed`
    case 'outputs':
      return `the type of output ${path} changed ${fromTo(before, after)}`
    case 'variables':
      return `environment variable ${path} ${variableWords(before, after)}`
    case 'environment':
      return `${environmentNames[path] ?? path} changed ${fromTo(before, after)}`
    case 'seed':
      if (before === null) return `it uses its seed now`
      return after === null ? `it no longer uses its seed` : `its seed changed ${fromTo(before, after)}`
    case 'observed':
      if (leads(path)) return wayWords(pathLed(path), change)
      if (after === changedMeanwhile) return `${path}, which it reads, changed while it ran`
      if (before === null) return `${path}, which it looked for in vain, is there now, or is read only now`
      return after === null ? `${path}, which it read, is gone or no longer read` : `${path}, which it reads, changed`
    case 'format':
      return `identities are told in another way ${fromTo(before, after)}`
    case 'new':
      return `nothing comparable ran before`
  }
}

function wayWords(path: string, { before, after }: StepChange): string {
  if (after === changedMeanwhile) return `${path}, which it follows, was led elsewhere while it ran`
  if (before === null) return `${path}, which it looked for in vain, is there now, or is followed only now`
  return after === null
    ? `${path}, which it followed, is gone or no longer followed`
    : `${path}, which it follows, leads elsewhere`
}

const environmentNames: { readonly [path: string]: string } = {
  node: 'Node',
  platform: 'the platform',
  arch: 'the architecture',
  image: 'the container image',
  canary: 'the arithmetic of the machine',
}

function codeWords(change: StepChange): string {
  const { path, before, after } = change
  if (change.imports === undefined) {
    if (path === 'source') return `its source changed ${fromTo(before, after)}`
    if (path === 'bundler') return `the bundler changed ${fromTo(before, after)}`
    if (path === 'bundle') return `its bundled code changed`
  }
  if (before === null) return `${path}${way(change)} is new in its code`
  return after === null ? `${path} is no longer part of its code` : `${path}${way(change)} changed`
}

function way({ imports = [] }: StepChange): string {
  return imports.length === 0 ? '' : ` (imported by ${imports.join(', imported by ')})`
}

function variableWords(before: Json, after: Json): string {
  if (before === null) return 'is set now, or declared only now'
  return after === null ? 'is no longer set or declared' : 'has another value'
}

function fromTo(before: Json, after: Json): string {
  return `from ${shown(before)} to ${shown(after)}`
}

/** A value as one writes it, cut where it is long. A text that would read as another value, or as no text at all, is in quotes. */
function shown(value: Json): string {
  if (value === null) return 'nothing'
  const text = typeof value === 'string' && isPlain(value) ? value : canonicalJson(value)
  return text.length > 80 ? `${text.slice(0, 79)}…` : text
}

const otherValue = /^(?:nothing|true|false|null|-?\d+(?:\.\d+)?(?:e[+-]?\d+)?|["[{].*)$/is

function isPlain(text: string): boolean {
  return text !== '' && text.trim() === text && !otherValue.test(text) && !/\p{Cc}/u.test(text)
}
