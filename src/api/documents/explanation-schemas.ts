import { type Static, Type } from '@sinclair/typebox'
import { MOTIONS, PRIORITIES } from '../../scoring/definition/model-definition.ts'
import {
  CauseSchema,
  choice,
  InputSchema,
  Names,
  OverrideSchema,
  orNull,
  Queue,
  ref,
  Time,
} from './schema-parts.ts'

const RuleContributionSchema = Type.Object(
  {
    rule: Type.String(),
    title: Type.String(),
    points: orNull(Type.Number({ description: 'Null: left out, because its inputs are unknown' })),
    max: Type.Number(),
    known: Type.Boolean({ description: 'Whether its inputs are known' }),
    contribution: Type.Number({
      description: "What it adds to the score, in points of the score, before the group's cap",
    }),
    inputs: Type.Array(ref(InputSchema)),
  },
  { $id: 'RuleContribution' },
)
export type RuleContributionDocument = Static<typeof RuleContributionSchema>

const GroupContributionSchema = Type.Object(
  {
    group: Type.String(),
    title: Type.String(),
    weight: Type.Number(),
    points: Type.Number(),
    max: Type.Number({ description: "The group's cap" }),
    contribution: Type.Number({ description: 'What it adds to the score, in points of the score' }),
    rules: Type.Array(ref(RuleContributionSchema)),
  },
  { $id: 'GroupContribution' },
)
export type GroupContributionDocument = Static<typeof GroupContributionSchema>

const GateSchema = Type.Object(
  {
    gate: Type.String(),
    title: Type.String(),
    open: Type.Boolean(),
    known: Type.Boolean({
      description: 'False: the condition is unknown, and the model decides whether the gate is open',
    }),
    condition: Type.String(),
  },
  { $id: 'Gate' },
)
export type GateDocument = Static<typeof GateSchema>

const Met = Type.Unsafe<boolean | null>({
  type: ['boolean', 'null'],
  description: 'Whether the condition is met; null: unknown; false for an account out of scope',
})

const TriggerSchema = Type.Object(
  {
    trigger: Type.String(),
    motion: choice(MOTIONS),
    status: choice(['idle', 'open', 'held'] as const),
    met: Met,
    gatesOpen: Type.Boolean({ description: 'False also while an override holds PQLs back' }),
    gates: Names,
    cooldownUntil: orNull(Time),
    condition: Type.String(),
    evidence: Type.Array(ref(InputSchema)),
  },
  { $id: 'Trigger' },
)
export type TriggerDocument = Static<typeof TriggerSchema>

const AlertSchema = Type.Object(
  {
    alert: Type.String(),
    title: Type.String(),
    priority: choice(PRIORITIES),
    met: Met,
    gatesOpen: Type.Boolean(),
    gates: Names,
    notBefore: orNull(
      Type.String({ format: 'date-time', description: 'When it may be sent again; null: at any time' }),
    ),
    condition: Type.String(),
    evidence: Type.Array(ref(InputSchema)),
  },
  { $id: 'Alert' },
)
export type AlertDocument = Static<typeof AlertSchema>

const SuggestionSchema = Type.Object(
  {
    group: Type.String(),
    rule: Type.String(),
    title: Type.String(),
    points: orNull(Type.Number()),
    max: Type.Number(),
    known: Type.Boolean(),
    gain: Type.Number({ description: 'What the score gains if this rule alone gives its maximum' }),
  },
  { $id: 'Suggestion' },
)
export type Suggestion = Static<typeof SuggestionSchema>

const NextTier = Type.Object(
  {
    name: Type.String(),
    title: Type.String(),
    from: Type.Number(),
    missing: Type.Number({
      description: 'How many points the score lacks; 0: the score is high enough, but the dwell is not over',
    }),
    notBefore: orNull(
      Type.String({ format: 'date-time', description: 'The end of the current dwell; null: it is over' }),
    ),
    suggestions: Type.Array(ref(SuggestionSchema)),
  },
  {
    description:
      'Null: the account is in the highest tier, is out of scope, or has a tier that an override decides',
  },
)

export const ExplanationSchema = Type.Object(
  {
    accountId: Type.String(),
    asOf: Time,
    sequence: Type.String(),
    modelId: Type.String(),
    modelVersion: Type.Integer(),
    modelName: Type.String(),
    contentHash: Type.String({ description: "Hash of the model's text" }),
    inScope: Type.Boolean({ description: 'Whether the model scores this account' }),
    override: orNull(OverrideSchema),
    score: Type.Number({ description: 'The score in force' }),
    rulesScore: Type.Number({
      description: 'The score by the rules; differs from score if an override or the scope decides it',
    }),
    tier: Type.String(),
    tierTitle: Type.String(),
    queue: Queue,
    tierSince: Time,
    changedAt: Time,
    cause: ref(CauseSchema),
    coverage: Type.Number(),
    unknownInputs: Names,
    groups: Type.Array(ref(GroupContributionSchema)),
    gates: Type.Array(ref(GateSchema)),
    triggers: Type.Array(ref(TriggerSchema)),
    alerts: Type.Array(ref(AlertSchema)),
    nextTier: orNull(NextTier),
  },
  { description: 'The reasons for the score, as stored when it was computed' },
)
export type ExplanationDocument = Static<typeof ExplanationSchema>

/** The schemas that other schemas refer to by `$id`. */
export const EXPLANATION_PARTS = [
  RuleContributionSchema,
  GroupContributionSchema,
  GateSchema,
  TriggerSchema,
  AlertSchema,
  SuggestionSchema,
] as const
