import { ZenmlError } from '../../base/errors.ts'
import { didYouMean } from '../../base/nearest.ts'
import { openProject } from '../../project/open-project.ts'
import { openStatistics } from '../../project/open-statistics.ts'
import type { CommandFunction } from '../command.ts'
import { interruptible } from '../interruptible.ts'
import { printable, shortened } from '../printable.ts'
import { type SplitFacts, splitFacts, statisticsDocument } from '../statistics-document.ts'
import { number, table } from '../table.ts'

export const command: CommandFunction = async ({ cli, terminal, args, options, signal }) => {
  await using project = await openProject(cli.directory)
  const found = await interruptible(signal, openStatistics(project, args[0]!, signal))
  const splits = chosen(splitFacts(found), options['split'] as string | undefined)
  terminal.result(statisticsDocument(found, splits), () => {
    const parts = [...splits].map(([split, facts]) => splitText(split, facts, terminal.colors.bold))
    if (found.estimated.length > 0)
      parts.push(`Estimated: quantiles or counts of texts of ${found.estimated.map(printable).join(', ')}.`)
    return parts.join('\n\n')
  })
  return 0
}

function chosen(splits: ReadonlyMap<string, SplitFacts>, only: string | undefined): ReadonlyMap<string, SplitFacts> {
  if (only === undefined) return splits
  const facts = splits.get(only)
  if (facts !== undefined) return new Map([[only, facts]])
  throw new ZenmlError('ZEN_EXAMPLES_SPLIT', `There is no split "${only}".${didYouMean(only, splits.keys())}`, {
    next: `Take one of ${[...splits.keys()].join(', ')}.`,
  })
}

function splitText(split: string, { rows, features }: SplitFacts, bold: (text: string) => string): string {
  const parts = [`${bold(printable(split))}: ${rows} rows`]
  const numbers = features.filter(({ texts }) => texts === null)
  if (numbers.length > 0) {
    const cells = numbers.map(({ feature, kind, count, missing, numbers: facts }) => {
      const { mean, std, min, median, max, zeros, nan } = facts ?? {}
      const shown = [mean, std, min, median, max, zeros, nan].map((fact) => (fact === undefined ? '-' : number(fact)))
      return [shortened(feature, 40), kind, String(count), String(missing), ...shown]
    })
    const header = ['FEATURE', 'KIND', 'COUNT', 'MISSING', 'MEAN', 'STD', 'MIN', 'MEDIAN', 'MAX', 'ZEROS', 'NAN']
    parts.push(table(header, cells, bold))
  }
  const texts = features.filter((feature) => feature.texts !== null)
  if (texts.length > 0) {
    const cells = texts.map(({ feature, kind, count, missing, texts: facts }) => {
      const { unique, meanLength, topValues } = facts!
      const top = topValues.slice(0, 3).map(({ value, count }) => `${shortened(value, 20)} (${count})`)
      const shown = [unique, meanLength].map(number)
      return [shortened(feature, 40), kind, String(count), String(missing), ...shown, top.join(', ')]
    })
    parts.push(table(['FEATURE', 'KIND', 'COUNT', 'MISSING', 'UNIQUE', 'MEAN BYTES', 'TOP VALUES'], cells, bold))
  }
  return parts.join('\n\n')
}
