import type { RedisConnection } from './redis-connection.ts'
import type { RedisKeys } from './redis-keys.ts'

/** How many keys one step of a scan looks at, and one call removes at most: less than 1 ms of Redis' time. */
const KEYS_PER_STEP = 1000

/**
 * Removes all keys of a partition but its hash, which holds the fencing token.
 * @param remove takes up to 1,000 keys, and whether they are the last; it checks the fencing token and throws
 *   to stop.
 */
export async function clearPartition(
  connection: RedisConnection,
  keys: RedisKeys,
  partition: number,
  remove: (names: readonly Buffer[], isLast: boolean) => Promise<void>,
): Promise<void> {
  const own = keys.partition(partition)
  // First without keys: that removes the stored offset and the state.
  await remove([], false)
  await scanKeys(connection, keys.partitionPrefix(partition), names =>
    remove(
      names.filter(name => name.toString() !== own),
      false,
    ),
  )
  await remove([], true)
}

/** Removes all keys of the namespace. */
export async function dropNamespace(connection: RedisConnection, keys: RedisKeys): Promise<void> {
  await scanKeys(connection, keys.prefix, async names => {
    await connection.ask(redis => redis.unlink([...names]))
  })
}

/**
 * Scans the whole Redis for keys that begin with `prefix`, and passes them on part by part. A key that exists
 * from the beginning to the end is passed at least once; any key may be passed twice.
 * @param prefix literal: characters that a pattern reads as wildcards are escaped.
 */
async function scanKeys(
  connection: RedisConnection,
  prefix: string,
  found: (names: readonly Buffer[]) => Promise<void>,
): Promise<void> {
  const pattern = `${escapePattern(prefix)}*`
  let cursor = '0'
  do {
    const at = cursor
    const [next, names] = await connection.ask(redis =>
      redis.scanBuffer(at, 'MATCH', pattern, 'COUNT', KEYS_PER_STEP),
    )
    // A large keyspace may return more than COUNT.
    for (let from = 0; from < names.length; from += KEYS_PER_STEP)
      await found(names.slice(from, from + KEYS_PER_STEP))
    cursor = next.toString()
  } while (cursor !== '0')
}

function escapePattern(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&')
}
