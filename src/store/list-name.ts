import { hash128Hex } from '../lib/hash.ts'

/** The name of a model's ranked list; with a facet, of its accounts that have this value of it. A value may be of any length. */
export function listName(modelId: string, facet?: { readonly name: string; readonly value: string }): string {
  return facet === undefined ? modelId : `${modelId}?${facet.name}=${hash128Hex(facet.value)}`
}
