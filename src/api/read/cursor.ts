import { hash128Hex } from '../../lib/hash.ts'

/** The last row of a page: the next page starts right after it. */
export interface ListPosition {
  readonly score: number
  readonly accountId: string
}

/** The query that a cursor belongs to. The limit is not part of it and may change between pages. */
export interface ListedQuery {
  readonly modelId: string
  /** Undefined: all. */
  readonly tiers: readonly string[] | undefined
  /** Each `name:value`. */
  readonly facets: readonly string[]
  readonly minScore: number | undefined
  readonly sort: string
}

export function encodeCursor({ score, accountId }: ListPosition, query: ListedQuery): string {
  return Buffer.from(JSON.stringify([fingerprint(query), score, accountId])).toString('base64url')
}

/** Undefined if it is not a cursor, or belongs to another query. */
export function decodeCursor(cursor: string, query: ListedQuery): ListPosition | undefined {
  let parts: unknown
  try {
    parts = JSON.parse(Buffer.from(cursor, 'base64url').toString())
  } catch {
    return undefined
  }
  if (!Array.isArray(parts) || parts.length !== 3 || parts[0] !== fingerprint(query)) return undefined
  const [, score, accountId] = parts as [unknown, unknown, unknown]
  if (typeof score !== 'number' || !Number.isFinite(score)) return undefined
  if (typeof accountId !== 'string' || accountId === '' || !accountId.isWellFormed()) return undefined
  return { score, accountId }
}

function fingerprint({ modelId, tiers, facets, minScore, sort }: ListedQuery): string {
  const names = tiers === undefined ? 'all' : `only ${tiers.toSorted().join()}`
  return hash128Hex(modelId, names, JSON.stringify(facets.toSorted()), String(minScore), sort)
}
