import type { Json, JsonObject } from '../../base/json.ts'
import type { ExampleObject, ExampleValue } from '../../formats/examples-reader.ts'
import { sampleExamples } from '../../formats/sample-examples.ts'
import { openProject } from '../../project/open-project.ts'
import { openSnapshot } from '../../project/open-snapshot.ts'
import type { CommandFunction } from '../command.ts'
import { interruptible } from '../interruptible.ts'
import { numberInJson, printable } from '../printable.ts'
import { document } from '../report-error.ts'
import { number, table } from '../table.ts'
import { wholeNumber } from '../whole-number.ts'

export const command: CommandFunction = async ({ cli, terminal, args, options, signal }) => {
  const rows = wholeNumber(options, 'rows', 10, 1, 10_000)
  const seed = wholeNumber(options, 'seed', 0, 0, 2_147_483_647)
  const split = options['split'] as string | undefined
  await using project = await openProject(cli.directory)
  await using snapshot = await openSnapshot(project, args[0]!)
  const { digest, examples } = snapshot
  const sample = await interruptible(signal, sampleExamples(examples, { rows, seed, split, signal }))
  terminal.result(
    document({
      artifact: digest,
      seed,
      features: Object.fromEntries(examples.features),
      rows: sample.map(({ split, row, values }) => ({ split, row, values: valuesInJson(values) })),
    }),
    () =>
      table(
        ['SPLIT', 'ROW', ...examples.features.keys()].map(printable),
        sample.map(({ split, row, values }) => [
          split,
          String(row),
          ...[...examples.features.keys()].map((feature) => cell(values[feature]!)),
        ]),
        terminal.colors.bold,
      ),
  )
  return 0
}

function valuesInJson(values: ExampleObject): JsonObject {
  return Object.fromEntries(
    Object.entries(values).map(([feature, value]): [string, Json] => [
      feature,
      value === null ? null : isList(value) ? value.map(valueInJson) : valueInJson(value),
    ]),
  )
}

/** What JSON has no number for is a text, as in the JSON form of protocol buffers; bytes that are no text are base64. */
function valueInJson(value: ExampleValue): Json {
  if (typeof value === 'string') return value
  if (value instanceof Uint8Array) return { base64: Buffer.from(value).toString('base64') }
  return typeof value === 'number' ? numberInJson(value) : String(value)
}

const widest = 40

function cell(value: ExampleObject[string]): string {
  if (value === null) return '-'
  const text = isList(value) ? `[${value.slice(0, widest).map(textOf).join(', ')}]` : textOf(value)
  return text.length > widest ? `${text.slice(0, widest - 1)}…` : text
}

function textOf(value: ExampleValue): string {
  if (value instanceof Uint8Array) return `${value.length} bytes`
  return typeof value === 'number' ? number(value) : printable(String(value))
}

function isList(value: NonNullable<ExampleObject[string]>): value is readonly ExampleValue[] {
  return Array.isArray(value)
}
