import type { MetadataService } from '../../metadata/api/service.ts'
import type { Endpoint, TlsFiles } from './endpoint.ts'
import { openGrpcPort } from './grpc-port.ts'
import { openGrpcWebPort } from './grpc-web-port.ts'
import { tokenGuard } from './token.ts'

/** How metadata is served. */
export interface ServeOptions {
  readonly service: MetadataService
  readonly host: string
  /** Port of gRPC; 0 takes a free one. */
  readonly port: number
  /** Port of gRPC-Web, and the origins of the pages that may ask there. */
  readonly web?: { readonly port: number; readonly origins: readonly string[] } | undefined
  /** What callers must present as `authorization: Bearer TOKEN`. */
  readonly token?: string | undefined
  readonly tls?: TlsFiles | undefined
  /** Largest request in bytes. */
  readonly maxMessageSize: number
  /** Takes a line about each call that failed through no fault of the caller. */
  readonly log: (line: string) => void
}

/** Metadata that is being served. */
export interface MetadataServer {
  readonly port: number
  readonly webPort: number | undefined
  /** Takes no new calls, and waits for those that run, `grace` milliseconds at most. */
  close(grace: number): Promise<void>
}

/**
 * Serves a metadata service as gRPC and, where asked for, as gRPC-Web.
 *
 * Throws `ZEN_SERVE_ADDRESS` where an address cannot be had, `ZEN_SERVE_TLS` for certificates that are none; nothing is open then.
 */
export async function serveMetadata(options: ServeOptions): Promise<MetadataServer> {
  const { service, host, port, web, token, tls, maxMessageSize, log } = options
  const endpoint: Endpoint = { service, guard: tokenGuard(token), maxMessageSize, tls, log }
  const grpc = await openGrpcPort(endpoint, host, port)
  const grpcWeb =
    web === undefined
      ? undefined
      : await openGrpcWebPort(endpoint, host, web.port, web.origins).catch(async (error: unknown) => {
          await grpc.close(0)
          throw error
        })
  return {
    port: grpc.port,
    webPort: grpcWeb?.port,
    async close(grace) {
      await Promise.all([grpc.close(grace), grpcWeb?.close(grace)])
    },
  }
}
