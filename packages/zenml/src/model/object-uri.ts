import type { GcsDatasource, S3Datasource } from './datasource-spec.ts'

/** A source of objects, of whichever service. */
export type AnyObjectDatasource = GcsDatasource | S3Datasource

/** How the URIs of a kind begin. */
export const objectSchemes: { readonly [type in AnyObjectDatasource['type']]: string } = { gcs: 'gs', s3: 's3' }

/** A place in an object store; the path is empty for a whole bucket, and ends with `/` for a folder. */
export interface ObjectPlace {
  readonly bucket: string
  readonly path: string
}

/**
 * Reads `gs://BUCKET/PATH`; undefined for what is none. Nothing is decoded: names of objects stand in it as they are.
 *
 * @example
 * parseObjectUri({ type: 'gcs', uri: 'gs://shop/2024/*.csv' }) // { bucket: 'shop', path: '2024/*.csv' }
 */
export function parseObjectUri({ type, uri }: Pick<AnyObjectDatasource, 'type' | 'uri'>): ObjectPlace | undefined {
  const match = /^([a-z0-9]+):\/\/([A-Za-z0-9][A-Za-z0-9._-]{1,221})\/(.*)$/su.exec(uri)
  if (match === null || match[1] !== objectSchemes[type]) return undefined
  const [, , bucket, path] = match as unknown as [string, string, string, string]
  return hasControls(path) || !path.isWellFormed() ? undefined : { bucket, path }
}

function hasControls(text: string): boolean {
  return [...text].some((letter) => letter < ' ' || letter === '\x7f')
}
