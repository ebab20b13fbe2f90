import type { MetadataService } from '../../metadata/api/service.ts'
import type { Guard } from './token.ts'

/** What both ways into the service share. */
export interface Endpoint {
  readonly service: MetadataService
  readonly guard: Guard
  /** Largest request in bytes. */
  readonly maxMessageSize: number
  readonly tls: TlsFiles | undefined
  /** Is told about calls that failed through no fault of the caller. */
  readonly log: (line: string) => void
}

/** Contents of PEM files. */
export interface TlsFiles {
  readonly cert: Buffer
  readonly key: Buffer
  /** Whoever issues the certificates that clients must have; without it they need none. */
  readonly ca?: Buffer | undefined
}

/** A port that is open. */
export interface OpenPort {
  readonly port: number
  /** Takes no new calls, and waits for those that run, `grace` milliseconds at most. */
  close(grace: number): Promise<void>
}
