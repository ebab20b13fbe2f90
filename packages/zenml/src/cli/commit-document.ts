import type { JsonObject } from '../base/json.ts'
import type { Commit } from '../run/commits.ts'

/** The JSON of a commit, as scripts know it. */
export function commitDocument({
  id,
  datasource,
  at,
  digest,
  rows,
  features,
  version,
  code,
  source,
}: Commit): JsonObject {
  const { commit, tree, dirty } = code
  return {
    commit: id,
    datasource,
    at: new Date(at).toISOString(),
    digest,
    rows,
    features,
    version,
    code: { commit, tree, dirty },
    source: source as unknown as JsonObject,
  }
}
