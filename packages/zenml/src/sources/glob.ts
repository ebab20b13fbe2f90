/** Whether a path names files by a pattern: `*`, `**`, `?`, `{a,b}`. */
export function isGlob(path: string): boolean {
  return /[*?{]/.test(path)
}

/** The folders of a glob before its first pattern, and what the names below them must match. */
export function splitGlob(pattern: string): { readonly fixed: readonly string[]; readonly matcher: RegExp } {
  const parts = pattern.split('/')
  const first = parts.findIndex(isGlob)
  const end = first < 0 ? parts.length : first
  return { fixed: parts.slice(0, end), matcher: globPattern(parts.slice(end).join('/')) }
}

/** Whether folders and globs pass over a name below them: what is hidden, and installed packages. */
export function isPassedOver(name: string): boolean {
  return name.split('/').some((part) => part === 'node_modules' || part.startsWith('.'))
}

/** A glob as a regular expression over `/`-separated names. */
function globPattern(glob: string): RegExp {
  let text = ''
  for (let index = 0; index < glob.length; index++) {
    const rest = glob.slice(index)
    const braces = /^\{([^{}]*)\}/.exec(rest)
    if (rest.startsWith('**/')) {
      text += '(?:[^/]+/)*'
      index += 2
    } else if (rest.startsWith('**')) {
      text += '.*'
      index += 1
    } else if (rest[0] === '*') text += '[^/]*'
    else if (rest[0] === '?') text += '[^/]'
    else if (braces !== null) {
      text += `(?:${braces[1]!.split(',').map(escapePattern).join('|')})`
      index += braces[0].length - 1
    } else text += escapePattern(rest[0]!)
  }
  return new RegExp(`^${text}$`, 's')
}

function escapePattern(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
}
