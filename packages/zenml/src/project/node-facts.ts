import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import type { NodeFacts } from '../run/workspace.ts'

/** The versions that a Node says of itself. */
export async function nodeFacts(node: string): Promise<NodeFacts> {
  const { stdout } = await promisify(execFile)(node, ['-p', '[process.versions.node, process.versions.v8].join(" ")'])
  const [version, v8] = stdout.trim().split(' ') as [string, string]
  return { node: version, v8 }
}
