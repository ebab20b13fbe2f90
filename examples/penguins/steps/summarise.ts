import { readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ArtifactType, artifactType, type Step, step } from 'zenml'
import { Evaluation, Schema } from 'zenml/formats'
import * as z from 'zod'

/** A text for people, as an artifact type of one's own: how it becomes a file, and back. */
export const Markdown: ArtifactType<'Markdown', string, string> = artifactType('Markdown', {
  save: (text: string, directory: string) => writeFile(join(directory, 'report.md'), text),
  load: (directory: string) => readFile(join(directory, 'report.md'), 'utf8'),
})

const parameters: z.ZodType<{ title: string }, { title?: string | undefined }> = z.strictObject({
  title: z.string().default('Penguins'),
})

/** Writes down in a few lines how well the model does. */
export const summarise: Step<
  { readonly evaluation: typeof Evaluation; readonly schema: typeof Schema },
  { readonly report: typeof Markdown },
  typeof parameters
> = step({
  name: 'summarise',
  description: 'Writes a short report of an evaluation.',
  inputs: { evaluation: Evaluation, schema: Schema },
  outputs: { report: Markdown },
  parameters,
  run: ({ inputs: { evaluation, schema }, parameters: { title } }) => {
    const { overall, slices } = evaluation
    if (overall.kind !== 'classification') throw new Error('this report is for classifiers')
    const lines = [
      `# ${title}`,
      '',
      `${overall.rows} rows of split ${evaluation.split}, ${schema.feature?.length ?? 0} features: accuracy ${overall.accuracy.toFixed(3)}.`,
      '',
      ...slices.map(
        ({ feature, value, report }) =>
          `- ${feature} = ${value}: ${report.rows} rows${report.kind === 'classification' ? `, accuracy ${report.accuracy.toFixed(3)}` : ''}`,
      ),
    ]
    return { report: `${lines.join('\n')}\n` }
  },
})
