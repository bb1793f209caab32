import type { ModelDefinition } from '../../../scoring/definition/model-definition.ts'
import type { Standing } from '../../../scoring/standing.ts'
import { type Listing, listName } from '../../../store/store.ts'

/** Where an account is in the ranked lists of one model, as last written. */
export interface RankEntry {
  readonly definition: ModelDefinition
  /** Index in the model's tiers. */
  readonly tier: number
  readonly score: number
  /** The account's value of each of the model's facets. */
  readonly facets: readonly (string | undefined)[]
}

/** What changed in the ranked lists for one account. */
export interface RankChanges {
  /** As they are now; the same array if nothing changed. */
  readonly rankEntries: readonly RankEntry[]
  readonly listingsRemoved: readonly Listing[]
  readonly listingsAdded: readonly Listing[]
  /** Whether a score, a tier or a model's version changed, or the account is new. */
  readonly isMoved: boolean
}

const NONE: readonly never[] = []

export function rankEntriesOf(standings: readonly Standing[]): readonly RankEntry[] {
  return standings.map(rankEntryOf)
}

function rankEntryOf({ model: { definition }, tier, score, facets }: Standing): RankEntry {
  // A copy: the standing's own list changes with the account.
  return { definition, tier, score, facets: facets.length === 0 ? NONE : [...facets] }
}

/** `before` undefined: a new account. */
export function compareRankEntries(
  accountId: string,
  before: readonly RankEntry[] | undefined,
  standings: readonly Standing[],
): RankChanges {
  if (before === undefined || !areOfSameModels(before, standings))
    return compareAcrossModels(accountId, before, standings)
  if (areAllAt(before, standings)) return unchanged(before)
  const rankEntries = before.slice()
  const listingsRemoved: Listing[] = []
  const listingsAdded: Listing[] = []
  let isMoved = false
  for (let i = 0; i < rankEntries.length; i++) {
    const old = rankEntries[i]!
    if (isAt(old, standings[i]!)) continue
    const now = rankEntryOf(standings[i]!)
    rankEntries[i] = now
    const moved = old.tier !== now.tier || old.score !== now.score
    addListings(listingsRemoved, accountId, old, moved ? undefined : now)
    addListings(listingsAdded, accountId, now, moved ? undefined : old)
    isMoved ||= moved
  }
  return { rankEntries, listingsRemoved, listingsAdded, isMoved }
}

function areOfSameModels(rankEntries: readonly RankEntry[], standings: readonly Standing[]): boolean {
  if (rankEntries.length !== standings.length) return false
  for (let i = 0; i < rankEntries.length; i++)
    if (rankEntries[i]!.definition !== standings[i]!.model.definition) return false
  return true
}

function areAllAt(rankEntries: readonly RankEntry[], standings: readonly Standing[]): boolean {
  for (let i = 0; i < rankEntries.length; i++) if (!isAt(rankEntries[i]!, standings[i]!)) return false
  return true
}

function unchanged(rankEntries: readonly RankEntry[]): RankChanges {
  return { rankEntries, listingsRemoved: NONE, listingsAdded: NONE, isMoved: false }
}

function isAt(entry: RankEntry, { tier, score, facets }: Standing): boolean {
  if (entry.tier !== tier || entry.score !== score) return false
  for (let i = 0; i < facets.length; i++) if (entry.facets[i] !== facets[i]) return false
  return true
}

/** When models came, went or changed, tiers and facets are compared by their names. */
function compareAcrossModels(
  accountId: string,
  before: readonly RankEntry[] | undefined,
  standings: readonly Standing[],
): RankChanges {
  const rankEntries = rankEntriesOf(standings)
  const old = listingsOf(accountId, before ?? NONE)
  const now = listingsOf(accountId, rankEntries)
  const listingsAdded = difference(now, old)
  const isMoved =
    before === undefined ||
    rankEntries.length !== before.length ||
    rankEntries.some(({ definition }, i) => definition.version !== before[i]!.definition.version) ||
    rankEntries.some(({ definition }) => listingsAdded.some(({ list }) => list === listName(definition.id)))
  return { rankEntries, listingsRemoved: difference(old, now), listingsAdded, isMoved }
}

export function listingsOf(accountId: string, rankEntries: readonly RankEntry[]): Listing[] {
  const listings: Listing[] = []
  for (const entry of rankEntries) addListings(listings, accountId, entry, undefined)
  return listings
}

/**
 * Listings in the model's list and in the list of each facet's value, except those that `other` has too.
 * `other` has the same model, tier and score.
 */
function addListings(
  listings: Listing[],
  accountId: string,
  entry: RankEntry,
  other: RankEntry | undefined,
): void {
  const { definition, score, facets } = entry
  const tier = definition.tiers[entry.tier]!.name
  if (other === undefined) listings.push({ list: listName(definition.id), tier, score, accountId })
  for (let i = 0; i < facets.length; i++) {
    const value = facets[i]
    if (value === undefined || value === other?.facets[i]) continue
    const { name } = definition.facets[i]!
    listings.push({ list: listName(definition.id, { name, value }), tier, score, accountId })
  }
}

function difference(listings: readonly Listing[], others: readonly Listing[]): Listing[] {
  return listings.filter(
    ({ list, tier, score }) =>
      !others.some(other => other.list === list && other.tier === tier && other.score === score),
  )
}
