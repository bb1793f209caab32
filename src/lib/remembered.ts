/** Keys come from outside, so the memory is bounded. */
const MOST_ANSWERS = 10_000

/**
 * Remembers the answers of a function that depends on the key alone. Beyond the first 10,000 keys it asks
 * `find` every time.
 */
export function remembered<Answer>(find: (key: string) => Answer): (key: string) => Answer {
  const answers = new Map<string, Answer>()
  return key => {
    const known = answers.get(key)
    if (known !== undefined) return known
    const found = find(key)
    if (answers.size < MOST_ANSWERS) answers.set(key, found)
    return found
  }
}
