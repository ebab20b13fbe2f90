import type { ServingFeature, ServingManifest } from '../../formats/serving.ts'

const types = {
  int: 'number | bigint | boolean',
  float: 'number',
  bytes: 'string | Uint8Array | { readonly b64: string }',
}

/** The TypeScript declarations of `predict.mjs` for a model: its features, and what it tells. */
export function declarationsOf({
  label,
  classes,
  drops,
  features,
  unused,
}: Pick<ServingManifest, 'label' | 'classes' | 'drops' | 'features' | 'unused'>): string {
  const prediction =
    classes === null
      ? 'readonly prediction: number'
      : `readonly prediction: (typeof classes)[number]\n  /** In the order of the classes. */\n  readonly probabilities: readonly number[]`
  return `/** What the model looks at; what is left out or null is a missing value. */
export interface Row {
${[...features.map(property), ...unused.map((name) => `  /** Not looked at. */\n  readonly ${quoted(name)}?: unknown\n`)].join('')}}

/** What the model says of a row. */
export interface Prediction {
  /** ${comment(label)} */
  ${prediction}
}

/** ${classes === null ? 'The label is a number.' : 'The classes, in the order of the probabilities.'} */
export declare const classes: ${classes === null ? 'null' : `readonly [${classes.map(quoted).join(', ')}]`}

/**
 * Predicts rows: one answer each, in their order${drops ? '; null for a row that lacks what the model cannot do without' : ''}. The answer of a row is the same whichever rows it comes with.
 *
 * Throws an error with a \`code\` that begins with \`ZEN_\` for rows that do not fit.
 */
export declare function predict(rows: readonly Row[]): Promise<readonly ${drops ? '(Prediction | null)' : 'Prediction'}[]>
`
}

function property({ name, kind, required, several }: ServingFeature): string {
  const type = several ? `${types[kind]} | readonly (${types[kind]})[]` : types[kind]
  return `  readonly ${quoted(name)}${required ? '' : '?'}: ${type}${required ? '' : ' | null | undefined'}\n`
}

function quoted(text: string): string {
  // U+2028 and U+2029 end a line for some readers of the language.
  return JSON.stringify(text).replaceAll('\u2028', '\\u2028').replaceAll('\u2029', '\\u2029')
}

/** A text that cannot end the comment it is in. */
function comment(text: string): string {
  return text.replaceAll(/[\r\n\u2028\u2029]/g, ' ').replaceAll('*/', '* /')
}
