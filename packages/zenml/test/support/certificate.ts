import { execFileSync } from 'node:child_process'
import { chmodSync, chownSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { onTestFinished } from 'vitest'

/** A certificate of "localhost" and its key, which a server may read and nobody else; gone with the test. */
export function certificate(): { readonly folder: string; readonly cert: string; readonly key: string } {
  const folder = mkdtempSync(join(tmpdir(), 'zenml-tls-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  const [cert, key] = [join(folder, 'cert.pem'), join(folder, 'key.pem')]
  const subject = ['-subj', '/CN=localhost', '-addext', 'subjectAltName=DNS:localhost']
  const fresh = ['-x509', '-newkey', 'rsa:2048', '-nodes', '-days', '2', '-keyout', key, '-out', cert]
  execFileSync('openssl', ['req', ...fresh, ...subject], { stdio: 'ignore' })
  chmodSync(folder, 0o755)
  chmodSync(key, 0o600)
  if (process.getuid?.() === 0) chownSync(key, Number(execFileSync('id', ['-u', 'nobody'], { encoding: 'utf8' })), 0)
  return { folder, cert, key }
}
