import { relative, resolve } from 'node:path'
import { openProject } from '../../project/open-project.ts'
import { openSnapshot } from '../../project/open-snapshot.ts'
import { exportParquet } from '../../sources/export-parquet.ts'
import type { CommandFunction } from '../command.ts'
import { interruptible } from '../interruptible.ts'
import { document } from '../report-error.ts'
import { table } from '../table.ts'

export const command: CommandFunction = async ({ cli, terminal, args, signal }) => {
  await using project = await openProject(cli.directory)
  await using snapshot = await openSnapshot(project, args[0]!)
  const { digest, examples } = snapshot
  const name = `${digest.slice('sha256:'.length, 'sha256:'.length + 12)}-parquet`
  const directory = resolve(cli.directory, args[1] ?? name)
  const metadata = { 'zenml.snapshot': digest }
  const splits = await interruptible(signal, exportParquet(examples, directory, { metadata, signal }))
  terminal.result(document({ artifact: digest, format: 'parquet', directory, splits: { ...splits } }), () => {
    const lines = Object.entries(splits).map(([split, { rows, files, digest }]) => [
      split,
      String(rows),
      String(files.length),
      digest,
    ])
    const shown = table(['SPLIT', 'ROWS', 'FILES', 'DIGEST OF THE ROWS'], lines, terminal.colors.bold)
    return `${shown}\n\nWritten to ${relative(cli.directory, directory) || '.'} and read back: the rows are the same.`
  })
  return 0
}
