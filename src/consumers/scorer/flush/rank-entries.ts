import type { ModelDefinition } from '../../../scoring/definition/model-definition.ts'
import type { Standing } from '../../../scoring/standing.ts'
import { type Listing, listName } from '../../../store/store.ts'

/** What `account-scores` shows of a standing besides its model, score and tier. */
type Shown = Pick<Standing, 'tierSince' | 'coverage' | 'changedAt' | 'cause'>

/** Where an account is in the ranked lists of one model, and what is shown of it, as last written. */
export interface RankEntry extends Readonly<Shown> {
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
  /** Whether anything that `account-scores` shows of it changed, or the account is new. */
  readonly areScoresChanged: boolean
}

const NONE: readonly never[] = []

export function rankEntriesOf(standings: readonly Standing[]): readonly RankEntry[] {
  return standings.map(rankEntryOf)
}

function rankEntryOf(standing: Standing): RankEntry {
  const { model, tier, score, facets, tierSince, coverage, changedAt, cause } = standing
  return {
    definition: model.definition,
    tier,
    score,
    // A copy: the standing's own list changes with the account.
    facets: facets.length === 0 ? NONE : [...facets],
    tierSince,
    coverage,
    changedAt,
    cause,
  }
}

/** `before` undefined: a new account. */
export function compareRankEntries(
  accountId: string,
  before: readonly RankEntry[] | undefined,
  standings: readonly Standing[],
): RankChanges {
  if (before === undefined || !areOfSameModels(before, standings))
    return compareAcrossModels(accountId, before, standings)
  if (areAllAsBefore(before, standings)) return unchanged(before)
  const rankEntries = before.slice()
  const listingsRemoved: Listing[] = []
  const listingsAdded: Listing[] = []
  let areScoresChanged = false
  for (let i = 0; i < rankEntries.length; i++) {
    const old = rankEntries[i]!
    if (isAt(old, standings[i]!) && isShownAs(old, standings[i]!)) continue
    const now = rankEntryOf(standings[i]!)
    rankEntries[i] = now
    const moved = old.tier !== now.tier || old.score !== now.score
    addListings(listingsRemoved, accountId, old, moved ? undefined : now)
    addListings(listingsAdded, accountId, now, moved ? undefined : old)
    areScoresChanged ||= moved || !isShownAs(old, now)
  }
  return { rankEntries, listingsRemoved, listingsAdded, areScoresChanged }
}

function areOfSameModels(rankEntries: readonly RankEntry[], standings: readonly Standing[]): boolean {
  if (rankEntries.length !== standings.length) return false
  for (let i = 0; i < rankEntries.length; i++)
    if (rankEntries[i]!.definition !== standings[i]!.model.definition) return false
  return true
}

function areAllAsBefore(before: readonly RankEntry[], standings: readonly Standing[]): boolean {
  for (let i = 0; i < before.length; i++)
    if (!isAt(before[i]!, standings[i]!) || !isShownAs(before[i]!, standings[i]!)) return false
  return true
}

function unchanged(rankEntries: readonly RankEntry[]): RankChanges {
  return { rankEntries, listingsRemoved: NONE, listingsAdded: NONE, areScoresChanged: false }
}

function isAt(entry: RankEntry, { tier, score, facets }: Standing): boolean {
  if (entry.tier !== tier || entry.score !== score) return false
  for (let i = 0; i < facets.length; i++) if (entry.facets[i] !== facets[i]) return false
  return true
}

/**
 * A score may come back between two flushes, a PQL may end or an input become known, and the score stays: its
 * record would keep an old time and cause for as long as the account is quiet.
 */
function isShownAs(entry: RankEntry, { tierSince, coverage, changedAt, cause }: Shown): boolean {
  return (
    entry.changedAt === changedAt &&
    entry.coverage === coverage &&
    entry.tierSince === tierSince &&
    entry.cause.type === cause.type &&
    entry.cause.signalId === cause.signalId
  )
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
  const areScoresChanged =
    before === undefined ||
    rankEntries.length !== before.length ||
    rankEntries.some((entry, i) => entry.definition.version !== before[i]!.definition.version) ||
    rankEntries.some((entry, i) => !isShownAs(entry, before[i]!)) ||
    rankEntries.some(({ definition }) => listingsAdded.some(({ list }) => list === listName(definition.id)))
  return { rankEntries, listingsRemoved: difference(old, now), listingsAdded, areScoresChanged }
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
