/** Most accounts have nothing in most of their maps: those that are empty are this one, and another takes its place with the first entry. */
export const EMPTY_MAP: ReadonlyMap<string, never> = new Map<string, never>()

/** A map with an entry put into it: the map itself, or a new one in place of the empty one. */
export function withEntry<T>(map: ReadonlyMap<string, T>, key: string, value: T): ReadonlyMap<string, T> {
  if (map.size === 0) return new Map([[key, value]])
  ;(map as Map<string, T>).set(key, value)
  return map
}

/** A map without an entry that it has: the map itself, or the empty one. */
export function withoutEntry<T>(map: ReadonlyMap<string, T>, key: string): ReadonlyMap<string, T> {
  if (map.size === 1) return EMPTY_MAP
  ;(map as Map<string, T>).delete(key)
  return map
}
