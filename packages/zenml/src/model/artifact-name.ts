/** How an artifact of another run is named. */
export interface ArtifactName {
  /** A digest, a unique prefix of one, or `RUN/step.output`; either this or `pipeline` and `output`. */
  readonly artifact?: string
  /** A pipeline: of its newest complete run the `output`. */
  readonly pipeline?: string
  /** `step.output` */
  readonly output?: string
}

/** Whether it is named in exactly one of the two ways. */
export function namesOneArtifact({ artifact, pipeline, output }: ArtifactName): boolean {
  return artifact === undefined
    ? pipeline !== undefined && output !== undefined
    : pipeline === undefined && output === undefined
}

/** Whether a text is of the form `step.output`. */
export function isOutputName(text: string): boolean {
  return /^[^./]+\.[^./]+$/.test(text)
}
