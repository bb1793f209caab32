import { Type } from '@sinclair/typebox'
import type { FastifyBaseLogger } from 'fastify'
import { type Listing, listName } from '../../store/store.ts'
import type { ApiInstance } from '../api-instance.ts'
import { accountSummary } from '../documents/account-view.ts'
import {
  type AccountListDocument,
  AccountListSchema,
  type AccountSummaryDocument,
  problemResponses,
  Unchanged,
} from '../documents/schemas.ts'
import { answerUnchanged } from '../plugins/answer-unchanged.ts'
import { Problem } from '../plugins/problems.ts'
import { chooseModel, type KnownModel, knownModels } from '../read/choose-model.ts'
import { decodeCursor, encodeCursor, type ListPosition } from '../read/cursor.ts'
import type { Partitions } from '../read/partitions.ts'
import { readAccounts } from '../read/read-account.ts'
import type { Served } from '../read/served.ts'
import type { LoadAccounts } from '../read/shared-loads.ts'

const ORDERS = { '-score': 'highest-first', score: 'lowest-first' } as const
type Sort = keyof typeof ORDERS

const Query = Type.Object(
  {
    model: Type.Optional(
      Type.String({ description: 'the id of a model; left out: the only one, or the first by id' }),
    ),
    tier: Type.Optional(
      Type.Array(Type.String({ description: 'a tier, or several with commas between', maxLength: 2000 }), {
        description: 'up to 50 tiers, repeated or with commas between; left out: all',
        maxItems: 50,
      }),
    ),
    facet: Type.Optional(
      Type.Array(
        Type.String({
          description: 'a facet of the model and the value that accounts have of it, as in plan:enterprise',
          maxLength: 1200,
        }),
        {
          description:
            'up to 8 facets, repeated; accounts that have all of the values are listed; left out: all',
          maxItems: 8,
        },
      ),
    ),
    minScore: Type.Optional(Type.Number({ description: 'a number; that score is included' })),
    sort: Type.Optional(
      Type.Unsafe<Sort>({
        type: 'string',
        enum: Object.keys(ORDERS),
        default: '-score',
        description: '-score (highest first) or score (lowest first); left out: -score',
      }),
    ),
    limit: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: 100,
        default: 50,
        description: 'a whole number from 1 to 100; left out: 50',
      }),
    ),
    cursor: Type.Optional(
      Type.String({ description: 'nextCursor of the page before, of the same query', maxLength: 4000 }),
    ),
  },
  { additionalProperties: false },
)

interface ListRequest {
  readonly model: KnownModel
  readonly tiers: readonly string[] | undefined
  readonly facets: readonly Facet[]
  readonly minScore: number | undefined
  readonly sort: Sort
  readonly limit: number
  readonly cursor: string | undefined
}

interface Facet {
  readonly name: string
  readonly value: string
}

/** `GET /v1/accounts`: the accounts of one model, ranked by score. */
export function routeListAccounts(api: ApiInstance, served: Served): void {
  api.get(
    '/v1/accounts',
    {
      schema: {
        operationId: 'listAccounts',
        summary: 'Accounts ranked by their score in one model',
        tags: ['accounts'],
        querystring: Query,
        response: {
          200: AccountListSchema,
          304: Unchanged,
          ...problemResponses({ 400: 'What was found, and what is accepted' }),
        },
      },
      onSend: answerUnchanged,
    },
    async ({ query, log }): Promise<AccountListDocument> => {
      const now = served()
      const models = knownModels(await now.partitions.memories())
      const first = models.find(({ isActive }) => isActive)
      if (query.model === undefined && first === undefined)
        return { model: null, items: [], nextCursor: null }
      const ids = models.map(({ id }) => id)
      if (query.model !== undefined && ids.length === 0)
        throw new Problem('UNKNOWN_MODEL', 'No model is active yet; leave model out.')
      const id = chooseModel(ids, query.model ?? first!.id)
      const model = models.find(each => each.id === id)!
      const { minScore, sort = '-score', limit = 50, cursor } = query
      const tiers = requestedTiers(query.tier, model)
      const facets = requestedFacets(query.facet ?? [], model)
      const request = { model, tiers, facets, minScore, sort, limit, cursor }
      return await listAccounts(now, request, log)
    },
  )
}

function requestedTiers(given: readonly string[] | undefined, model: KnownModel): string[] | undefined {
  const tiers = given?.flatMap(names => names.split(',')).filter(name => name !== '')
  if (tiers === undefined || tiers.length === 0) return undefined
  for (const tier of tiers) {
    if (model.tiers.includes(tier)) continue
    const accepted = `accepted for ${model.id}: ${model.tiers.join(', ')}`
    throw new Problem('UNKNOWN_TIER', `tier is ${JSON.stringify(tier)}; ${accepted}.`)
  }
  return [...new Set(tiers)]
}

function requestedFacets(given: readonly string[], model: KnownModel): Facet[] {
  return given.map(text => {
    const colon = text.indexOf(':')
    const [name, value] = [text.slice(0, Math.max(colon, 0)), text.slice(colon + 1)]
    if (colon > 0 && model.facets.includes(name)) return { name, value }
    const names = model.facets.length === 0 ? 'it has none' : `one of ${model.facets.join(', ')}`
    const accepted = `name:value is accepted, where the name is a facet of ${model.id}: ${names}`
    throw new Problem('UNKNOWN_FACET', `facet is ${JSON.stringify(text)}; ${accepted}.`)
  })
}

/** A page looks at no more listings than this for those that have the second and further facets too. */
const MOST_LOOKED_AT = 1000

async function listAccounts(
  { store, load, partitions }: ReturnType<Served>,
  { model, tiers, facets, minScore, sort, limit, cursor }: ListRequest,
  log: FastifyBaseLogger,
): Promise<AccountListDocument> {
  const listed = facets.map(({ name, value }) => `${name}:${value}`)
  const query = { modelId: model.id, tiers, facets: listed, minScore, sort }
  // There is a list for each value of a facet; of several facets the others are looked up in the accounts.
  const [inList, ...others] = facets
  const items: AccountListDocument['items'] = []
  let after = cursor === undefined ? undefined : placeOf(decodeCursor(cursor, query))
  for (let lookedAt = 0; lookedAt < MOST_LOOKED_AT && items.length < limit; ) {
    const size = others.length === 0 ? limit : 100
    const listings = await store.list({
      list: listName(model.id, inList),
      tiers: tiers ?? model.tiers,
      order: ORDERS[sort],
      minScore,
      after,
      // One more tells whether there is a next page.
      limit: size + 1,
    })
    const accounts = await summarise(load, partitions, model.id, listings.slice(0, size), log)
    for (const { place, summary } of accounts) {
      if (items.length === limit) return { model: model.id, items, nextCursor: encodeCursor(after!, query) }
      after = place
      if (summary !== undefined && others.every(({ name, value }) => summary.facets[name] === value))
        items.push(summary)
    }
    if (listings.length <= size) return { model: model.id, items, nextCursor: null }
    lookedAt += accounts.length
  }
  return { model: model.id, items, nextCursor: encodeCursor(after!, query) }
}

function placeOf(place: ListPosition | undefined): ListPosition {
  if (place !== undefined) return place
  const accepted =
    'nextCursor of the page before is accepted, with the same model, tier, facet, minScore and sort'
  throw new Problem('INVALID_CURSOR', `cursor is none, or of another query; ${accepted}.`)
}

interface ListedAccount {
  readonly place: ListPosition
  readonly summary: AccountSummaryDocument | undefined
}

/** An account that changed since it was listed is shown as it is now. */
async function summarise(
  load: LoadAccounts,
  partitions: Partitions,
  modelId: string,
  page: readonly Listing[],
  log: FastifyBaseLogger,
): Promise<ListedAccount[]> {
  const ids = page.map(listing => listing.accountId)
  const accounts = await readAccounts(load, partitions, ids)
  return page.map(place => {
    const { accountId } = place
    const standings = accounts.get(accountId)?.scores.standings ?? []
    const standing = standings.find(each => each.model.definition.id === modelId)
    // Its model was taken away since; anything else would be a hole in the index.
    if (standing === undefined)
      log.warn({ accountId, modelId }, 'a listed account has no standing in its model any more')
    return { place, summary: standing && accountSummary(accountId, standing) }
  })
}
