import { compareText } from '../base/canonical.ts'
import { didYouMean } from '../base/nearest.ts'
import { type Column, type FeatureKind, rowEnd, rowStart } from '../formats/batch.ts'
import type { ExamplesReader } from '../formats/examples.ts'
import type { FeatureTransform, TransformGraphData } from '../formats/transform-graph.ts'
import { LabelFit } from './fit-labels.ts'
import type { PreprocessParameters } from './preprocess.ts'
import { familyOf } from './transforms/families.ts'
import { type Fit, unfit } from './transforms/family.ts'
import type { FeatureRequest } from './transforms/requests.ts'

interface Asked {
  readonly name: string
  readonly inputs: readonly string[]
  readonly request: FeatureRequest
}

/** Fits a transform on a split, in one pass, or two where a feature needs it. */
export async function fitTransform(
  examples: ExamplesReader,
  parameters: PreprocessParameters,
  signal: AbortSignal,
): Promise<TransformGraphData> {
  const { label, labels = [label!], task, split } = parameters
  const kinds = examples.features
  checkNames(kinds, labels, parameters)
  if (!examples.splits.includes(split))
    throw unfit(
      `There is no split "${split}"; the examples have ${examples.splits.join(', ')}.`,
      'Name one with "split".',
    )
  const asked = requestsOf(kinds, labels, parameters)
  if (asked.length === 0) throw unfit('No feature is left beside the label.')
  for (const { inputs, request } of asked) {
    for (const input of inputs) {
      // It would be told by itself in evaluation, and be missing wherever the model is asked.
      if (labels.includes(input)) throw unfit(`"${input}" is the label, and cannot be a feature as well.`)
      checkKind(input, kinds.get(input)!, request)
    }
  }
  const fits = asked.map(({ name, inputs, request }) => ({
    name,
    inputs,
    request,
    fit: familyOf(request.transform).fit(request, { name, values: valuesOf(request), split }) as Fit<FeatureTransform>,
  }))
  const labelFits = labels.map((name) => new LabelFit(name, kinds.get(name)!, task, split))
  const mostValues = new Map<string, number>()
  for (const pass of [0, 1] as const) {
    const parts = fits.filter(({ fit }) => fit.passes > pass)
    if (parts.length === 0) continue
    const columns = [...new Set([...(pass === 0 ? labels : []), ...parts.flatMap(({ inputs }) => inputs)])]
    for await (const batch of examples.read(split, { columns, signal })) {
      if (pass === 0) {
        for (const fit of labelFits) fit.see(batch)
        for (const { name, inputs, request } of parts) {
          const column = batch.columns.get(inputs[0]!)
          if (column !== undefined && familyOf(request.transform).per === 'value')
            mostValues.set(name, Math.max(mostValues.get(name) ?? 0, valuesAtMost(column, batch.length)))
        }
      }
      for (const { inputs, fit } of parts)
        fit.see(
          inputs.map((input) => batch.columns.get(input)),
          batch.length,
          pass,
        )
    }
    const empty = fits.filter(({ fit }) => !fit.hasValues).map(({ name }) => name)
    if (empty.length > 0)
      throw unfit(
        `${empty.length === 1 ? 'A feature has' : 'Some features have'} no value in split "${split}": ${empty.join(', ')}.`,
        'Leave out what is empty, for example with "exclude".',
      )
  }
  for (const { name, request } of fits) {
    const [given, counted] = [mostValues.get(name) ?? 0, valuesOf(request)]
    const which = counted === 1 ? 'first counts' : `first ${counted} count`
    if (given > counted) console.warn(`"${name}" has up to ${given} values a row, of which the ${which} ("values")`)
  }
  const [first, ...others] = labelFits.map((fit) => fit.finish())
  return {
    version: 2,
    features: fits.map(({ name, request, fit }) => {
      const missing = request.missing ?? (request.transform === 'image' ? 'error' : 'fill')
      const values = valuesOf(request)
      return {
        name,
        transform: fit.finish(),
        ...(values > 1 ? { values } : {}),
        ...(missing === 'fill' ? {} : { missing }),
      }
    }),
    label: first!,
    ...(others.length > 0 ? { otherLabels: others } : {}),
  }
}

/** The most values that a row has. */
function valuesAtMost(column: Column, rows: number): number {
  if (column.offsets === undefined) return 1
  let most = 0
  for (let row = 0; row < rows; row++) most = Math.max(most, rowEnd(column, row) - rowStart(column, row))
  return most
}

function valuesOf(request: FeatureRequest): number {
  return ('values' in request ? request.values : undefined) ?? 1
}

/** Every feature with its transform, sorted by name. */
function requestsOf(
  kinds: ReadonlyMap<string, FeatureKind>,
  labels: readonly string[],
  { features, overwrite, exclude }: PreprocessParameters,
): Asked[] {
  const asked = new Map<string, FeatureRequest>()
  const byName = features === undefined || Array.isArray(features) ? overwrite : features
  const used = new Set(Object.values(byName).flatMap((given) => (given.transform === 'pca' ? given.features : [])))
  const names = Array.isArray(features)
    ? features
    : features === undefined
      ? [...kinds.keys()].filter((name) => !labels.includes(name) && !exclude.includes(name) && !used.has(name))
      : []
  for (const name of names)
    asked.set(name, kinds.get(name) === 'bytes' ? { transform: 'onehot' } : { transform: 'zscore' })
  for (const [name, given] of Object.entries(byName)) {
    // What is made of others, and what the default only left out as a part of them, may be added.
    if (
      features === byName ||
      given.transform === 'pca' ||
      asked.has(name) ||
      (features === undefined && used.has(name))
    )
      asked.set(name, given)
    else throw unfit(`"overwrite" names "${name}", which is not among the features.`)
  }
  return [...asked]
    .map(([name, given]) => ({ name, inputs: given.transform === 'pca' ? given.features : [name], request: given }))
    .sort((a, b) => compareText(a.name, b.name))
}

/** A name that is written wrong must not leave out nothing, or the wrong thing. */
function checkNames(
  kinds: ReadonlyMap<string, FeatureKind>,
  labels: readonly string[],
  { features, overwrite, exclude }: PreprocessParameters,
): void {
  const check = (what: string, name: string): void => {
    if (kinds.has(name)) return
    const known = [...kinds.keys()]
    throw unfit(`${what} "${name}" is not there; the examples have ${known.join(', ')}.${didYouMean(name, known)}`)
  }
  for (const label of labels) check('The label', label)
  const byName = features === undefined || Array.isArray(features) ? overwrite : features
  if (Array.isArray(features)) for (const name of features) check('The feature', name)
  for (const [name, request] of Object.entries(byName)) {
    if (request.transform !== 'pca') check('The feature', name)
    else if (kinds.has(name)) throw unfit(`"${name}" is a feature of the examples; what pca makes needs another name.`)
    else for (const input of request.features) check('The feature', input)
  }
  for (const name of exclude) check('The excluded feature', name)
  if (features !== undefined && exclude.length > 0)
    throw unfit('"exclude" is for the default features, but "features" is given.', 'Give one of both.')
  if (byName === features && Object.keys(overwrite).length > 0)
    throw unfit('"overwrite" changes the default, but "features" says all transforms.', 'Give one of both.')
}

function checkKind(name: string, kind: FeatureKind, { transform }: FeatureRequest): void {
  const { takes } = familyOf(transform)
  if (takes === 'numbers' && kind === 'bytes')
    throw unfit(
      `The feature "${name}" is text, but ${transform} takes numbers.`,
      'Use onehot or vocabulary, or give its column the type int or float in the datasource.',
    )
  if (takes === 'images' && kind !== 'bytes')
    throw unfit(`The feature "${name}" holds numbers, but ${transform} takes the bytes of JPEG or PNG files.`)
}
