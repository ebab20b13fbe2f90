import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { type ArtifactType, artifactType } from '../model/artifact-type.ts'
import { jsonText, readVersion1 } from './json-file.ts'

/** How well a classifier does on some rows. */
export interface ClassificationReport {
  readonly kind: 'classification'
  readonly rows: number
  readonly accuracy: number
  /** Mean of -ln p of the true class; p not below 1e-15. */
  readonly logLoss: number
  /** Area under the ROC curve, one class against the others, ties counted half; the mean over the classes that have both sides, null where none has. */
  readonly rocAuc: number | null
  /** Area under the curve of precision by recall, in steps; the mean over the classes that have a row. Missing in evaluations before it was told. */
  readonly averagePrecision?: number | null
  /** By true class, then by predicted class. */
  readonly confusion: readonly (readonly number[])[]
  readonly classes: readonly {
    readonly name: string
    readonly precision: number | null
    readonly recall: number | null
    readonly f1: number | null
    readonly rocAuc: number | null
    readonly averagePrecision?: number | null
  }[]
  /** Ten bins of the highest probability: how sure the model was, and how often it was right. */
  readonly calibration: readonly { readonly rows: number; readonly confidence: number; readonly accuracy: number }[]
  /** Expected calibration error: |confidence - accuracy| weighted by rows. */
  readonly calibrationError: number
  /** What a class would be told by, if its probability had to reach a threshold: of two classes the second, unless another one was named. */
  readonly thresholds?: { readonly positive: string; readonly table: readonly ThresholdRow[] }
}

/** A class told where its probability is at least the threshold. What is divided by nothing is null. */
export interface ThresholdRow {
  readonly threshold: number
  readonly truePositives: number
  readonly falsePositives: number
  readonly falseNegatives: number
  readonly trueNegatives: number
  readonly precision: number | null
  readonly recall: number | null
  readonly f1: number | null
}

/** How well a model orders the rows of each query. */
export interface RankingReport {
  /** Feature whose values are the queries. */
  readonly query: string
  /** Queries with a relevant row, which the metrics are the means of. */
  readonly queries: number
  readonly queriesWithoutRelevant: number
  /** `map`, `mrr`, and by how many rows are looked at `ndcg@10` and `precision@10`; null without a query. */
  readonly metrics: { readonly [name: string]: number | null }
}

/** How well a regressor does on some rows. */
export interface RegressionReport {
  readonly kind: 'regression'
  readonly rows: number
  /** Mean absolute error. */
  readonly mae: number
  /** Root of the mean squared error. */
  readonly rmse: number
  /** 1 - squared error / variance of the label; null where the label does not vary. */
  readonly r2: number | null
  /** Mean of prediction - label. */
  readonly bias: number
  /** Groups of equal size by predicted value, ten or as many as there are rows: mean prediction and mean label. */
  readonly calibration: readonly { readonly rows: number; readonly predicted: number; readonly actual: number }[]
}

/** A report of either kind. */
export type Report = ClassificationReport | RegressionReport

/** How well a model does on a split, overall and by slice. */
export interface EvaluationData {
  readonly version: 1
  readonly split: string
  readonly overall: Report
  /** Where it was asked for. */
  readonly ranking?: RankingReport
  readonly slices: readonly { readonly feature: string; readonly value: string; readonly report: Report }[]
}

/** An evaluation as an artifact: `evaluation.json`. */
export const Evaluation: ArtifactType<'Evaluation', EvaluationData, EvaluationData> = /* @__PURE__ */ artifactType(
  'Evaluation',
  {
    save: async (evaluation: EvaluationData, directory: string) =>
      writeFile(join(directory, 'evaluation.json'), jsonText(evaluation, 'Evaluation')),
    load: async (directory: string) =>
      (await readVersion1(join(directory, 'evaluation.json'), directory, 'Evaluation')) as unknown as EvaluationData,
  },
  'mlmd.Metrics',
)
