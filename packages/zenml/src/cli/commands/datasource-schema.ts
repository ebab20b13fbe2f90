import { resolve } from 'node:path'
import { ZenmlError } from '../../base/errors.ts'
import { printSchema } from '../../formats/schema-proto.ts'
import { openProject } from '../../project/open-project.ts'
import { openSchema } from '../../project/open-statistics.ts'
import { type PinnedSchema, pinSchema } from '../../project/pin-schema.ts'
import type { CommandFunction } from '../command.ts'
import { interruptible } from '../interruptible.ts'
import { printableLines } from '../printable.ts'
import { wholeNumber } from '../whole-number.ts'

export const command: CommandFunction = async ({ cli, terminal, args, options, signal }) => {
  const split = options['split'] as string | undefined
  const file = options['write'] as string | undefined
  const force = options['force'] === true
  const maxDomain = wholeNumber(options, 'max-domain', 100, 0, 1_000_000)
  if (force && file === undefined) throw new ZenmlError('ZEN_USAGE', '--force goes with --write FILE.')
  await using project = await openProject(cli.directory)
  const found = await interruptible(signal, openSchema(project, args[0]!, { split, maxDomain, signal }))
  const { digest, type, schema } = found
  const text = printSchema(schema)
  if (file === undefined) {
    terminal.result({ artifact: digest, type, schema: text, file: null }, () => text.trimEnd())
    return 0
  }
  const pinned = await pinSchema(project.root, resolve(cli.directory, file), schema, { force })
  if (pinned.kind === 'differs') throw differs(pinned)
  const { kind, path } = pinned
  const difference = kind === 'written' ? pinned.difference : null
  terminal.result({ artifact: digest, type, schema: text, file: { path, outcome: kind, difference } }, () => {
    if (kind === 'same') return `${path} says the same already.`
    if (difference === null)
      return `${path} written. Commit it, and read it in a pipeline with zenml/steps#importSchema.`
    return `${printableLines(difference)}\n\n${path} replaced.`
  })
  return 0
}

function differs({ path, difference }: Extract<PinnedSchema, { readonly kind: 'differs' }>): ZenmlError {
  return new ZenmlError(
    'ZEN_SCHEMA_DIFFERS',
    `${path} says something else than the schema of the data, and may have been edited:\n${printableLines(difference)}\n`,
    { facts: { file: path, difference }, next: 'Edit it, or replace it with --force.', exitCode: 1 },
  )
}
