import type { ShardCut } from './encode-examples.ts'

/** How many shards of one size there are before they are twice as large: the number of files grows with the logarithm of the data. */
const shardsOfOneSize = 128

/** The sizes of a shard, in bytes. */
export interface ShardSizes {
  readonly average: number
  /** Below it no record ends the shard. */
  readonly least: number
  /** The record that reaches it ends the shard, whatever its content. */
  readonly most: number
}

/**
 * How large the next shard of a split may be. A record ends a shard where a hash of its content says so, so that a change of some rows changes the
 * shards around them and no others, and equal stretches of two snapshots are the same files. Shards are of `average` bytes as long as there are
 * fewer than 128 of them, and twice as large each time the data has doubled after that; the records that end larger shards are among those that
 * end smaller ones, so that a doubling that moves by some bytes changes a few shards.
 *
 * The idea is content-defined chunking (Muthitacharoen, Chen, Mazieres: A Low-bandwidth Network File System, 2001), with records for bytes.
 */
export function shardSizes(written: number, average: number): ShardSizes {
  let size = average
  while (written >= size * shardsOfOneSize) size *= 2
  return { average: size, least: size / 2, most: size * 2.5 }
}

/** What ends a shard of which `flushed` bytes are written. */
export function shardCut({ average, least }: ShardSizes, flushed: number): ShardCut {
  return { chance: 0x100000000 / (average - least), from: least - flushed, found: false }
}
