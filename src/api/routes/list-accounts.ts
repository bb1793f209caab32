import { Type } from '@sinclair/typebox'
import type { FastifyBaseLogger } from 'fastify'
import type { AccountStore, Listing } from '../../store/store.ts'
import { answerUnchanged } from '../answer-unchanged.ts'
import type { ApiInstance } from '../api-instance.ts'
import { chooseModel } from '../choose-model.ts'
import { decodeCursor, encodeCursor, type ListPlace } from '../cursor.ts'
import { type KnownModel, knownModels } from '../known-models.ts'
import type { Partitions } from '../partitions.ts'
import { Problem } from '../problems.ts'
import { readAccounts } from '../read-account.ts'
import { type AccountListDocument, AccountListSchema, problemResponses, Unchanged } from '../schemas.ts'
import { accountSummary } from '../views.ts'

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
  readonly minScore: number | undefined
  readonly sort: Sort
  readonly limit: number
  readonly cursor: string | undefined
}

/** `GET /v1/accounts`: the accounts of one model, ranked by score. */
export function routeListAccounts(api: ApiInstance, store: AccountStore, partitions: Partitions): void {
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
      const models = knownModels(await partitions.memories())
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
      return await listAccounts(store, partitions, { model, tiers, minScore, sort, limit, cursor }, log)
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

async function listAccounts(
  store: AccountStore,
  partitions: Partitions,
  { model, tiers, minScore, sort, limit, cursor }: ListRequest,
  log: FastifyBaseLogger,
): Promise<AccountListDocument> {
  const query = { modelId: model.id, tiers, minScore, sort }
  const listings = await store.list({
    modelId: model.id,
    tiers: tiers ?? model.tiers,
    order: ORDERS[sort],
    minScore,
    after: cursor === undefined ? undefined : placeOf(decodeCursor(cursor, query)),
    // One more tells whether there is a next page.
    limit: limit + 1,
  })
  const page = listings.slice(0, limit)
  const items = await summarise(store, partitions, page, log)
  const isLast = listings.length <= limit
  return { model: model.id, items, nextCursor: isLast ? null : encodeCursor(page.at(-1)!, query) }
}

function placeOf(place: ListPlace | undefined): ListPlace {
  if (place !== undefined) return place
  const accepted = 'nextCursor of the page before is accepted, with the same model, tier, minScore and sort'
  throw new Problem('INVALID_CURSOR', `cursor is none, or of another query; ${accepted}.`)
}

/** An account that changed since it was listed is shown as it is now. */
async function summarise(
  store: AccountStore,
  partitions: Partitions,
  page: readonly Listing[],
  log: FastifyBaseLogger,
): Promise<AccountListDocument['items']> {
  const ids = page.map(listing => listing.accountId)
  const accounts = await readAccounts(store, partitions, ids)
  return page.flatMap(({ accountId, modelId }) => {
    const standings = accounts.get(accountId)?.scores.standings ?? []
    const standing = standings.find(each => each.model.definition.id === modelId)
    if (standing !== undefined) return [accountSummary(accountId, standing)]
    // Its model was taken away since; anything else would be a hole in the index.
    log.warn({ accountId, modelId }, 'a listed account has no standing in its model any more')
    return []
  })
}
