import { compareText } from '../../base/canonical.ts'
import { ZenmlError } from '../../base/errors.ts'
import { isJsonObject, type Json, type JsonObject } from '../../base/json.ts'
import type { FeatureKind } from '../../formats/batch.ts'
import { type FileContents, listTree } from '../../formats/file-tree.ts'
import { jsonText } from '../../formats/json-file.ts'
import { printSchema } from '../../formats/schema-proto.ts'
import type { SavedServing, ServingFeature } from '../../formats/serving.ts'
import type { TransformGraphData } from '../../formats/transform-graph.ts'
import type { LoadedModel, Schema } from '../../formats/types.ts'
import { onlyLabel, transformInputs } from '../transform.ts'
import { familyOf } from '../transforms/families.ts'
import { declarationsOf } from './declarations.ts'

/** What a folder for serving is made of. */
export interface ServingParts {
  readonly model: LoadedModel
  readonly transform: TransformGraphData
  readonly schema: Schema
  /** What a gate said, where there is one. */
  readonly verdict?: Json | undefined
  /** The code that serves: `predict.mjs`, `serve.mjs` and what they need beside them. */
  readonly code: { readonly [path: string]: FileContents }
  /** Versions of the packages whose code that is. */
  readonly packages: { readonly [name: string]: string }
}

/**
 * A model, its transform and schema with the code that serves them: what the `deploy` steps of all packages give.
 *
 * Throws `ZEN_DEPLOY_GATE` and `ZEN_DEPLOY_SCHEMA` as they do.
 *
 * @example
 * const folder = async (parts: Parameters<typeof servingFolder>[0]) => Object.keys((await servingFolder(parts)).files)
 */
export async function servingFolder(parts: ServingParts): Promise<SavedServing> {
  const { model, transform, schema, verdict, code, packages } = parts
  checkVerdict(verdict)
  const label = onlyLabel(transform)
  const inputs = transformInputs(transform)
  const features = inputs.map((name) => featureOf(name, transform, schema))
  const manifest = {
    model: { format: model.format, metadata: model.metadata },
    label: label.name,
    classes: label.transform.kind === 'class' ? label.transform.classes : null,
    drops: transform.features.some(({ missing }) => missing === 'drop'),
    features,
    unused: (schema.feature ?? [])
      .map(({ name = '' }) => name)
      .filter((name) => !inputs.includes(name))
      .sort(compareText),
    packages,
  }
  const files: { [path: string]: FileContents } = {
    ...code,
    'predict.d.mts': declarationsOf(manifest),
    'schema/schema.pbtxt': printSchema(schema),
    'transform/transform.json': jsonText(transform, 'TransformGraph'),
    'model/model.json': `${jsonText({ format: model.format, metadata: model.metadata }, 'Model')}\n`,
    // Node takes the folder for a package of its own, whatever lies above it.
    'package.json': `${jsonText({ name: 'serving', private: true, type: 'module', engines: { node: '>=20.19' } }, 'Serving')}\n`,
  }
  for (const path of await listTree(model.directory, { linked: true }))
    files[`model/files/${path}`] = await model.read(path)
  return { manifest, files }
}

/** A model that did not pass is not put where it answers, also where the gate only marked it. */
function checkVerdict(verdict: Json | undefined): void {
  if (verdict === undefined) return
  const said = isJsonObject(verdict as JsonObject) ? (verdict as JsonObject)['passed'] : undefined
  if (said === true) return
  throw new ZenmlError(
    'ZEN_DEPLOY_GATE',
    said === false ? 'The model did not pass the gate.' : 'The input "verdict" is not what a gate says.',
    { next: 'Improve the model, or change the limits of the gate knowingly.', exitCode: 1 },
  )
}

const kinds: { readonly [type: string]: FeatureKind } = { INT: 'int', FLOAT: 'float', BYTES: 'bytes' }

function featureOf(name: string, transform: TransformGraphData, schema: Schema): ServingFeature {
  const type = schema.feature?.find((feature) => feature.name === name)?.type
  const kind = kinds[type ?? '']
  if (kind === undefined)
    throw new ZenmlError(
      'ZEN_DEPLOY_SCHEMA',
      `The transform looks at "${name}", ${type === undefined ? 'which the schema does not have' : `whose type in the schema is ${type}`}.`,
      {
        facts: { feature: name },
        next: 'Give the schema of the examples that the transform was fitted on.',
        exitCode: 1,
      },
    )
  const users = transform.features.filter((fitted) =>
    fitted.transform.kind === 'pca' ? fitted.transform.inputs.includes(name) : fitted.name === name,
  )
  for (const fitted of users) {
    const { takes } = familyOf(fitted.transform.kind)
    if (takes !== 'words' && (takes === 'images') !== (kind === 'bytes'))
      throw new ZenmlError(
        'ZEN_DEPLOY_SCHEMA',
        `The transform takes "${name}" as ${takes}, but its type in the schema is ${type}.`,
        {
          facts: { feature: name },
          next: 'Give the schema of the examples that the transform was fitted on.',
          exitCode: 1,
        },
      )
  }
  return {
    name,
    kind,
    required: users.some(({ missing }) => missing === 'error'),
    several: users.some(
      ({ transform: { kind: own }, values = 1 }) => values > 1 || (familyOf(own).per === 'row' && own !== 'pca'),
    ),
  }
}
