import type { ModelDefinition } from '../../scoring/definition/model-definition.ts'
import type { Standing } from '../../scoring/standing.ts'
import { listName } from '../../store/list-name.ts'
import type { Listing } from '../../store/store.ts'

/** Where an account stands in the lists of one model, as they were written. */
export interface Place {
  readonly definition: ModelDefinition
  /** Index in the model's tiers. */
  readonly tier: number
  readonly score: number
  /** Its value of each of the model's facets. */
  readonly facets: readonly (string | undefined)[]
}

/** What changes in the lists between two times of one account. */
export interface PlaceChanges {
  /** As they are now: those before where all are as they were. */
  readonly places: readonly Place[]
  readonly listingsRemoved: readonly Listing[]
  readonly listingsAdded: readonly Listing[]
  /** Whether its score or tier by any model or a model's version changed, or it is new. */
  readonly isMoved: boolean
}

const NONE: readonly never[] = []

export function placesOf(standings: readonly Standing[]): readonly Place[] {
  return standings.map(placeOf)
}

function placeOf({ model: { definition }, tier, score, facets }: Standing): Place {
  // The standing's own list changes as the account does.
  return { definition, tier, score, facets: facets.length === 0 ? NONE : [...facets] }
}

/** `before`: undefined of a new account. */
export function comparePlaces(
  accountId: string,
  before: readonly Place[] | undefined,
  standings: readonly Standing[],
): PlaceChanges {
  if (before === undefined || !areOfSameModels(before, standings))
    return compareAcrossModels(accountId, before, standings)
  if (areAllAt(before, standings)) return unchanged(before)
  const places = before.slice()
  const listingsRemoved: Listing[] = []
  const listingsAdded: Listing[] = []
  let isMoved = false
  for (let i = 0; i < places.length; i++) {
    const old = places[i]!
    if (isAt(old, standings[i]!)) continue
    const now = placeOf(standings[i]!)
    places[i] = now
    const moved = old.tier !== now.tier || old.score !== now.score
    addListings(listingsRemoved, accountId, old, moved ? undefined : now)
    addListings(listingsAdded, accountId, now, moved ? undefined : old)
    isMoved ||= moved
  }
  return { places, listingsRemoved, listingsAdded, isMoved }
}

function areOfSameModels(places: readonly Place[], standings: readonly Standing[]): boolean {
  if (places.length !== standings.length) return false
  for (let i = 0; i < places.length; i++)
    if (places[i]!.definition !== standings[i]!.model.definition) return false
  return true
}

function areAllAt(places: readonly Place[], standings: readonly Standing[]): boolean {
  for (let i = 0; i < places.length; i++) if (!isAt(places[i]!, standings[i]!)) return false
  return true
}

function unchanged(places: readonly Place[]): PlaceChanges {
  return { places, listingsRemoved: NONE, listingsAdded: NONE, isMoved: false }
}

function isAt(place: Place, { tier, score, facets }: Standing): boolean {
  if (place.tier !== tier || place.score !== score) return false
  for (let i = 0; i < facets.length; i++) if (place.facets[i] !== facets[i]) return false
  return true
}

/** Where models came, went or changed: tiers and facets are compared by their names. */
function compareAcrossModels(
  accountId: string,
  before: readonly Place[] | undefined,
  standings: readonly Standing[],
): PlaceChanges {
  const places = placesOf(standings)
  const old = listingsOf(accountId, before ?? NONE)
  const now = listingsOf(accountId, places)
  const listingsAdded = difference(now, old)
  const isMoved =
    before === undefined ||
    places.length !== before.length ||
    places.some(({ definition }, i) => definition.version !== before[i]!.definition.version) ||
    places.some(({ definition }) => listingsAdded.some(({ list }) => list === listName(definition.id)))
  return { places, listingsRemoved: difference(old, now), listingsAdded, isMoved }
}

export function listingsOf(accountId: string, places: readonly Place[]): Listing[] {
  const listings: Listing[] = []
  for (const place of places) addListings(listings, accountId, place, undefined)
  return listings
}

/** In the model's list, and in that of each facet's value; without those that it has in common with `other`, of the same model, tier and score. */
function addListings(listings: Listing[], accountId: string, place: Place, other: Place | undefined): void {
  const { definition, score, facets } = place
  const tier = definition.tiers[place.tier]!.name
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
