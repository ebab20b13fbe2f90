import { once } from 'node:events'
import { metadataService } from '../../metadata/api/service.ts'
import { openProject } from '../../project/open-project.ts'
import { serveMetadata } from '../../server/metadata/serve.ts'
import type { CommandFunction } from '../command.ts'
import { document } from '../report-error.ts'
import { serveOptions, warningsOf } from '../serve-options.ts'

/** How long running calls may take once the command is told to end, in milliseconds; orchestrators wait 30 seconds. */
const grace = 25_000

export const command: CommandFunction = async ({ cli, terminal, options, signal }) => {
  const given = await serveOptions(options, cli)
  await using project = await openProject(cli.directory, { environment: cli.environment })
  for (const warning of warningsOf(given)) terminal.note(terminal.colors.yellow(warning))
  const server = await serveMetadata({
    ...given,
    service: metadataService(project.metadata),
    log: (line) => terminal.note(line),
  })
  const { host, tls, token } = given
  const { port, webPort } = server
  // Printed once it answers, so that whoever started it knows when, and at which free ports.
  terminal.result(
    document({ host, port, grpcWebPort: webPort ?? null, tls: tls !== undefined, token: token !== undefined }),
    () =>
      [
        `Serving ${serviceAt(host, port)} as gRPC${tls === undefined ? '' : ' over TLS'}.`,
        ...(webPort === undefined ? [] : [`Serving ${serviceAt(host, webPort)} as gRPC-Web.`]),
      ].join('\n'),
  )
  if (!signal.aborted) await once(signal, 'abort')
  await server.close(grace)
  return 0
}

function serviceAt(host: string, port: number): string {
  return `the metadata store at ${host.includes(':') ? `[${host}]` : host}:${port}`
}
