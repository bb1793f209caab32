/** Most maps of most accounts are empty: they are this one, until a first entry replaces it by a new map. */
export const EMPTY_MAP: ReadonlyMap<string, never> = new Map<string, never>()

/** Sets an entry. Returns the same map, or a new one if it was empty. */
export function withEntry<T>(map: ReadonlyMap<string, T>, key: string, value: T): ReadonlyMap<string, T> {
  if (map.size === 0) return new Map([[key, value]])
  ;(map as Map<string, T>).set(key, value)
  return map
}

/** Removes an entry that the map has. Returns the same map, or `EMPTY_MAP` if no entry is left. */
export function withoutEntry<T>(map: ReadonlyMap<string, T>, key: string): ReadonlyMap<string, T> {
  if (map.size === 1) return EMPTY_MAP
  ;(map as Map<string, T>).delete(key)
  return map
}
