import { createRequire } from 'node:module'
import type { Pixels } from './image-pixels.ts'

/** What is used of jpeg-js. */
export interface JpegDecoder {
  decode(
    bytes: Uint8Array,
    options: { useTArray: true; tolerantDecoding: false; maxResolutionInMP: number; maxMemoryUsageInMB: number },
  ): Pixels
}

/** What is used of pngjs. */
export interface PngDecoder {
  PNG: { sync: { read(bytes: Buffer): Pixels } }
}

// Loaded with the first image, and not with every step; a transform is applied without waiting, so that import() cannot be used.
// A folder for serving has no packages: tools/serving-code.mjs puts image-decoders-inlined.ts in the place of this file there.
const load = createRequire(import.meta.url)

/** Loads the decoder of JPEG. */
export function jpegDecoder(): JpegDecoder {
  return load('jpeg-js') as JpegDecoder
}

/** Loads the decoder of PNG. */
export function pngDecoder(): PngDecoder {
  return load('pngjs') as PngDecoder
}
