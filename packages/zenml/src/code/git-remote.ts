/**
 * The URL of a remote without what may be a secret: user, password, query and fragment; null where nothing can be told apart
 * (`ext::` runs a command; a password before a path that holds `@` may end there). The user of SSH stays: it is no secret, and the URL leads nowhere without it.
 *
 * @example
 * withoutCredentials('https://ada:token@example.com/repo.git') // 'https://example.com/repo.git'
 */
export function withoutCredentials(url: string): string | null {
  const helper = /^([a-z0-9]+)::(.*)$/is.exec(url)
  if (helper !== null) {
    const inner = helper[1] === 'ext' ? null : withoutCredentials(helper[2]!)
    return inner === null ? null : `${helper[1]}::${inner}`
  }
  const parts = /^([a-z][a-z0-9+.-]*):\/\/(.*)$/is.exec(url)
  if (parts === null) {
    // `user:password@host:path`, which git takes for a host, but people write.
    return url.replace(/^([^/:@]*):[^/@]*@(?=[^/]*:)/, '$1@')
  }
  const [scheme, rest] = [parts[1]!, parts[2]!]
  if (/^file$/i.test(scheme)) return url
  const authority = /^[^/?#]*/.exec(rest)![0]
  const host = /^(?:\[[^\]]*\]|[^:[\]]*)(?::\d*)?$/
  // Where what looks like the host is none, a password has a slash in it that would else pass for the start of the path.
  const named = host.test(authority.slice(authority.lastIndexOf('@') + 1))
  // Where there is a password and the path holds an `@`, either may end the password: what is in doubt is not recorded.
  const path = rest.slice(authority.length).replace(/[?#].*$/s, '')
  if (named && /:[^@]*@/.test(authority) && path.includes('@')) return null
  const at = (named ? authority : rest).lastIndexOf('@')
  const user = /^(?:git\+)?ssh(?:\+git)?$/i.test(scheme) ? (/^[^:@/]*/.exec(rest)?.[0] ?? '') : ''
  const place = at < 0 ? rest : `${user === '' ? '' : `${user}@`}${rest.slice(at + 1)}`
  return `${scheme}://${place.replace(/[?#].*$/s, '')}`
}
