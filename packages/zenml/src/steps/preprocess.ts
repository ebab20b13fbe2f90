import * as z from 'zod'
import type { Defaulted } from '../base/defaulted.ts'
import { type Step, step } from '../define/step.ts'
import { Examples } from '../formats/examples.ts'
import { TransformGraph } from '../formats/transform-graph.ts'
import { fitTransform } from './fit-transform.ts'
import { type FeatureRequest, featureRequest } from './transforms/requests.ts'

/** Parameters of `preprocess`. */
export interface PreprocessParameters {
  /** Feature that the model is to tell. Either this or `labels` is given. */
  label?: string | undefined
  /** Several of them, the first as `label` would be. */
  labels?: string[] | undefined
  /** Whether the labels' values are classes or amounts. Default: texts are classes, numbers are amounts. */
  task?: 'classification' | 'regression' | undefined
  /**
   * Features by name with their transforms, or a list of those that have the default: z-score for numbers and one-hot for texts. Default: all but
   * the labels, with the default.
   */
  features?: string[] | { [name: string]: FeatureRequest } | undefined
  /** Features that have another transform than the default, and new ones that are made of several (pca). Not beside `features` by name. */
  overwrite: { [name: string]: FeatureRequest }
  /** Features to leave out where `features` is not given. */
  exclude: string[]
  /** Split that is fitted on. Default train. */
  split: string
}

/** Parameters of `preprocess` as one writes them. */
export type PreprocessInput = Defaulted<Omit<PreprocessParameters, 'label' | 'labels'>> &
  ({ label: string; labels?: undefined } | { labels: string[]; label?: undefined })

const requests = z.record(z.string(), featureRequest)

const parameters: z.ZodType<PreprocessParameters, PreprocessInput> = z
  .strictObject({
    label: z.string().optional(),
    labels: z.array(z.string()).min(1).optional(),
    task: z.enum(['classification', 'regression']).optional(),
    features: z
      .union([z.array(z.string()).min(1), requests], {
        // Which of both is meant is plain, so that its own problem is told.
        error: ({ input, code, ...issue }) =>
          code === 'invalid_union' && !Array.isArray(input)
            ? problemsOf((issue as { errors?: Issue[][] }).errors?.[1])
            : undefined,
      })
      .optional(),
    overwrite: requests.default({}),
    exclude: z.array(z.string()).default([]),
    split: z.string().default('train'),
  })
  .refine(({ label, labels }) => (label === undefined) !== (labels === undefined), 'give "label" or "labels"')
  .refine(
    ({ labels }) => labels === undefined || new Set(labels).size === labels.length,
    'a label stands twice',
  ) as z.ZodType<PreprocessParameters, PreprocessInput>

interface Issue {
  readonly path: readonly PropertyKey[]
  readonly message: string
}

function problemsOf(issues: readonly Issue[] | undefined): string | undefined {
  return issues?.map(({ path, message }) => `${path.map(String).join('.')}: ${message}`).join('; ')
}

/**
 * Fits how each feature becomes numbers, on the train split only. The fitted transform is one artifact that training, evaluation and
 * serving apply alike. Rows without a label count as well; NaN is missing. Numbers are learned of in fixed blocks and words in bounded
 * memory, so that neither batches nor workers change a bit.
 *
 * Throws `ZEN_PREPROCESS_FEATURE` where a feature is not there, is the label, has no value or an infinite one, or does not fit its transform, and
 * where the label tells nothing.
 *
 * @example
 * const { transform } = preprocess(
 *   { examples: parts },
 *   { label: 'Species', overwrite: { Notes: { transform: 'tfidf', sizes: [1, 2], maxWords: 500 } } },
 * )
 */
export const preprocess: Step<
  { readonly examples: typeof Examples },
  { readonly transform: typeof TransformGraph },
  typeof parameters
> = step({
  name: 'preprocess',
  description: 'Fits how features become numbers, on the train split.',
  inputs: { examples: Examples },
  outputs: { transform: TransformGraph },
  parameters,
  run: async ({ inputs: { examples }, parameters: asked, context }) => ({
    transform: await fitTransform(examples, asked, context.signal),
  }),
})
