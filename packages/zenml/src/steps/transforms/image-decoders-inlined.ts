// In the place of image-decoders.ts where everything must be in one file: the code that is served.
import * as jpeg from 'jpeg-js'
// @ts-expect-error pngjs has no types of its own
import * as png from 'pngjs'
import type { JpegDecoder, PngDecoder } from './image-decoders.ts'

/** The decoder of JPEG. */
export function jpegDecoder(): JpegDecoder {
  return jpeg as unknown as JpegDecoder
}

/** The decoder of PNG. */
export function pngDecoder(): PngDecoder {
  return png as unknown as PngDecoder
}
