/**
 * Turns a value into files and back. `save` writes below `directory` (it exists and is empty) and must be deterministic:
 * equal values, equal bytes. `load` reads the same layout; the directory is read-only and stays until the step ends.
 */
export interface Materializer<Saved, Loaded> {
  save(value: Saved, directory: string): Promise<void>
  load(directory: string): Promise<Loaded>
}

/**
 * A kind of artifact: its name, how values become files, and the simple type of ML Metadata that it is a case of.
 * `Saved` is what a step may return for it, `Loaded` what a step is given.
 */
export interface ArtifactType<Name extends string = string, Saved = never, Loaded = unknown> {
  readonly name: Name
  /** The simple type of ML Metadata (`mlmd.Dataset` …) that generic tools take it for. */
  readonly base?: 'mlmd.Dataset' | 'mlmd.Model' | 'mlmd.Metrics' | 'mlmd.Statistics'
  readonly materializer: Materializer<Saved, Loaded>
}

/** Any artifact type, whatever it holds. */
// biome-ignore lint/suspicious/noExplicitAny: the one place where a type's value is not known
export type AnyArtifactType = ArtifactType<string, any, any>

/** What a step may return for an output of this type. */
export type Saved<T extends AnyArtifactType> = T extends ArtifactType<string, infer S, unknown> ? S : never

/** What a step is given for an input of this type. */
export type Loaded<T extends AnyArtifactType> = T extends ArtifactType<string, never, infer L> ? L : never

/**
 * Declares a kind of artifact.
 *
 * @example
 * const Vocabulary = artifactType('Vocabulary', {
 *   save: (words: string[], directory) => writeFile(join(directory, 'words.txt'), words.join('\n')),
 *   load: async (directory) => (await readFile(join(directory, 'words.txt'), 'utf8')).split('\n'),
 * })
 */
// @__NO_SIDE_EFFECTS__
export function artifactType<const Name extends string, S, L>(
  name: Name,
  materializer: Materializer<S, L>,
  base?: NonNullable<ArtifactType['base']>,
): ArtifactType<Name, S, L> {
  return Object.freeze({ name, materializer, ...(base === undefined ? {} : { base }) })
}
