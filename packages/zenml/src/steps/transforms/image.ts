import { bytesAt, rowEnd, rowStart } from '../../formats/batch.ts'
import { type TransformFamily, unfit } from './family.ts'
import { decodeImage, resizeImage } from './image-pixels.ts'

/** Decodes a JPEG or PNG image, brings it to a size, and its pixels to numbers near 0. A row without an image is an error unless `missing` says otherwise. */
export interface ImageRequest {
  transform: 'image'
  height: number
  width: number
  /** 1 for grey, 3 for red, green and blue. Default 3. */
  channels?: 1 | 3 | undefined
  /** `unit`: from 0 to 1. `signed`: from -1 to 1. Else mean and deviation by channel, of values from 0 to 1. Default unit. */
  normalise?: 'unit' | 'signed' | { mean: number[]; deviation: number[] } | undefined
}

export const image: TransformFamily<'image', ImageRequest> = {
  takes: 'images',
  per: 'value',
  fit: ({ height, width, channels = 3, normalise = 'unit' }, { name }) => {
    const each = (value: number): number[] => Array.from({ length: channels }, () => value)
    const { mean, deviation } =
      normalise === 'unit'
        ? { mean: each(0), deviation: each(1) }
        : normalise === 'signed'
          ? { mean: each(0.5), deviation: each(0.5) }
          : normalise
    if (mean.length !== channels || deviation.length !== channels)
      throw unfit(
        `"${name}" is normalised by ${mean.length} means and ${deviation.length} deviations, but has ${channels} channels.`,
      )
    let hasValues = false
    return {
      passes: 1,
      get hasValues() {
        return hasValues
      },
      see: ([column], rows) => {
        if (column !== undefined && rows > 0 && rowEnd(column, rows - 1) > rowStart(column, 0)) hasValues = true
      },
      finish: () => ({ kind: 'image', height, width, channels, mean, deviation }),
    }
  },
  width: ({ height, width, channels }) => height * width * channels,
  writer: ({ height, width, channels, mean, deviation }, [column]) => {
    return (value, into, place) => {
      if (column?.kind !== 'bytes' || value < 0) return true
      const pixels = resizeImage(decodeImage(bytesAt(column, value)), height, width, channels)
      for (let at = 0; at < pixels.length; at++) {
        const channel = at % channels
        into[place + at] = (pixels[at]! / 255 - mean[channel]!) / deviation[channel]!
      }
      return false
    }
  },
}
