import { type Static, Type } from '@sinclair/typebox'
import { NOT_COUNTED_CODES } from '../../analysis/not-counted.ts'
import { MOTIONS } from '../../scoring/definition/model-definition.ts'
import { EXPLANATION_PARTS } from './explanation-schemas.ts'
import { KpiSchema } from './kpi-schemas.ts'
import { LimitsField, UnreadField } from './limits-view.ts'
import {
  byName,
  CauseSchema,
  choice,
  FeatureValue,
  InputSchema,
  Names,
  OverrideSchema,
  orNull,
  Queue,
  ref,
  Time,
} from './schema-parts.ts'
import { SignalSchema } from './signal-schema.ts'

// The schemas of the answers. They give the answers their types, their serialisers and their documentation.

const ProblemSchema = Type.Object(
  {
    type: Type.String({ format: 'uri-reference' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String(),
    instance: Type.String({ description: 'The URL of the request' }),
    requestId: Type.Optional(
      Type.String({ description: 'The id of the request, also in the header x-request-id and in the log' }),
    ),
    code: Type.String({ description: 'For programs; never changes' }),
    errors: Type.Optional(
      Type.Array(
        Type.Unsafe<Readonly<Record<string, unknown>>>({ type: 'object', additionalProperties: true }),
        {
          description: 'One entry for each error',
        },
      ),
    ),
  },
  { $id: 'Problem', description: 'An error, as in RFC 9457' },
)

const PqlSchema = Type.Object(
  {
    pqlId: Type.String(),
    trigger: Type.String(),
    motion: choice(MOTIONS),
    status: choice(['open', 'held'] as const, 'held: kept back by a gate or an override'),
    since: Time,
    expiresAt: Time,
    reasons: Names,
    evidence: byName(FeatureValue),
    play: Names,
    decisionTimeline: Type.String(),
    offer: Type.Optional(Type.String({ description: 'What to offer' })),
    confidence: Type.Optional(Type.Number({ description: 'How likely it is, 0 to 1; absent: unknown' })),
    estimatedValue: Type.Optional(
      Type.Number({
        description: "Its worth, in the unit of the model's formula, to 2 decimals; absent: unknown",
      }),
    ),
  },
  { $id: 'Pql', description: 'A product-qualified lead' },
)
export type PqlDocument = Static<typeof PqlSchema>

const StandingSchema = Type.Object(
  {
    modelId: Type.String(),
    modelVersion: Type.Integer(),
    modelName: Type.String(),
    inScope: Type.Boolean({
      description: 'Whether the model scores this account; if not, its score is 0 and its tier is the lowest',
    }),
    override: orNull(OverrideSchema),
    score: Type.Number(),
    tier: Type.String(),
    tierTitle: Type.String(),
    action: Type.String({ description: 'What to do with accounts of the tier; may be empty' }),
    queue: Queue,
    tierSince: Time,
    changedAt: Type.String({ format: 'date-time', description: 'When score, tier or a PQL last changed' }),
    cause: ref(CauseSchema),
    coverage: Type.Number({ description: 'The share of the inputs that are known, by weight, 0 to 1' }),
    groups: byName(Type.Number(), 'Points by group, rounded to 10⁻⁶'),
    pqls: Type.Array(ref(PqlSchema), {
      description:
        "Best first: by confidence, then by estimated value (both descending, unknown last), then in the model's order",
    }),
  },
  { $id: 'Standing', description: "An account's score, tier and PQLs in one model" },
)
export type StandingDocument = Static<typeof StandingSchema>

const NextPlay = Type.Object(
  {
    source: choice(['pql', 'tier'] as const),
    modelId: Type.String(),
    tier: Type.String(),
    pqlId: Type.Optional(Type.String()),
    trigger: Type.Optional(Type.String()),
    steps: Names,
  },
  {
    description:
      'The play of the best open PQL over all models, in the order of pqls; or else the action of the tier that was entered last; null: neither exists',
  },
)
export type NextPlayDocument = Static<typeof NextPlay>

export const AccountSchema = Type.Object(
  {
    accountId: Type.String(),
    asOf: Type.String({
      format: 'date-time',
      description: "The account's clock: the standings are true at this time",
    }),
    sequence: Type.String({ description: 'partition:offset of the last record that was applied' }),
    status: choice(['SCORED', 'NO_SCORE'] as const),
    standings: Type.Array(ref(StandingSchema)),
    nextPlay: orNull(NextPlay),
    limits: LimitsField,
    unread: UnreadField,
  },
  { description: "The account's standing in every model, and what to do next" },
)
export type AccountDocument = Static<typeof AccountSchema>

const FacetsSchema = Type.Record(Type.String(), orNull(Type.String()), {
  description: "The account's value of each facet of the model; null: it has none",
})

const AccountSummarySchema = Type.Object(
  {
    accountId: Type.String(),
    modelId: Type.String(),
    modelVersion: Type.Integer(),
    inScope: Type.Boolean(),
    score: Type.Number(),
    tier: Type.String(),
    tierSince: Time,
    coverage: Type.Number(),
    openPqls: Type.Integer(),
    facets: FacetsSchema,
    changedAt: Time,
  },
  { $id: 'AccountSummary' },
)
export type AccountSummaryDocument = Static<typeof AccountSummarySchema>

export const AccountListSchema = Type.Object(
  {
    model: orNull(Type.String({ description: 'Null: no model is active yet' })),
    items: Type.Array(ref(AccountSummarySchema)),
    nextCursor: orNull(Type.String({ description: 'Null: this is the last page' })),
  },
  { description: 'A page of the ranked list' },
)
export type AccountListDocument = Static<typeof AccountListSchema>

export const MAX_SIGNALS = 500
export const SignalsSchema = Type.Unsafe<unknown>({
  anyOf: [ref(SignalSchema), Type.Array(ref(SignalSchema), { minItems: 1, maxItems: MAX_SIGNALS })],
})

export const AcceptedSchema = Type.Object(
  {
    accepted: Type.Integer(),
    positions: Type.Array(
      Type.Object({
        partition: Type.Integer(),
        offset: Type.Integer(),
        sequence: Type.String({ description: 'partition:offset, for the parameter after' }),
      }),
      { description: 'In the order of the signals' },
    ),
    notCounted: Type.Array(
      Type.Object({
        index: Type.Integer({ description: 'The place of the signal in the request, from 0' }),
        code: choice(NOT_COUNTED_CODES),
        detail: Type.String({ description: 'What was found, and what is accepted' }),
      }),
      {
        description:
          'What will not count, or not as it seems meant, although it was accepted: docs/values.md. Empty: nothing was found',
      },
    ),
    allChecked: Type.Boolean({
      description:
        'False: the store did not answer in time, so notCounted has neither duplicates of earlier requests nor names, keys and values that no model reads',
    }),
  },
  { description: 'The signals are durable in the log' },
)
export type AcceptedDocument = Static<typeof AcceptedSchema>

export const Unchanged = Type.Null({ description: 'Unchanged: If-None-Match names the current ETag' })

/** The schemas that other schemas refer to by `$id`. */
export const SHARED_SCHEMAS = [
  ProblemSchema,
  CauseSchema,
  PqlSchema,
  StandingSchema,
  AccountSummarySchema,
  InputSchema,
  SignalSchema,
  KpiSchema,
  ...EXPLANATION_PARTS,
] as const

/** For routes that read all partitions. */
export const WHOLE_STORE_503 =
  'STORE_FILLING: a partition of the store is being filled; NO_ACTIVE_MODEL: no scorer has started yet; NOT_READY: it is not known yet whether a replay was promoted'

/** A route's error answers by status, and one for any other error. */
export function problemResponses(descriptions: Readonly<Record<number, string>>) {
  const problem = (description: string) => ({
    description,
    content: { 'application/problem+json': { schema: ref(ProblemSchema) } },
  })
  return {
    ...Object.fromEntries(Object.entries(descriptions).map(([status, text]) => [status, problem(text)])),
    default: problem('Any other error'),
  }
}
