import { varintSize, writeVarint } from '../base/proto/byte-sink.ts'
import type { FeatureKind } from './batch.ts'

/** Field tag (number and wire type 2) of each kind's list in `tf.train.Feature`: bytes_list 1, float_list 2, int64_list 3. */
export const kindTags: { readonly [K in FeatureKind]: number } = { bytes: 0x0a, float: 0x12, int: 0x1a }

/** Lists of up to this many bytes have a ready-made beginning. */
export const maxReadyPayload = 95

/**
 * The ready-made beginnings of one feature's entry in `tf.train.Features`, all bytes before the values:
 * `0a <entry> 0a <key length> <key> 12 <feature> <kind> <list> 0a <payload>`. The payload is the packed list, or the one byte
 * string. Kept as 32-bit words, so that they are copied four bytes at a time; the last word may spill over what follows.
 */
export interface EntryLayout {
  readonly key: Uint8Array
  /** Tag of the kind's list. */
  readonly tag: number
  readonly words: Int32Array
  /** Words per payload length. */
  readonly stride: number
  /** Bytes by payload length. */
  readonly lengths: Uint16Array
}

/** Lays out the entries of a feature. */
export function entryLayout(name: string, kind: FeatureKind): EntryLayout {
  const key = new TextEncoder().encode(name)
  const tag = kindTags[kind]
  const longest = 1 + 5 + 1 + 5 + key.length + 1 + 5 + 1 + 5 + 1 + 1
  const stride = (longest + 3) >> 2
  const words = new Int32Array(stride * (maxReadyPayload + 1))
  const bytes = new Uint8Array(words.buffer)
  const lengths = new Uint16Array(maxReadyPayload + 1)
  for (let payload = 0; payload <= maxReadyPayload; payload++) {
    const start = payload * stride * 4
    let at = writeEntry(bytes, start, key, tag, 1 + varintSize(payload) + payload)
    bytes[at++] = 0x0a
    at = writeVarint(bytes, at, payload)
    lengths[payload] = at - start
  }
  return { key, tag, words, stride, lengths }
}

/** Bytes that `writeEntry` writes at most. */
export function entryBound(key: Uint8Array): number {
  return key.length + 24
}

/** Writes an entry up to the contents of the kind's list, which has `list` bytes; returns the place after it. */
export function writeEntry(bytes: Uint8Array, start: number, key: Uint8Array, tag: number, list: number): number {
  const feature = 1 + varintSize(list) + list
  let at = start
  bytes[at++] = 0x0a
  at = writeVarint(bytes, at, 1 + varintSize(key.length) + key.length + 1 + varintSize(feature) + feature)
  bytes[at++] = 0x0a
  at = writeVarint(bytes, at, key.length)
  bytes.set(key, at)
  at += key.length
  bytes[at++] = 0x12
  at = writeVarint(bytes, at, feature)
  bytes[at++] = tag
  return writeVarint(bytes, at, list)
}
