import type { PartitionProgress } from '../store.ts'
import { partitionKey, wholeFromKey } from './lmdb-keys.ts'
import type { StoreTables } from './lmdb-tables.ts'

/** A partition's row in `partitions`: the position as a double, then the token. */
export interface Fence {
  readonly position: number
  readonly fencingToken: string
}

/** Undefined: nobody has fenced the partition. */
export function readFence({ partitions }: StoreTables, partition: number): Fence | undefined {
  const bytes = partitions.get(partitionKey(partition))
  return bytes === undefined ? undefined : decodeFence(bytes)
}

export function readProgress(tables: StoreTables, partition: number): PartitionProgress {
  const fence = readFence(tables, partition)
  const wholeFrom = tables.partitions.get(wholeFromKey(partition))
  return {
    position: fence?.position ?? 0,
    wholeFrom: wholeFrom && Number(wholeFrom.toString()),
    fencingToken: fence?.fencingToken,
  }
}

export function encodeFence(position: number, fencingToken: string): Buffer {
  const fence = Buffer.allocUnsafe(8 + Buffer.byteLength(fencingToken))
  fence.writeDoubleBE(position, 0)
  fence.write(fencingToken, 8)
  return fence
}

function decodeFence(fence: Buffer): Fence {
  return { position: fence.readDoubleBE(0), fencingToken: fence.toString('utf8', 8) }
}
