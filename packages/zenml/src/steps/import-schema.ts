import { ZenmlError } from '../base/errors.ts'
import { type noParameters, Source, type SourcePort, type Step, step } from '../define/step.ts'
import { readSchema } from '../formats/schema-proto.ts'
import { Schema } from '../formats/types.ts'

/**
 * Reads a schema that is kept as a file, such as one that `zenml datasource schema --write` made and a person edited and committed. The
 * content of the file is part of what identifies the step: an edit makes what rests on the schema run again.
 *
 * Throws `ZEN_SCHEMA_SOURCE` for a datasource that is not one file of the format `pbtxt`, and `ZEN_SCHEMA_TEXT` with all that is wrong in it.
 *
 * @example
 * const { schema } = importSchema({ source: datasource('birds-schema', { path: 'schemas/birds.pbtxt' }) })
 * validate({ statistics: facts, schema }, { failOn: 'ERROR' })
 */
export const importSchema: Step<
  { readonly source: SourcePort },
  { readonly schema: typeof Schema },
  typeof noParameters
> = step({
  name: 'importSchema',
  description: 'Reads a schema from a pbtxt file.',
  inputs: { source: Source },
  outputs: { schema: Schema },
  run: async ({ inputs: { source } }) => {
    const [file, ...others] = source.files
    if (source.format !== 'pbtxt' || file === undefined || others.length > 0)
      throw new ZenmlError(
        'ZEN_SCHEMA_SOURCE',
        `importSchema takes one file of the format pbtxt, not ${source.files.length} of ${source.format}.`,
        { facts: { format: source.format, files: source.files.length }, exitCode: 1 },
      )
    return { schema: await readSchema(file.path, file.name) }
  },
})
