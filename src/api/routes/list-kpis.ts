import { Type } from '@sinclair/typebox'
import { featuresRead } from '../../scoring/conditions.ts'
import type { CounterBook } from '../../scoring/counters.ts'
import { monthOf } from '../../scoring/kpi-counts.ts'
import { type KpiSection, MOTIONS, type ModelDefinition } from '../../scoring/model-definition.ts'
import {
  evaluateKpis,
  KPI_DIMENSIONS,
  type KpiDimension,
  type KpiFilter,
  kpiBooks,
  readMeasures,
  splitValues,
} from '../../scoring/read-kpis.ts'
import type { AccountStore } from '../../store/store.ts'
import { activeModels } from '../active-models.ts'
import { answerUnchanged } from '../answer-unchanged.ts'
import type { ApiInstance } from '../api-instance.ts'
import { chooseModel } from '../choose-model.ts'
import { type KpiDocument, type KpiListDocument, KpiListSchema } from '../kpi-schemas.ts'
import type { Partitions } from '../partitions.ts'
import { Problem } from '../problems.ts'
import { problemResponses, Unchanged } from '../schemas.ts'

const only = (what: string) =>
  Type.Optional(
    Type.String({ description: `${what}; empty: those that belong to none; left out: all`, maxLength: 2000 }),
  )

const Query = Type.Object(
  {
    month: Type.Optional(
      Type.String({
        pattern: '^\\d{4}-(0[1-9]|1[0-2])$',
        description: 'a UTC month YYYY-MM; left out: the present one',
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
    motion: only('signals and PQLs of this motion alone'),
    tier: only('signals and PQLs of accounts that stood in this tier alone'),
    csm: only('signals and PQLs of the accounts of this CSM alone'),
  },
  { additionalProperties: false },
)

interface KpiBooks {
  readonly model: ModelDefinition
  readonly section: KpiSection
  readonly books: ReadonlyMap<string, CounterBook>
  readonly month: string
}

/** `GET /v1/kpis`: a model's key figures of a month, with their targets. */
export function routeListKpis(
  api: ApiInstance,
  store: AccountStore,
  partitions: Partitions,
  now: () => number,
): void {
  api.get(
    '/v1/kpis',
    {
      schema: {
        operationId: 'listKpis',
        summary: 'The key figures of a month, and whether they meet their targets',
        tags: ['population'],
        querystring: Query,
        response: {
          200: KpiListSchema,
          304: Unchanged,
          ...problemResponses({
            400: 'What was found, and what is accepted',
            404: 'No active model has key figures',
          }),
        },
      },
      onSend: answerUnchanged,
    },
    async ({ query }): Promise<KpiListDocument> => {
      const { model, section } = findSection(activeModels(await partitions.memories()), query.model)
      const month = query.month ?? monthOf(now())
      const names = kpiBooks(model.id, section)
      const found = await store.readCounters(names)
      const read: KpiBooks = {
        model,
        section,
        books: new Map(names.map((name, i) => [name, found[i]!])),
        month,
      }
      const filter = filterOf(query)
      requireKnown(read, filter)
      const { by } = query
      const values = by === undefined ? [] : splitValues(model.id, section, read.books, month, filter, by)
      return {
        model: model.id,
        month,
        kpis: kpiDocuments(read, filter),
        groups: values.map(value => ({
          [by!]: value,
          kpis: kpiDocuments(read, { ...filter, [by!]: value }),
        })),
      }
    },
  )
}

/** @throws Problem UNKNOWN_MODEL, NO_KPIS */
function findSection(
  models: readonly ModelDefinition[],
  modelId: string | undefined,
): { readonly model: ModelDefinition; readonly section: KpiSection } {
  if (models.length === 0)
    throw new Problem('NO_KPIS', 'No model is active yet, and so there are no key figures.')
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
    `${id === undefined ? 'No active model' : `The model ${id}`} measures key figures: a model that does has a part kpis.`,
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

/**
 * A misspelt motion or tier would be answered with zeros: those that the model has are accepted, and those that were counted.
 * @throws Problem UNKNOWN_TIER, UNKNOWN_MOTION
 */
function requireKnown({ model, section, books, month }: KpiBooks, { motion, tier }: KpiFilter): void {
  const require = (
    dimension: 'motion' | 'tier',
    asked: string | null | undefined,
    known: readonly string[],
  ) => {
    if (asked === undefined || asked === null || known.includes(asked)) return
    if (splitValues(model.id, section, books, month, {}, dimension).includes(asked)) return
    const code = dimension === 'tier' ? 'UNKNOWN_TIER' : 'UNKNOWN_MOTION'
    throw new Problem(code, `${dimension} is ${JSON.stringify(asked)}; accepted: ${known.join(', ')}.`)
  }
  require('motion', motion, MOTIONS)
  require('tier', tier, model.tiers.map(({ name }) => name))
}

function kpiDocuments({ model, section, books, month }: KpiBooks, filter: KpiFilter): KpiDocument[] {
  const measures = readMeasures(model.id, section, books, month, filter)
  return evaluateKpis(section, measures).map(({ definition, value, isMet }) => ({
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
