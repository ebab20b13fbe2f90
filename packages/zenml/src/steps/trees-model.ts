import { ZenmlError } from '../base/errors.ts'
import { isJsonObject } from '../base/json.ts'
import type { TransformGraphData } from '../formats/transform-graph.ts'
import type { LoadedModel, SavedModel } from '../formats/types.ts'
import { softmax } from './linear-model.ts'
import type { Predictor } from './predictor.ts'
import { transformDigest } from './transform.ts'

/** The name of the format in a model artifact. */
export const treesFormat = 'zenml-trees'

/** A decision tree, node by node; the root is node 0. */
export interface Tree {
  /** Number of the row that the node looks at; -1 in a leaf. */
  readonly feature: readonly number[]
  /** Rows below it go left, all others right. */
  readonly threshold: readonly number[]
  readonly left: readonly number[]
  readonly right: readonly number[]
  /** What a leaf adds to the score; 0 elsewhere. */
  readonly value: readonly number[]
}

/** Boosted trees: a score for each output is `base` and what its tree of each round adds. */
export interface TreeEnsemble {
  readonly width: number
  readonly classes: readonly string[] | null
  readonly base: readonly number[]
  /** Round by round, a tree for each output. */
  readonly rounds: readonly (readonly Tree[])[]
}

/** An ensemble as an artifact: `trees.json`. */
export function saveTrees(ensemble: TreeEnsemble, transform: TransformGraphData): SavedModel {
  const { width, classes, rounds } = ensemble
  return {
    format: treesFormat,
    metadata: {
      label: transform.label.name,
      classes,
      inputs: width,
      rounds: rounds.length,
      transform: transformDigest(transform),
    },
    files: { 'trees.json': Buffer.from(`${JSON.stringify({ version: 1, ...ensemble })}\n`) },
  }
}

/** Makes a predictor of an ensemble. Throws `ZEN_ARTIFACT_FORMAT` where the file does not hold one. */
export async function loadTrees(model: LoadedModel): Promise<Predictor> {
  const said: unknown = JSON.parse(Buffer.from(await model.read('trees.json')).toString('utf8'))
  if (!isEnsemble(said))
    throw new ZenmlError('ZEN_ARTIFACT_FORMAT', `${model.directory}/trees.json holds no ensemble of trees.`, {
      next: 'Check the artifact, or train it again.',
      exitCode: 1,
    })
  return treesPredictor(said)
}

function isEnsemble(said: unknown): said is TreeEnsemble {
  if (!isJsonObject(said) || said['version'] !== 1) return false
  const { width, classes, base, rounds } = said as unknown as TreeEnsemble
  const outputs = classes?.length ?? 1
  if (!Number.isInteger(width) || !Array.isArray(base) || base.length !== outputs || !Array.isArray(rounds))
    return false
  return rounds.every((trees) => trees.length === outputs && trees.every((tree: Tree) => isTree(tree, width)))
}

/** Each node leads to later ones, so that no walk goes round. */
function isTree({ feature, threshold, left, right, value }: Tree, width: number): boolean {
  const nodes = feature.length
  const follows = (child: number, node: number): boolean => Number.isInteger(child) && child > node && child < nodes
  return (
    nodes > 0 &&
    [threshold, left, right, value].every((list) => list.length === nodes) &&
    feature.every((one, node) =>
      one === -1
        ? Number.isFinite(value[node])
        : Number.isInteger(one) && one >= 0 && one < width && follows(left[node]!, node) && follows(right[node]!, node),
    )
  )
}

/** What an ensemble says: the number itself, or softmax over the classes. */
export function treesPredictor({ width, classes, base, rounds }: TreeEnsemble): Predictor {
  const outputs = classes?.length ?? 1
  const scores = new Float64Array(outputs)
  return {
    width,
    outputs,
    classes,
    predict({ rows, features }) {
      const given = new Float32Array(rows * outputs)
      for (let row = 0; row < rows; row++) {
        for (let output = 0; output < outputs; output++) {
          let score = base[output]!
          for (const trees of rounds) score += leafOf(trees[output]!, features, row * width)
          scores[output] = score
        }
        if (classes !== null) softmax(scores)
        given.set(scores, row * outputs)
      }
      return given
    },
  }
}

function leafOf(tree: Tree, features: Float32Array, at: number): number {
  let node = 0
  while (tree.feature[node]! >= 0)
    node = features[at + tree.feature[node]!]! < tree.threshold[node]! ? tree.left[node]! : tree.right[node]!
  return tree.value[node]!
}
