import { ZenmlError } from '../base/errors.ts'
import { findPinned } from '../code/git-pin.ts'
import { snapshotDirtyTree } from '../code/git-snapshot.ts'
import type { RunListener } from '../model/events.ts'
import type { CodePin } from '../model/run.ts'

/** The pin of code that no repository holds. */
const unpinned: CodePin = { commit: null, tree: null, dirty: false, ref: null, remote: null, branch: null }

/**
 * Pins the code of a project as it is now: the commit, or a snapshot of a tree with changes.
 *
 * Throws `ZEN_CODE_DIRTY` where `requireClean` is set and files differ from the commit.
 *
 * @example
 * const { commit, dirty } = await pinCode(directory)
 * console.log(commit, dirty)
 */
export async function pinCode(
  root: string,
  {
    requireClean = false,
    onEvent = () => undefined,
  }: { readonly requireClean?: boolean; readonly onEvent?: RunListener } = {},
): Promise<CodePin> {
  const found = await findPinned(root)
  if (found === undefined) {
    if (requireClean)
      throw new ZenmlError('ZEN_CODE_UNPINNED', 'This is not a git repository, so no commit can be pinned.', {
        next: 'Run "git init" and commit.',
      })
    onEvent({
      kind: 'warning',
      code: 'ZEN_CODE_UNPINNED',
      message:
        'This is not a git repository: no commit is pinned, and the sources are kept in the artifact store. Run "git init" to change that.',
    })
    return unpinned
  }
  const { repository, state } = found
  const { pin, files } = state
  if (!pin.dirty) return pin
  if (requireClean) {
    const named = files.slice(0, 5).join(', ') + (files.length > 5 ? ` and ${files.length - 5} more` : '')
    const from = pin.commit === null ? 'are not committed' : `differ from ${pin.commit.slice(0, 7)}`
    throw new ZenmlError(
      'ZEN_CODE_DIRTY',
      `${files.length} ${files.length === 1 ? 'file' : 'files'} ${from}: ${named}.`,
      {
        facts: { files: [...files] },
        next: 'Commit them, or leave out --require-clean.',
      },
    )
  }
  const { tree, ref, leftOut } = await snapshotDirtyTree(repository, state, { exclude: ['.zenml'] })
  if (leftOut.length > 0) {
    onEvent({
      kind: 'warning',
      code: 'ZEN_SNAPSHOT_LEFT_OUT',
      message: `Too large for the snapshot of the working tree, and left out: ${leftOut.join(', ')}. Ignore or commit them.`,
    })
  }
  return { ...pin, tree, ref }
}
