import type { Redis } from 'ioredis'

/** How many keys are looked at in one step of a scan, and removed together at most: less than a ms of Redis' time. */
const KEYS_PER_STEP = 1000

/**
 * Looks through all keys of the Redis for those that begin with `prefix`, and hands them on part by part, as they are found. A key can come twice; one that is
 * there from the beginning to the end comes at least once.
 * @param prefix taken literally: names of namespaces and ids may hold what a pattern would take for a wildcard.
 */
export async function scanKeys(
  ask: <T>(command: (redis: Redis) => Promise<T>) => Promise<T>,
  prefix: string,
  found: (keys: readonly Buffer[]) => Promise<void>,
): Promise<void> {
  const pattern = `${escapePattern(prefix)}*`
  let cursor = '0'
  do {
    const at = cursor
    const [next, keys] = await ask(redis => redis.scanBuffer(at, 'MATCH', pattern, 'COUNT', KEYS_PER_STEP))
    // A large table of keys may give more than asked for.
    for (let from = 0; from < keys.length; from += KEYS_PER_STEP)
      await found(keys.slice(from, from + KEYS_PER_STEP))
    cursor = next.toString()
  } while (cursor !== '0')
}

function escapePattern(text: string): string {
  return text.replace(/[\\*?[\]]/g, '\\$&')
}
