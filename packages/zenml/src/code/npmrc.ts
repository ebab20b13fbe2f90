/** Settings of npm that decide what is installed, and can hold no secret. */
const harmless: readonly string[] = [
  ...[
    'registry',
    'engine-strict',
    'force',
    'ignore-scripts',
    'include',
    'install-links',
    'install-strategy',
    'legacy-bundling',
  ],
  ...[
    'legacy-peer-deps',
    'omit',
    'omit-lockfile-registry-resolved',
    'package-lock',
    'prefer-dedupe',
    'replace-registry-host',
  ],
  ...['save-exact', 'strict-allow-scripts', 'strict-peer-deps', 'allow-scripts', 'before', 'min-release-age'],
]

/**
 * The lines of an .npmrc that may be kept with the code: only settings that are known to hold no secret, and registries without a user or a
 * password. A token, also one in a setting that is not known here, is not among them.
 *
 * @example
 * npmrcWithoutSecrets(Buffer.from('save-exact=true\n//registry.example/:_authToken=x\n')) // save-exact=true
 */
export function npmrcWithoutSecrets(bytes: Uint8Array): Uint8Array {
  const lines = Buffer.from(bytes).toString('utf8').split(/\r?\n/)
  const kept = lines.flatMap((line) => {
    const setting = /^\s*(@[\w.-]+:registry|[\w-]+)(?:\[\])?\s*=\s*(.*?)\s*$/.exec(line)
    if (setting === null) return []
    const [, name, value] = setting
    if (name!.endsWith('registry')) return isPlainAddress(value!) ? [line.trim()] : []
    return harmless.includes(name!) && /^[\w@./:, "'-]*$/.test(value!) ? [line.trim()] : []
  })
  return Buffer.from(kept.map((line) => `${line}\n`).join(''))
}

/** An address without a user, a query or a fragment, any of which could be a secret. */
function isPlainAddress(text: string): boolean {
  return /^["']?https?:\/\/[\w.-]+(?::\d+)?(?:\/[\w.~/-]*)?["']?$/.test(text)
}
