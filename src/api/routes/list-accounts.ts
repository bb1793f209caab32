import { type Static, Type } from '@sinclair/typebox'
import { type Listing, listName } from '../../store/store.ts'
import type { ApiInstance } from '../api-instance.ts'
import { accountSummary } from '../documents/account-view.ts'
import {
  type AccountListDocument,
  AccountListSchema,
  type AccountSummaryDocument,
  problemResponses,
  Unchanged,
  WHOLE_STORE_503,
} from '../documents/schemas.ts'
import { answerUnchanged } from '../plugins/answer-unchanged.ts'
import { MANY_ROWS } from '../plugins/limit-memory.ts'
import { Problem } from '../plugins/problems.ts'
import { chooseModel, type KnownModel, knownModels, requireModels } from '../read/choose-model.ts'
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
      Type.String({ description: 'the id of a model; left out: the first active one by id' }),
    ),
    tier: Type.Optional(
      Type.Array(Type.String({ description: 'one tier, or several separated by commas', maxLength: 2000 }), {
        description: 'up to 50 tiers, repeated or separated by commas; left out: all',
        maxItems: 50,
      }),
    ),
    facet: Type.Optional(
      Type.Array(
        Type.String({
          description: 'a facet of the model and its value, such as plan:enterprise',
          maxLength: 1200,
        }),
        {
          description:
            'up to 8 facets, repeated; lists the accounts that have all of the values; left out: all accounts',
          maxItems: 8,
        },
      ),
    ),
    minScore: Type.Optional(
      Type.Number({ description: 'a number, the lowest score listed; left out: every score' }),
    ),
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
      Type.String({
        description: 'nextCursor of the page before, with the same query; left out: the first page',
        maxLength: 4000,
      }),
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
          ...problemResponses({
            400: 'The query is not valid: detail says what was found and what is accepted',
            503: WHOLE_STORE_503,
          }),
        },
      },
      config: MANY_ROWS,
      onSend: answerUnchanged,
    },
    async ({ query }): Promise<AccountListDocument> => {
      const serving = served()
      return await serving.partitions.whileWhole(() => answerQuery(serving, query))
    },
  )
}

async function answerQuery(
  serving: ReturnType<Served>,
  query: Static<typeof Query>,
): Promise<AccountListDocument> {
  const models = knownModels(await serving.partitions.memories())
  const first = models.find(({ isActive }) => isActive)
  if (query.model === undefined && first === undefined) return { model: null, items: [], nextCursor: null }
  requireModels(models)
  const ids = models.map(({ id }) => id)
  const id = chooseModel(ids, query.model ?? first!.id)
  const model = models.find(each => each.id === id)!
  const { minScore, sort = '-score', limit = 50, cursor } = query
  const tiers = requestedTiers(query.tier, model)
  const facets = requestedFacets(query.facet ?? [], model)
  return await listAccounts(serving, { model, tiers, facets, minScore, sort, limit, cursor })
}

function requestedTiers(given: readonly string[] | undefined, model: KnownModel): string[] | undefined {
  const tiers = given?.flatMap(names => names.split(','))
  if (tiers === undefined) return undefined
  for (const tier of tiers) {
    if (model.tiers.includes(tier)) continue
    const accepted = `accepted for ${model.id}: ${model.tiers.join(', ')}`
    throw new Problem('UNKNOWN_TIER', `tier is ${JSON.stringify(tier)}; ${accepted}.`)
  }
  return [...new Set(tiers)]
}

function requestedFacets(given: readonly string[], model: KnownModel): Facet[] {
  // A repeated facet changes nothing, but a second facet costs a read of every account in the list.
  return [...new Set(given)].map(text => {
    const colon = text.indexOf(':')
    const [name, value] = [text.slice(0, Math.max(colon, 0)), text.slice(colon + 1)]
    if (model.facets.includes(name) && value.trim() !== '') return { name, value }
    const names = model.facets.length === 0 ? 'it has none' : `one of ${model.facets.join(', ')}`
    const accepted = `name:value is accepted, where the name is a facet of ${model.id}: ${names}`
    throw new Problem('UNKNOWN_FACET', `facet is ${JSON.stringify(text)}; ${accepted}.`)
  })
}

/** The most rows that one page reads to find accounts with a second facet. */
const MAX_LISTINGS_READ = 1000

async function listAccounts(
  { store, load, partitions }: ReturnType<Served>,
  { model, tiers, facets, minScore, sort, limit, cursor }: ListRequest,
): Promise<AccountListDocument> {
  const listed = facets.map(({ name, value }) => `${name}:${value}`)
  const query = { modelId: model.id, tiers, facets: listed, minScore, sort }
  // The store has a list for each value of a facet. The values of further facets are read from the accounts.
  const [inList, ...others] = facets
  const items: AccountListDocument['items'] = []
  let after = cursor === undefined ? undefined : requirePosition(decodeCursor(cursor, query))
  for (let listingsRead = 0; listingsRead < MAX_LISTINGS_READ && items.length < limit; ) {
    const size = others.length === 0 ? limit : 100
    const listings = await store.list({
      list: listName(model.id, inList),
      tiers: tiers ?? model.tiers,
      order: ORDERS[sort],
      minScore,
      after,
      // One more shows whether there is a next page.
      limit: size + 1,
    })
    const accounts = await summarise(load, partitions, model.id, listings.slice(0, size))
    for (const { listing, summary } of accounts) {
      if (items.length === limit) return { model: model.id, items, nextCursor: encodeCursor(after!, query) }
      after = listing
      if (summary !== undefined && others.every(({ name, value }) => summary.facets[name] === value))
        items.push(summary)
    }
    if (listings.length <= size) return { model: model.id, items, nextCursor: null }
    listingsRead += accounts.length
  }
  return { model: model.id, items, nextCursor: encodeCursor(after!, query) }
}

/** @throws Problem INVALID_CURSOR */
function requirePosition(position: ListPosition | undefined): ListPosition {
  if (position !== undefined) return position
  const accepted =
    'nextCursor of the page before is accepted, with the same model, tier, facet, minScore and sort'
  throw new Problem('INVALID_CURSOR', `cursor is not valid, or belongs to another query; ${accepted}.`)
}

interface ListedAccount {
  readonly listing: ListPosition
  /** Undefined: the account has no standing in the model any more. */
  readonly summary: AccountSummaryDocument | undefined
}

/** Shows each account as it is now, even if it changed after it was listed. */
async function summarise(
  load: LoadAccounts,
  partitions: Partitions,
  modelId: string,
  page: readonly Listing[],
): Promise<ListedAccount[]> {
  const ids = page.map(listing => listing.accountId)
  const accounts = await readAccounts(load, partitions, ids)
  return page.map(listing => {
    const { accountId } = listing
    const standings = accounts.get(accountId)?.scores.standings ?? []
    const standing = standings.find(each => each.model.definition.id === modelId)
    // Undefined: the model was removed meanwhile.
    return { listing, summary: standing && accountSummary(accountId, standing) }
  })
}
