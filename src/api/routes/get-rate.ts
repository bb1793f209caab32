import { type Static, Type } from '@sinclair/typebox'
import { createYielder } from '../../lib/yielder.ts'
import type { ModelDefinition } from '../../scoring/definition/model-definition.ts'
import type { RateDefinition } from '../../scoring/definition/population-definition.ts'
import { rateBook } from '../../scoring/population/rate-cells.ts'
import {
  createRateTally,
  planRate,
  type Rate,
  type RatePlan,
  type RateQuery,
} from '../../scoring/population/read-rate.ts'
import type { ApiInstance } from '../api-instance.ts'
import { type RateDocument, RateSchema, type RateStep } from '../documents/rate-schemas.ts'
import { problemResponses, Unchanged, WHOLE_STORE_503 } from '../documents/schemas.ts'
import { answerUnchanged } from '../plugins/answer-unchanged.ts'
import { MANY_ROWS } from '../plugins/limit-memory.ts'
import { Problem } from '../plugins/problems.ts'
import { activeModels, chooseModel, requireModels } from '../read/choose-model.ts'
import {
  DATE_PATTERN,
  dateOf,
  EVERY,
  type Every,
  earliestDay,
  OFFERED_DAYS,
  readPeriod,
  stepEnds,
} from '../read/period.ts'
import type { Served } from '../read/served.ts'

const date = (description: string) => Type.Optional(Type.String({ pattern: DATE_PATTERN, description }))

const Query = Type.Object(
  {
    model: Type.Optional(
      Type.String({ description: 'the id of an active model; left out: the first by id that has the rate' }),
    ),
    from: date('a UTC date YYYY-MM-DD, included, of the last 399 days; left out: 29 days before to'),
    to: date('a UTC date YYYY-MM-DD, included, less than 399 days after from; left out: today'),
    every: Type.Optional(
      Type.Unsafe<Every>({
        type: 'string',
        enum: [...EVERY],
        default: 'none',
        description:
          'the steps of the series: day (each day of the period), week (to, and every seventh day before it), month (the last day of each month, and to) or none; left out: none',
      }),
    ),
    window: Type.Optional(
      Type.Integer({
        minimum: 1,
        maximum: OFFERED_DAYS,
        description:
          'a whole number of days from 1 to 399: each step of the series is the rate over that many days, the last of them the step; left out: the length of the period',
      }),
    ),
    by: Type.Optional(
      Type.Array(
        Type.String({ description: 'one segment, or several separated by commas', maxLength: 2000 }),
        {
          description:
            'up to 20 segments of the rate, repeated or separated by commas; left out: no breakdown',
          maxItems: 20,
        },
      ),
    ),
  },
  {
    // The other parameters are named after the model's segments.
    additionalProperties: Type.Array(
      Type.String({ description: 'a value of the segment, other, or unknown', maxLength: 2000 }),
      { maxItems: 50 },
    ),
  },
)
const PARAMETERS = Object.keys(Query.properties)
/** The most steps of all series of an answer together: about 2 MB. */
const MAX_STEPS = 20_000

/** `GET /v1/rates/{id}`: a rate over the population, by segment and over time. */
export function routeGetRate(api: ApiInstance, served: Served, now: () => number): void {
  api.get(
    '/v1/rates/:id',
    {
      schema: {
        operationId: 'getRate',
        summary: 'The share of accounts with certain signals in a period',
        description:
          'The names of the rate’s segments are parameters too: `stage=trial` counts only the accounts in that segment; a repeated parameter counts the accounts in any of its values.',
        tags: ['population'],
        params: Type.Object({ id: Type.String({ description: 'The name of the rate in its model' }) }),
        querystring: Query,
        response: {
          200: RateSchema,
          304: Unchanged,
          ...problemResponses({
            400: 'The query is not valid: detail says what was found and what is accepted',
            404: 'No active model has such a rate',
            503: WHOLE_STORE_503,
          }),
        },
      },
      config: MANY_ROWS,
      onSend: answerUnchanged,
    },
    async ({ params, query }): Promise<RateDocument> => {
      const serving = served()
      return await serving.partitions.whileWhole(() => answerQuery(serving, params.id, query, now()))
    },
  )
}

async function answerQuery(
  { store, partitions }: ReturnType<Served>,
  name: string,
  query: Static<typeof Query>,
  now: number,
): Promise<RateDocument> {
  const { model, rate } = findRate(activeModels(await partitions.memories()), name, query.model)
  const period = readPeriod(query.from, query.to, now)
  const periodDays = period.to - period.from + 1
  const windowDays = query.window ?? periodDays
  const ends = stepEnds(period, query.every ?? 'none').filter(end => end - windowDays + 1 >= earliestDay(now))
  const by = segmentsNamed(query.by, rate)
  const asked: RateQuery = {
    windows: [
      { days: periodDays, ends: [period.to] },
      { days: windowDays, ends },
    ],
    where: valuesAsked(query as Readonly<Record<string, unknown>>, rate),
    by,
  }

  const [totals] = await store.readCounters([rateBook(model.id, rate)])
  const plan = planRate(model.id, rate, asked, totals!)
  requireSteps(ends.length, plan)
  const tally = createRateTally(plan)
  const yielder = createYielder()
  for (const book of plan.books) {
    const [counters] = await store.readCounters([book])
    await yielder.each(counters!, ([field, count]) => tally.add(field, count))
  }
  const view = ([whole, steps]: readonly (readonly Rate[])[]) => ({
    ...counts(whole![0]!),
    series: steps!.map((step, i): RateStep => {
      const end = ends[i]!
      return { from: dateOf(end - windowDays + 1), to: dateOf(end), ...counts(step) }
    }),
  })
  const groups = by.length === 0 ? [] : tally.groups()
  return {
    rate: rate.name,
    title: rate.title,
    model: model.id,
    from: dateOf(period.from),
    to: dateOf(period.to),
    windowDays,
    total: view(tally.total()),
    segments: groups.map(({ values, rates }) => ({
      values: Object.fromEntries(by.map((name, i) => [name, values[i]!])),
      ...view(rates),
    })),
  }
}

/** @throws Problem NO_ACTIVE_MODEL, UNKNOWN_MODEL, UNKNOWN_RATE */
function findRate(
  models: readonly ModelDefinition[],
  name: string,
  modelId: string | undefined,
): { readonly model: ModelDefinition; readonly rate: RateDefinition } {
  requireModels(models)
  const id =
    modelId === undefined
      ? undefined
      : chooseModel(
          models.map(model => model.id),
          modelId,
        )
  const asked = id === undefined ? models : models.filter(model => model.id === id)
  for (const model of asked) {
    const rate = model.rates.find(each => each.name === name)
    if (rate !== undefined) return { model, rate }
  }
  const names = [...new Set(asked.flatMap(({ rates }) => rates.map(rate => rate.name)))].sort()
  const accepted = names.length === 0 ? 'there are no rates in' : `accepted: ${names.join(', ')} of`
  throw new Problem(
    'UNKNOWN_RATE',
    `The rate is ${JSON.stringify(name)}; ${accepted} ${id ?? 'the active models'}.`,
  )
}

/** @throws Problem UNKNOWN_SEGMENT */
function segmentsNamed(given: readonly string[] | undefined, { segments }: RateDefinition): string[] {
  const names = (given ?? []).flatMap(text => text.split(','))
  const known = segments.map(({ name }) => name)
  for (const name of names) {
    if (!known.includes(name))
      throw new Problem('UNKNOWN_SEGMENT', `by is ${JSON.stringify(name)}; ${accepted(known)}.`)
  }
  return [...new Set(names)]
}

/** @throws Problem UNKNOWN_SEGMENT, also for a misspelt parameter */
function valuesAsked(
  query: Readonly<Record<string, unknown>>,
  { segments }: RateDefinition,
): Map<string, ReadonlySet<string>> {
  const where = new Map<string, ReadonlySet<string>>()
  for (const [name, given] of Object.entries(query)) {
    if (PARAMETERS.includes(name)) continue
    const segment = segments.find(each => each.name === name)
    if (segment === undefined) {
      const known = [...PARAMETERS, ...segments.map(each => each.name)]
      throw new Problem('UNKNOWN_SEGMENT', `The parameter is ${JSON.stringify(name)}; ${accepted(known)}.`)
    }
    const known = [...segment.values, 'other', 'unknown']
    for (const value of given as string[]) {
      if (!known.includes(value))
        throw new Problem('UNKNOWN_SEGMENT', `${name} is ${JSON.stringify(value)}; ${accepted(known)}.`)
    }
    where.set(name, new Set(given as string[]))
  }
  return where
}

/** @throws Problem INVALID_PERIOD */
function requireSteps(steps: number, { segments }: RatePlan): void {
  const groups = new Set(segments.map(({ groupValues }) => JSON.stringify(groupValues))).size
  if (steps * groups <= MAX_STEPS) return
  throw new Problem(
    'INVALID_PERIOD',
    `The series of ${groups} segments are ${steps} steps each; up to ${MAX_STEPS} steps in all are accepted. Ask for weeks or months, fewer days, or fewer segments.`,
  )
}

function accepted(names: readonly string[]): string {
  return names.length === 0 ? 'the rate has no segments' : `accepted: ${names.join(', ')}`
}

function counts({ accounts, exhibiting, rate }: Rate) {
  return { accounts, exhibiting, rate: rate ?? null }
}
