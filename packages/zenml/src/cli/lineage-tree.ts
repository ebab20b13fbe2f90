import type { Digest } from '../base/digest.ts'
import type { Lineage } from '../metadata/lineage.ts'
import { bytes, shortDigest } from './table.ts'

interface Alike {
  readonly step: string
  readonly source: string
  readonly runs: string[]
  readonly edges: Lineage['edges']
}

function runsText(runs: readonly string[]): string {
  const shown = runs.slice(0, 3).map((run) => run.slice(0, 6))
  const rest = runs.length - shown.length
  return `${runs.length === 1 ? 'run' : 'runs'} ${shown.join(', ')}${rest > 0 ? ` and ${rest} more` : ''}`
}

type Colors = { bold(text: string): string; dim(text: string): string }

/** Lineage as trees: what an artifact was made from, and what was made from it. An artifact that stands a second time is not opened again. */
export function lineageTree(
  digest: Digest,
  lineage: Lineage,
  direction: 'up' | 'down' | 'both',
  { bold, dim }: Colors,
): string {
  const artifacts = new Map(lineage.artifacts.map((artifact) => [artifact.digest, artifact]))
  const executions = new Map(lineage.executions.map((execution) => [execution.id, execution]))

  function nameOf(artifact: Digest): string {
    const found = artifacts.get(artifact)
    if (found === undefined) return shortDigest(artifact)
    const made = found.producer === null ? '' : `${found.producer.step}.${found.producer.output}  `
    return `${made}${found.type}  ${bytes(found.size)}  ${dim(shortDigest(artifact))}`
  }

  /** The steps on one side of an artifact. */
  function stepsOf(artifact: Digest, way: 'up' | 'down'): number[] {
    const near = way === 'up' ? 'output' : 'input'
    const found = lineage.edges.filter((edge) => edge.artifact === artifact && edge.kind === near)
    return [...new Set(found.map(({ execution }) => execution))].sort((a, b) => a - b)
  }

  function lines(artifact: Digest, way: 'up' | 'down', indent: string, seen: Set<Digest>): string[] {
    if (seen.has(artifact)) return stepsOf(artifact, way).length > 0 ? [`${indent}${dim('… as above')}`] : []
    seen.add(artifact)
    const far = way === 'up' ? 'input' : 'output'
    return alike(stepsOf(artifact, way), far).flatMap(({ step, source, runs, edges }) => [
      `${indent}${way === 'up' ? 'made by' : 'used by'} ${bold(step)} in ${runsText(runs)}  ${dim(source)}`,
      ...edges.flatMap((edge, index) => {
        const last = index === edges.length - 1
        return [
          `${indent}${last ? '└─' : '├─'} ${edge.name}: ${nameOf(edge.artifact)}`,
          ...lines(edge.artifact, way, `${indent}${last ? '   ' : '│  '}`, seen),
        ]
      }),
    ])
  }

  /** Executions of one step with the same artifacts on the far side are one line. */
  function alike(ids: readonly number[], far: 'input' | 'output'): Alike[] {
    const groups = new Map<string, Alike>()
    for (const id of ids) {
      const { step, source, run } = executions.get(id)!
      const edges = lineage.edges
        .filter((edge) => edge.execution === id && edge.kind === far)
        .sort((a, b) => (a.name < b.name ? -1 : 1))
      const key = JSON.stringify([step, source, edges.map(({ name, artifact }) => [name, artifact])])
      const group = groups.get(key)
      if (group === undefined) groups.set(key, { step, source, runs: [run], edges })
      else group.runs.push(run)
    }
    return [...groups.values()]
  }

  const parts = [bold(nameOf(digest))]
  if (direction !== 'down') {
    const up = lines(digest, 'up', '  ', new Set())
    parts.push('', 'Made from', ...(up.length > 0 ? up : ['  nothing that is recorded']))
  }
  if (direction !== 'up') {
    const down = lines(digest, 'down', '  ', new Set())
    parts.push('', 'Made from it', ...(down.length > 0 ? down : ['  nothing yet']))
  }
  return parts.join('\n')
}
