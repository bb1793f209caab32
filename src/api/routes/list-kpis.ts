import { type Static, Type } from '@sinclair/typebox'
import { createYielder } from '../../lib/yielder.ts'
import { featuresRead } from '../../scoring/definition/compile-expression.ts'
import { MOTIONS, type ModelDefinition } from '../../scoring/definition/model-definition.ts'
import type { KpiSection } from '../../scoring/definition/population-definition.ts'
import { monthOf } from '../../scoring/population/kpi-counts.ts'
import {
  compileFigures,
  createKpiTally,
  KPI_DIMENSIONS,
  type KpiAnswer,
  type KpiDimension,
  type KpiFilter,
  type KpiTally,
  kpiBooks,
} from '../../scoring/population/read-kpis.ts'
import type { ApiInstance } from '../api-instance.ts'
import { type KpiDocument, type KpiListDocument, KpiListSchema } from '../documents/kpi-schemas.ts'
import { problemResponses, Unchanged, WHOLE_STORE_503 } from '../documents/schemas.ts'
import { answerUnchanged } from '../plugins/answer-unchanged.ts'
import { MANY_ROWS } from '../plugins/limit-memory.ts'
import { Problem } from '../plugins/problems.ts'
import { activeModels, chooseModel, requireModels } from '../read/choose-model.ts'
import type { Served } from '../read/served.ts'

const only = (what: string) =>
  Type.Optional(
    Type.String({ description: `${what}; empty: the ones that have none; left out: all`, maxLength: 2000 }),
  )

const Query = Type.Object(
  {
    month: Type.Optional(
      Type.String({
        pattern: '^\\d{4}-(0[1-9]|1[0-2])$',
        description: 'a UTC month YYYY-MM; left out: the current month',
      }),
    ),
    model: Type.Optional(
      Type.String({
        description: 'the id of an active model; left out: the first by id that has key figures',
      }),
    ),
    by: Type.Optional(
      Type.Unsafe<KpiDimension>({
        type: 'string',
        enum: [...KPI_DIMENSIONS],
        description: 'motion, tier or csm; left out: no breakdown',
      }),
    ),
    motion: only('counts only signals and PQLs of this motion'),
    tier: only('counts only signals and PQLs of accounts that were in this tier at the time'),
    csm: only('counts only signals and PQLs of accounts of this customer success manager (CSM)'),
  },
  { additionalProperties: false },
)

/** With more groups an answer would have several MB: there are as many CSMs as accounts ever named. */
const MAX_GROUPS = 500
/** How many groups' documents are made before other work gets its turn: a few ms. */
const GROUPS_PER_TURN = 50

/** `GET /v1/kpis`: a model's key figures of a month, with their targets. */
export function routeListKpis(api: ApiInstance, served: Served, now: () => number): void {
  api.get(
    '/v1/kpis',
    {
      config: { emptyParameters: KPI_DIMENSIONS, ...MANY_ROWS },
      schema: {
        operationId: 'listKpis',
        summary: 'The key figures of a month, and whether they meet their targets',
        tags: ['population'],
        querystring: Query,
        response: {
          200: KpiListSchema,
          304: Unchanged,
          ...problemResponses({
            400: 'The query is not valid: detail says what was found and what is accepted',
            404: 'No active model has key figures',
            503: WHOLE_STORE_503,
          }),
        },
      },
      onSend: answerUnchanged,
    },
    async ({ query }): Promise<KpiListDocument> => {
      const serving = served()
      return await serving.partitions.whileWhole(() => answerQuery(serving, query, now()))
    },
  )
}

async function answerQuery(
  { store, partitions }: ReturnType<Served>,
  query: Static<typeof Query>,
  now: number,
): Promise<KpiListDocument> {
  const { model, section } = findSection(activeModels(await partitions.memories()), query.model)
  const month = requireCome(query.month, monthOf(now))
  const filter = filterOf(query)
  requireMotion(filter)
  const { by } = query
  const tally = createKpiTally(model.id, section, { month, filter, by })
  const yielder = createYielder()
  for (const book of kpiBooks(model.id, section)) {
    const [counters] = await store.readCounters([book])
    await yielder.each(counters!, ([field, count]) => tally.add(book, field, count))
  }
  requireTier(model, tally, filter)
  const { total, groups, groupsLeftOut } = tally.measures(MAX_GROUPS)
  const figures = compileFigures(section)
  const documents: KpiListDocument['groups'] = []
  await createYielder(GROUPS_PER_TURN).each(groups, ({ value, measures }) =>
    documents.push({ [by!]: value, kpis: kpiDocuments(figures(measures), measures) }),
  )
  return {
    model: model.id,
    month,
    kpis: kpiDocuments(figures(total), total),
    groups: documents,
    groupsLeftOut,
  }
}

/** @throws Problem NO_ACTIVE_MODEL, UNKNOWN_MODEL, NO_KPIS */
function findSection(
  models: readonly ModelDefinition[],
  modelId: string | undefined,
): { readonly model: ModelDefinition; readonly section: KpiSection } {
  requireModels(models)
  const id =
    modelId === undefined
      ? undefined
      : chooseModel(
          models.map(model => model.id),
          modelId,
        )
  for (const model of models) {
    if ((id === undefined || model.id === id) && model.kpis !== undefined)
      return { model, section: model.kpis }
  }
  throw new Problem(
    'NO_KPIS',
    `${id === undefined ? 'No active model has' : `The model ${id} does not have`} key figures. A model defines them in its part kpis.`,
  )
}

/** @throws Problem INVALID_PERIOD: the month has not come yet */
function requireCome(month: string | undefined, current: string): string {
  if (month === undefined || month <= current) return month ?? current
  throw new Problem(
    'INVALID_PERIOD',
    `month is ${month}, which has not come yet: it is ${current} in UTC; that month or an earlier one is accepted.`,
  )
}

function filterOf(query: { readonly [Dimension in KpiDimension]?: string }): KpiFilter {
  return Object.fromEntries(
    KPI_DIMENSIONS.filter(dimension => query[dimension] !== undefined).map(dimension => [
      dimension,
      query[dimension] === '' ? null : query[dimension]!,
    ]),
  )
}

/** Refuses a misspelt motion, which would otherwise give zeros. @throws Problem UNKNOWN_MOTION */
function requireMotion({ motion }: KpiFilter): void {
  if (motion === undefined || motion === null || MOTIONS.some(known => known === motion)) return
  throw new Problem(
    'UNKNOWN_MOTION',
    `motion is ${JSON.stringify(motion)}; accepted: ${MOTIONS.join(', ')}; empty: no motion.`,
  )
}

/**
 * Accepts the model's tiers, and any tier that was counted: earlier versions may have others.
 * @throws Problem UNKNOWN_TIER
 */
function requireTier(model: ModelDefinition, { tiers }: KpiTally, { tier }: KpiFilter): void {
  const known = model.tiers.map(({ name }) => name)
  if (tier === undefined || tier === null || known.includes(tier) || tiers.has(tier)) return
  throw new Problem('UNKNOWN_TIER', `tier is ${JSON.stringify(tier)}; accepted: ${known.join(', ')}.`)
}

function kpiDocuments(figures: readonly KpiAnswer[], measures: ReadonlyMap<string, number>): KpiDocument[] {
  return figures.map(({ definition, value, isMet }) => ({
    name: definition.name,
    title: definition.title,
    value: value ?? null,
    unit: definition.unit,
    target: definition.target ?? null,
    met: isMet ?? null,
    measures: Object.fromEntries(
      featuresRead(definition.formula.expression).map(name => [name, measures.get(name)!]),
    ),
  }))
}
