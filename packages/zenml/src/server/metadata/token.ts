import { createHash, timingSafeEqual } from 'node:crypto'
import { CallError, transportCodes } from './call-status.ts'

/** Whether a call may go on, by its `authorization` header. Throws `CallError`, UNAUTHENTICATED, if not. */
export type Guard = (authorization: string | undefined) => void

/** Lets every call pass, or only those that carry `Bearer TOKEN`; digests are compared, in the same time whatever they are. */
export function tokenGuard(token: string | undefined): Guard {
  if (token === undefined) return () => undefined
  const expected = digest(token)
  return (authorization) => {
    const given = /^Bearer +(\S+) *$/i.exec(authorization ?? '')?.[1] ?? ''
    if (!timingSafeEqual(digest(given), expected))
      throw new CallError(transportCodes.UNAUTHENTICATED, 'A bearer token is needed that this server knows.')
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text, 'utf8').digest()
}
