import { Type } from '@sinclair/typebox'
import { SIGNAL_KINDS } from '../../signals/signal.ts'
import { RETRY_PROMISE } from './retry-promise.ts'
import { byName, choice, FeatureValue, Time } from './schema-parts.ts'

const Text = Type.String({ minLength: 1 })

/** The properties of an override, as `signals/override.ts` reads them. */
const OverrideProperties = Type.Object(
  {
    reason: Type.String({ minLength: 1, description: 'Why it was decided' }),
    author: Type.String({ minLength: 1, description: 'Who decided it' }),
    expiresAt: Type.Optional(
      Type.String({
        format: 'date-time',
        description: 'At most 400 days after occurredAt; required unless it lifts',
      }),
    ),
    score: Type.Optional(Type.Number({ description: 'The score while the override is in force' })),
    tier: Type.Optional(Type.String({ minLength: 1, description: "The name of one of the model's tiers" })),
    hold: Type.Optional(Type.Boolean({ description: 'True: PQLs are held back' })),
    lift: Type.Optional(Type.Boolean({ description: 'True: ends the override of the same name' })),
  },
  {
    description:
      'The properties of an override: it decides at least one of score, tier and hold, or it lifts',
    if: { required: ['lift'], properties: { lift: { const: true } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: {
      properties: { hold: { const: false } },
      not: { anyOf: [{ required: ['score'] }, { required: ['tier'] }] },
    },
    else: {
      required: ['expiresAt'],
      anyOf: [
        { required: ['score'] },
        { required: ['tier'] },
        { required: ['hold'], properties: { hold: { const: true } } },
      ],
    },
  },
)

export const SignalSchema = Type.Object(
  {
    id: Type.String({ description: `Unique: ${RETRY_PROMISE}` }),
    kind: choice(
      SIGNAL_KINDS,
      "usage, intent, outcome: something happened; traits, health, contract: facts; override: a person's decision for a time",
    ),
    name: Type.Optional(
      Type.String({
        description:
          'For usage, intent and outcome (required): what happened. For an override (required): the id of a model, or * for every model without an override of its own',
      }),
    ),
    accountId: Type.String(),
    userId: Type.Optional(Type.String()),
    quantity: Type.Optional(Type.Number({ minimum: 0, default: 1 })),
    properties: Type.Optional(byName(FeatureValue)),
    occurredAt: Time,
  },
  {
    $id: 'Signal',
    description: 'A canonical signal',
    if: { properties: { kind: { const: 'override' } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { required: ['name', 'properties'], properties: { name: Text, properties: OverrideProperties } },
  },
)
