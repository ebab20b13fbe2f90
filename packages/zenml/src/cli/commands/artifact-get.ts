import { ZenmlError } from '../../base/errors.ts'
import { openProject } from '../../project/open-project.ts'
import type { CommandFunction } from '../command.ts'
import { document } from '../report-error.ts'
import { bytes, shortDigest, table } from '../table.ts'

export const command: CommandFunction = async ({ cli, terminal, args }) => {
  await using project = await openProject(cli.directory)
  const digest = await project.records.resolveArtifact(args[0]!)
  const artifact = (await project.records.getArtifact(digest))!
  const manifest = await project.artifacts.manifest(digest)
  if (manifest === undefined) {
    throw new ZenmlError('ZEN_ARTIFACT_MISSING', `${digest} is known, but its manifest is not in the artifact store.`, {
      next: 'Run its pipeline again to make it anew.',
      exitCode: 1,
    })
  }
  terminal.result(document({ ...artifact, files: manifest.files }), () => {
    const { type, uri, size, producer, properties } = artifact
    const facts = [
      ['artifact', digest],
      ['type', type],
      ['size', bytes(size)],
      ['uri', uri],
      ['made by', producer === null ? 'unknown' : `${producer.run}/${producer.step}.${producer.output}`],
      ...Object.entries(properties).map(([name, value]) => [
        name,
        typeof value === 'string' ? value : JSON.stringify(value),
      ]),
    ]
    const files = manifest.files.map((file) => [file.path, bytes(file.size), shortDigest(file.digest)])
    return [
      table(['FACT', 'VALUE'], facts, terminal.colors.bold),
      table(['FILE', 'SIZE', 'DIGEST'], files, terminal.colors.bold),
    ].join('\n\n')
  })
  return 0
}
