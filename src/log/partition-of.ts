const SEED = 0x9747b28c
const M = 0x5bd1e995

/**
 * The partition of a key, as the Java client's default partitioner chooses it: murmur2 of the UTF-8 bytes
 * without the sign bit, modulo `partitions`.
 */
export function partitionOf(key: string | Uint8Array, partitions: number): number {
  const bytes = typeof key === 'string' ? Buffer.from(key) : key
  return partitionOfBytes(bytes, 0, bytes.length, partitions)
}

/** `partitionOf` of the key in `data` from `from` to before `to`. */
export function partitionOfBytes(data: Uint8Array, from: number, to: number, partitions: number): number {
  return (murmur2(data, from, to) & 0x7fffffff) % partitions
}

function murmur2(data: Uint8Array, from: number, to: number): number {
  let h = SEED ^ (to - from)
  let i = from
  for (; i + 4 <= to; i += 4) {
    let k = data[i]! | (data[i + 1]! << 8) | (data[i + 2]! << 16) | (data[i + 3]! << 24)
    k = Math.imul(k, M)
    k ^= k >>> 24
    h = Math.imul(h, M) ^ Math.imul(k, M)
  }
  const rest = to - i
  if (rest >= 3) h ^= data[i + 2]! << 16
  if (rest >= 2) h ^= data[i + 1]! << 8
  if (rest >= 1) h = Math.imul(h ^ data[i]!, M)
  h ^= h >>> 13
  h = Math.imul(h, M)
  return h ^ (h >>> 15)
}

/** Items by the partition of their account, each group in the order given. */
export function byPartition<Item>(
  items: Iterable<Item>,
  accountIdOf: (item: Item) => string,
  partitions: number,
): Map<number, Item[]> {
  const groups = new Map<number, Item[]>()
  for (const item of items) {
    const partition = partitionOf(accountIdOf(item), partitions)
    const group = groups.get(partition)
    if (group === undefined) groups.set(partition, [item])
    else group.push(item)
  }
  return groups
}
