import { inflateSync } from 'node:zlib'
import { messageOf, ZenmlError } from '../../base/errors.ts'
import { jpegDecoder, pngDecoder } from './image-decoders.ts'

/** An image as it was stored: four bytes a pixel, of which the last (opacity) is ignored. */
export interface Pixels {
  readonly width: number
  readonly height: number
  readonly data: Uint8Array
}

/** Millions of pixels that an image may have: a small file can claim to be far more than memory holds. */
const mostMegapixels = 100

/** Decodes a JPEG or PNG image; throws `ZEN_TRANSFORM_IMAGE` for other bytes. Orientation tags and colour profiles are ignored. */
export function decodeImage(bytes: Uint8Array): Pixels {
  try {
    if (startsWith(bytes, [0xff, 0xd8, 0xff])) {
      const { decode } = jpegDecoder()
      const limits = { maxResolutionInMP: mostMegapixels, maxMemoryUsageInMB: 1024 }
      return decode(bytes, { useTArray: true, tolerantDecoding: false, ...limits })
    }
    if (startsWith(bytes, [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a]) && bytes.length > 24) {
      const header = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
      if (header.readUInt32BE(16) * header.readUInt32BE(20) > mostMegapixels * 1e6)
        throw new Error(`it has more than ${mostMegapixels} million pixels`)
      if (header[28] === 1) checkInterlaced(header)
      const { PNG } = pngDecoder()
      return PNG.sync.read(header)
    }
  } catch (error) {
    throw undecodable(messageOf(error), error)
  }
  throw undecodable('it is neither JPEG nor PNG')
}

/** The decoder inflates rows in passes (interlaced) without a limit, so that a small file could fill memory: throws where it would be too much. */
function checkInterlaced(png: Buffer): void {
  const parts: Buffer[] = []
  for (let at = 8; at + 8 <= png.length; at += png.readUInt32BE(at) + 12)
    if (png.toString('latin1', at + 4, at + 8) === 'IDAT')
      parts.push(png.subarray(at + 8, at + 8 + png.readUInt32BE(at)))
  // Eight bytes a pixel at most, and for each row of the seven passes, of which there are less than twice the rows, one more.
  const [width, height] = [png.readUInt32BE(16), png.readUInt32BE(20)]
  inflateSync(Buffer.concat(parts), { maxOutputLength: width * height * 8 + height * 2 + 16 })
}

function startsWith(bytes: Uint8Array, start: readonly number[]): boolean {
  return start.every((byte, index) => bytes[index] === byte)
}

function undecodable(reason: string, cause?: unknown): ZenmlError {
  return new ZenmlError('ZEN_TRANSFORM_IMAGE', `An image cannot be decoded: ${reason}.`, {
    facts: { reason },
    next: 'Leave it out, or store it as JPEG or PNG.',
    exitCode: 1,
    cause,
  })
}

/**
 * Brings an image to a size, bilinear between pixel centres and without smoothing (as TensorFlow's `tf.image.resize` does by default): `height * width
 * * channels` numbers from 0 to 255. One channel is the luma of BT.601: 0.299 R + 0.587 G + 0.114 B.
 */
export function resizeImage(image: Pixels, height: number, width: number, channels: 1 | 3): Float64Array {
  const result = new Float64Array(height * width * channels)
  const rows = Array.from({ length: height }, (_, row) => between(row, height, image.height))
  const columns = Array.from({ length: width }, (_, column) => between(column, width, image.width))
  const { data } = image
  let at = 0
  for (const row of rows) {
    const upper = row.low * image.width
    const lower = row.high * image.width
    for (const column of columns) {
      let luma = 0
      for (let channel = 0; channel < 3; channel++) {
        const top = mixed(
          data[(upper + column.low) * 4 + channel]!,
          data[(upper + column.high) * 4 + channel]!,
          column.part,
        )
        const bottom = mixed(
          data[(lower + column.low) * 4 + channel]!,
          data[(lower + column.high) * 4 + channel]!,
          column.part,
        )
        const value = mixed(top, bottom, row.part)
        if (channels === 3) result[at++] = value
        else luma += value * lumaWeights[channel]!
      }
      if (channels === 1) result[at++] = luma
    }
  }
  return result
}

const lumaWeights = [0.299, 0.587, 0.114]

function mixed(low: number, high: number, part: number): number {
  return low + (high - low) * part
}

/** Which two pixels of `from` a pixel of `to` lies between, and how far it is from the first. */
function between(pixel: number, to: number, from: number): { low: number; high: number; part: number } {
  const place = Math.min(from - 1, Math.max(0, ((pixel + 0.5) * from) / to - 0.5))
  const low = Math.floor(place)
  return { low, high: Math.min(from - 1, low + 1), part: place - low }
}
