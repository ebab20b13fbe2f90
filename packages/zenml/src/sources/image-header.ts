import { crc32 } from 'node:zlib'

/** What the bytes of an image say of it without its pixels being decoded. */
export interface ImageHeader {
  readonly format: 'png' | 'jpeg' | 'gif' | 'webp' | 'bmp'
  /** Pixels, as they are stored: orientation tags are not applied. */
  readonly width: number
  readonly height: number
  readonly mode: ImageMode
}

/** What a stored pixel is: grey, grey with opacity, place in a palette, colour, colour with opacity, four inks. */
export type ImageMode = 'L' | 'LA' | 'P' | 'RGB' | 'RGBA' | 'CMYK'

/** Numbers of a stored pixel. */
export const channelsOf: { readonly [mode in ImageMode]: number } = { L: 1, LA: 2, P: 1, RGB: 3, RGBA: 4, CMYK: 4 }

/**
 * Reads the header of a PNG, JPEG, GIF, WebP or BMP image, and follows its parts to their end: a file that is cut off is found, and one of PNG
 * that is damaged anywhere, by its checksums. Throws an `Error` that says why the bytes are no whole image.
 *
 * Formats: PNG third edition (W3C); ITU T.81, annex B (JPEG); GIF89a; RFC 9649 (WebP); BITMAPINFOHEADER of Windows (BMP).
 */
export function readImageHeader(bytes: Uint8Array): ImageHeader {
  const image = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  let header: ImageHeader
  try {
    header = readerOf(image)(image)
  } catch (error) {
    if (!(error instanceof RangeError)) throw error
    throw cutOff()
  }
  if (header.width > 0 && header.height > 0) return header
  throw new Error(`it is ${header.width} by ${header.height} pixels`)
}

function readerOf(image: Buffer): (image: Buffer) => ImageHeader {
  if (image.length === 0) throw new Error('it is empty')
  const start = image.toString('latin1', 0, 12)
  if (start.startsWith('\x89PNG\r\n\x1a\n')) return readPng
  if (start.startsWith('\xff\xd8\xff')) return readJpeg
  if (/^GIF8[79]a/.test(start)) return readGif
  if (start.startsWith('RIFF') && start.endsWith('WEBP')) return readWebp
  if (start.startsWith('BM')) return readBmp
  throw new Error('its bytes are none of PNG, JPEG, GIF, WebP or BMP')
}

function cutOff(): Error {
  return new Error('it is cut off')
}

/** Mode and possible bit depths by colour type. */
const pngColours: { readonly [type: number]: readonly [ImageMode, readonly number[]] } = {
  0: ['L', [1, 2, 4, 8, 16]],
  2: ['RGB', [8, 16]],
  3: ['P', [1, 2, 4, 8]],
  4: ['LA', [8, 16]],
  6: ['RGBA', [8, 16]],
}

function readPng(image: Buffer): ImageHeader {
  let header: ImageHeader | undefined
  let hasPixels = false
  for (let at = 8; ; ) {
    const length = image.readUInt32BE(at)
    const end = at + 8 + length
    const name = image.toString('latin1', at + 4, at + 8)
    const sum = image.readUInt32BE(end)
    if (crc32(image.subarray(at + 4, end)) !== sum)
      throw new Error(`the checksum of its part ${JSON.stringify(name)} does not match`)
    if (header === undefined) {
      if (name !== 'IHDR' || length !== 13) throw new Error('it does not begin with its header')
      const [mode, depths] = pngColours[image[at + 17]!] ?? []
      if (mode === undefined || !depths!.includes(image[at + 16]!))
        throw new Error(`it has colour type ${image[at + 17]} with ${image[at + 16]} bits`)
      header = { format: 'png', width: image.readUInt32BE(at + 8), height: image.readUInt32BE(at + 12), mode }
    }
    hasPixels ||= name === 'IDAT'
    if (name === 'IEND') {
      if (!hasPixels) throw new Error('it has no pixels')
      return header
    }
    at = end + 4
  }
}

const jpegModes: { readonly [components: number]: ImageMode } = { 1: 'L', 3: 'RGB', 4: 'CMYK' }

function readJpeg(image: Buffer): ImageHeader {
  let header: ImageHeader | undefined
  let hasPixels = false
  for (let at = 2; ; ) {
    if (image.readUInt8(at) !== 0xff) throw new Error(`there is no marker at byte ${at}`)
    while (image.readUInt8(at) === 0xff) at++
    const marker = image[at++]!
    if (marker === 0xd9) {
      if (header === undefined || !hasPixels) throw new Error('it has no pixels')
      return header
    }
    // Markers that stand alone.
    if (marker === 0x01 || (marker >= 0xd0 && marker <= 0xd7)) continue
    const length = image.readUInt16BE(at)
    if (marker === 0 || marker === 0xd8 || length < 2) throw new Error(`there is no part at byte ${at}`)
    const isFrame = marker >= 0xc0 && marker <= 0xcf && marker !== 0xc4 && marker !== 0xc8 && marker !== 0xcc
    if (isFrame && header === undefined) {
      const mode = jpegModes[image.readUInt8(at + 7)]
      if (mode === undefined) throw new Error(`it has ${image[at + 7]} components`)
      header = { format: 'jpeg', height: image.readUInt16BE(at + 3), width: image.readUInt16BE(at + 5), mode }
    }
    at += length
    if (marker !== 0xda) continue
    hasPixels = true
    // Compressed pixels: up to a marker that is neither a stuffed FF nor a restart.
    for (;;) {
      at = image.indexOf(0xff, at)
      if (at < 0) throw cutOff()
      const next = image.readUInt8(at + 1)
      if (next !== 0 && (next < 0xd0 || next > 0xd7)) break
      at += 2
    }
  }
}

function readGif(image: Buffer): ImageHeader {
  const tableBytes = (flags: number): number => ((flags & 0x80) === 0 ? 0 : 3 << ((flags & 7) + 1))
  let hasPixels = false
  for (let at = 13 + tableBytes(image.readUInt8(10)); ; ) {
    const block = image.readUInt8(at)
    if (block === 0x3b) break
    if (block !== 0x21 && block !== 0x2c) throw new Error(`there is no part at byte ${at}`)
    // What stands before the pieces of an extension, and of an image with its palette.
    at += block === 0x21 ? 2 : 11 + tableBytes(image.readUInt8(at + 9))
    hasPixels ||= block === 0x2c
    for (let size = image.readUInt8(at); size > 0; size = image.readUInt8(at)) at += size + 1
    at++
  }
  if (!hasPixels) throw new Error('it has no pixels')
  return { format: 'gif', width: image.readUInt16LE(6), height: image.readUInt16LE(8), mode: 'P' }
}

function readWebp(image: Buffer): ImageHeader {
  if (image.readUInt32LE(4) + 8 > image.length) throw cutOff()
  const kind = image.toString('latin1', 12, 16)
  const of = (width: number, height: number, opacity: boolean): ImageHeader => {
    return { format: 'webp', width, height, mode: opacity ? 'RGBA' : 'RGB' }
  }
  if (kind === 'VP8X')
    return of(image.readUIntLE(24, 3) + 1, image.readUIntLE(27, 3) + 1, (image.readUInt8(20) & 0x10) !== 0)
  if (kind === 'VP8L' && image.readUInt8(20) === 0x2f) {
    const bits = image.readUInt32LE(21)
    return of((bits & 0x3fff) + 1, ((bits >>> 14) & 0x3fff) + 1, (bits & 0x10000000) !== 0)
  }
  if (kind === 'VP8 ' && image.readUIntBE(23, 3) === 0x9d012a)
    return of(image.readUInt16LE(26) & 0x3fff, image.readUInt16LE(28) & 0x3fff, false)
  throw new Error(`its part ${JSON.stringify(kind)} is none that begins an image`)
}

function readBmp(image: Buffer): ImageHeader {
  const pixels = image.readUInt32LE(10)
  const size = image.readUInt32LE(14)
  if (size !== 12 && size < 40) throw new Error(`its header has ${size} bytes`)
  const [width, height, bits] =
    size === 12
      ? [image.readUInt16LE(18), image.readUInt16LE(20), image.readUInt16LE(24)]
      : [image.readInt32LE(18), Math.abs(image.readInt32LE(22)), image.readUInt16LE(28)]
  const compression = size === 12 ? 0 : image.readUInt32LE(30)
  if (![1, 4, 8, 16, 24, 32].includes(bits)) throw new Error(`it has ${bits} bits a pixel`)
  const isPlain = compression === 0 || compression === 3
  const length = isPlain ? Math.ceil((width * bits) / 32) * 4 * height : image.readUInt32LE(34)
  if (pixels + length > image.length) throw cutOff()
  const hasOpacity = bits === 32 && size >= 56 && image.readUInt32LE(66) !== 0
  return { format: 'bmp', width, height, mode: bits <= 8 ? 'P' : hasOpacity ? 'RGBA' : 'RGB' }
}
