import { ZenmlError } from '../base/errors.ts'
import { Sum } from '../base/sum.ts'
import type { ClassificationReport, RegressionReport } from '../formats/evaluation.ts'
import { scoreAreas, thresholdTable } from './evaluate-curves.ts'

const bins = 10
const smallest = 1e-15

/** Thresholds of a report that names none: 0.1 to 0.9. */
export const defaultThresholds: readonly number[] = [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]

/** What a report tells by threshold. */
export interface ThresholdOptions {
  /** Class whose probability has to reach the threshold. Default: of two classes the second, of more none. */
  readonly positive?: string
  /** Default 0.1 to 0.9. */
  readonly thresholds?: readonly number[]
}

/**
 * How well probabilities tell classes. `labels` holds a class index a row, `probabilities` a number a class, row after row.
 *
 * ROC AUC is the Mann-Whitney U statistic with ties counted half (Hanley and McNeil, 1982), the average precision that of scikit-learn, and the
 * calibration error ECE with ten bins
 * of equal width (Guo et al., 2017). Throws `ZEN_EVALUATE_NUMBERS` for a label that is no class, and for probabilities that are no numbers.
 *
 * @example
 * classificationReport([0, 1], [0.9, 0.1, 0.2, 0.8], ['cat', 'dog']).accuracy // 1
 */
export function classificationReport(
  labels: ArrayLike<number>,
  probabilities: ArrayLike<number>,
  classes: readonly string[],
  { positive: named, thresholds = defaultThresholds }: ThresholdOptions = {},
): ClassificationReport {
  const positive = named === undefined ? (classes.length === 2 ? 1 : -1) : classes.indexOf(named)
  const width = classes.length
  const rows = labels.length
  checkNumbers('probability', probabilities, rows, width)
  for (let row = 0; row < rows; row++) {
    if (Number.isInteger(labels[row]) && labels[row]! >= 0 && labels[row]! < width) continue
    throw wrong(`The label of row ${row} is ${labels[row]}, but there are ${width} classes.`, row)
  }
  const confusion = classes.map(() => new Array<number>(width).fill(0))
  const loss = new Sum()
  const binned = Array.from({ length: bins }, () => ({ rows: 0, right: 0, confidence: new Sum() }))
  let right = 0
  for (let row = 0; row < rows; row++) {
    let best = 0
    for (let index = 1; index < width; index++)
      if (probabilities[row * width + index]! > probabilities[row * width + best]!) best = index
    const label = labels[row]!
    const confidence = probabilities[row * width + best]!
    confusion[label]![best]!++
    if (best === label) right++
    loss.add(-Math.log(Math.max(smallest, probabilities[row * width + label]!)))
    const bin = binned[Math.min(bins - 1, Math.floor(confidence * bins))]!
    bin.rows++
    bin.confidence.add(confidence)
    if (best === label) bin.right++
  }
  const scoreOf = (index: number) => (row: number) => probabilities[row * width + index]!
  const perClass = classes.map((name, index) => {
    const found = confusion[index]![index]!
    const actual = confusion[index]!.reduce((a, b) => a + b, 0)
    const predicted = confusion.reduce((total, line) => total + line[index]!, 0)
    const precision = predicted === 0 ? null : found / predicted
    const recall = actual === 0 ? null : found / actual
    const f1 = predicted + actual === 0 ? null : (2 * found) / (predicted + actual)
    const areas = scoreAreas(rows, scoreOf(index), (row) => labels[row] === index)
    return { name, precision, recall, f1, ...areas }
  })
  const calibration = binned.map((bin) => ({
    rows: bin.rows,
    confidence: bin.rows === 0 ? 0 : bin.confidence.value() / bin.rows,
    accuracy: bin.rows === 0 ? 0 : bin.right / bin.rows,
  }))
  return {
    kind: 'classification',
    rows,
    accuracy: rows === 0 ? 0 : right / rows,
    logLoss: rows === 0 ? 0 : loss.value() / rows,
    rocAuc: meanOf(perClass.map(({ rocAuc }) => rocAuc)),
    averagePrecision: meanOf(perClass.map(({ averagePrecision }) => averagePrecision)),
    confusion,
    classes: perClass,
    calibration,
    calibrationError:
      rows === 0
        ? 0
        : calibration.reduce((total, bin) => total + (bin.rows / rows) * Math.abs(bin.confidence - bin.accuracy), 0),
    ...(positive === -1
      ? {}
      : {
          thresholds: {
            positive: classes[positive]!,
            table: thresholdTable(rows, scoreOf(positive), (row) => labels[row] === positive, thresholds),
          },
        }),
  }
}

function meanOf(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null)
  return known.length === 0 ? null : known.reduce((a, b) => a + b, 0) / known.length
}

/**
 * How well predictions meet numbers. Throws `ZEN_EVALUATE_NUMBERS` for a label or prediction that is not finite.
 *
 * @example
 * regressionReport([1, 2, 3], [1, 2, 5]).mae // 2 / 3
 */
export function regressionReport(labels: ArrayLike<number>, predictions: ArrayLike<number>): RegressionReport {
  const rows = labels.length
  checkNumbers('label', labels, rows, 1)
  checkNumbers('prediction', predictions, rows, 1)
  const [absolute, squared, bias, total, spread] = [new Sum(), new Sum(), new Sum(), new Sum(), new Sum()]
  for (let row = 0; row < rows; row++) {
    const error = predictions[row]! - labels[row]!
    absolute.add(Math.abs(error))
    squared.add(error * error)
    bias.add(error)
    total.add(labels[row]!)
  }
  const mean = rows === 0 ? 0 : total.value() / rows
  // Told by comparison: the mean of equal numbers may be another number, and then their spread is not 0.
  let varies = false
  for (let row = 0; row < rows; row++) {
    spread.add((labels[row]! - mean) ** 2)
    if (labels[row] !== labels[0]) varies = true
  }
  const order = Uint32Array.from({ length: rows }, (_, row) => row).sort(
    (a, b) => predictions[a]! - predictions[b]! || a - b,
  )
  const groups = Math.min(bins, rows)
  const calibration = Array.from({ length: groups }, (_, group) => {
    const from = Math.floor((group * rows) / groups)
    const to = Math.floor(((group + 1) * rows) / groups)
    const [predicted, actual] = [new Sum(), new Sum()]
    for (let index = from; index < to; index++) {
      predicted.add(predictions[order[index]!]!)
      actual.add(labels[order[index]!]!)
    }
    return { rows: to - from, predicted: predicted.value() / (to - from), actual: actual.value() / (to - from) }
  })
  return {
    kind: 'regression',
    rows,
    mae: rows === 0 ? 0 : absolute.value() / rows,
    rmse: rows === 0 ? 0 : Math.sqrt(squared.value() / rows),
    r2: !varies || spread.value() === 0 ? null : 1 - squared.value() / spread.value(),
    bias: rows === 0 ? 0 : bias.value() / rows,
    calibration,
  }
}

function checkNumbers(what: string, numbers: ArrayLike<number>, rows: number, width: number): void {
  if (numbers.length !== rows * width)
    throw wrong(`There are ${numbers.length} numbers of kind ${what} for ${rows} rows of ${width}.`, rows)
  for (let index = 0; index < numbers.length; index++) {
    if (Number.isFinite(numbers[index])) continue
    const row = Math.floor(index / width)
    throw wrong(`A ${what} of row ${row} is ${numbers[index]}, which is no finite number.`, row)
  }
}

function wrong(message: string, row: number): ZenmlError {
  return new ZenmlError('ZEN_EVALUATE_NUMBERS', message, {
    facts: { row },
    next: 'Look at what the model says for that row, and at the features of it.',
    exitCode: 1,
  })
}
