/** Names and keys come from the outside: the memory for answers is bounded. */
const MOST_ANSWERS = 10_000

/** A function that finds each answer once, and remembers it; of keys beyond the first 10,000 it finds the answer each time. The answer follows from the key alone. */
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
