import { Type } from '@sinclair/typebox'
import { SIGNAL_KINDS } from '../../signals/signal.ts'
import { SIGNAL_LIMITS } from '../../signals/signal-limits.ts'
import { BLANK_PATTERN, TIDY_PATTERN, VISIBLE_PATTERN } from '../../signals/texts.ts'
import { RETRY_PROMISE } from './retry-promise.ts'
import { choice } from './schema-parts.ts'

// What checkSignal accepts at an edge, as far as a schema can say it. docs/values.md has every value, and a
// test walks through its tables with this schema, with schemas/signal.schema.json and with checkSignal.

const Tidy = { pattern: TIDY_PATTERN }
const OrBlank = { anyOf: [Tidy, { pattern: BLANK_PATTERN }] }
const FACT_KINDS = SIGNAL_KINDS.filter(kind => kind === 'traits' || kind === 'health' || kind === 'contract')
const FORBIDDEN_KEYS = ['__proto__', 'constructor', 'prototype']
const Scalar = Type.Unsafe<number | string | boolean | null>({
  type: ['number', 'string', 'boolean', 'null'],
})

const Moment = Type.String({
  format: 'date-time',
  pattern: '^\\d{4}-\\d{2}-\\d{2}[Tt ]\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,9})?([Zz]|[+-]\\d{2}:\\d{2})$',
  description: 'RFC 3339, with Z or an offset',
  examples: ['2026-11-22T07:00:00.000Z'],
})

/** A text that may be left out, null, or blank, which is the same. */
function optionalText(maxLength: number, description: string) {
  return Type.Optional(
    Type.Unsafe<string | null>({ type: ['string', 'null'], maxLength, ...OrBlank, description }),
  )
}

const Properties = Type.Unsafe<object | null>({
  type: ['object', 'null'],
  maxProperties: SIGNAL_LIMITS.properties,
  propertyNames: {
    minLength: 1,
    maxLength: SIGNAL_LIMITS.propertyNameLength,
    not: { enum: FORBIDDEN_KEYS },
  },
  additionalProperties: { maxLength: SIGNAL_LIMITS.textLength },
  description:
    'For facts: the values; null or a blank text removes one. For events: details; models count the values of team, location, product and role. For an override: the decision',
})

/** The properties of facts: values that scoring can read, under tidy names. */
const FactProperties = Type.Unsafe<object>({
  type: 'object',
  propertyNames: Tidy,
  additionalProperties: Scalar,
})

/** The properties of an override, as `signals/override.ts` reads them. */
const OverrideProperties = Type.Object(
  {
    reason: Type.String({ pattern: VISIBLE_PATTERN, description: 'Why it was decided' }),
    author: Type.String({ pattern: VISIBLE_PATTERN, description: 'Who decided it' }),
    expiresAt: Type.Optional({
      ...Moment,
      description: 'At most 400 days after occurredAt; required unless it lifts',
    }),
    score: Type.Optional(Type.Number({ description: 'The score while the override is in force' })),
    tier: Type.Optional(Type.String({ ...Tidy, description: "The name of one of the model's tiers" })),
    hold: Type.Optional(Type.Boolean({ description: 'True: PQLs are held back' })),
    lift: Type.Optional(Type.Boolean({ description: 'True: ends the override of the same name' })),
  },
  {
    propertyNames: Tidy,
    additionalProperties: Scalar,
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
    id: Type.String({
      maxLength: SIGNAL_LIMITS.idLength,
      ...Tidy,
      description: `Unique: ${RETRY_PROMISE}`,
    }),
    kind: choice(
      SIGNAL_KINDS,
      "usage, intent, outcome: something happened; traits, health, contract: facts; override: a person's decision for a time",
    ),
    name: optionalText(
      SIGNAL_LIMITS.nameLength,
      'For usage, intent and outcome (required): what happened. For an override (required): the id of a model, or * for every model without an override of its own',
    ),
    accountId: Type.String({
      maxLength: SIGNAL_LIMITS.accountIdBytes,
      ...Tidy,
      not: { enum: ['.', '..'] },
      description: 'Up to 512 bytes in UTF-8',
    }),
    userId: optionalText(SIGNAL_LIMITS.userIdLength, 'The user who did it, if a user did'),
    quantity: Type.Optional(
      Type.Unsafe<number | null>({
        type: ['number', 'null'],
        anyOf: [{ enum: [0, null] }, { minimum: SIGNAL_LIMITS.smallestQuantity }],
        maximum: SIGNAL_LIMITS.quantity,
        default: 1,
        description: 'Rounded to thousandths',
      }),
    ),
    properties: Type.Optional(Properties),
    occurredAt: Moment,
  },
  {
    $id: 'Signal',
    additionalProperties: false,
    description: 'A canonical signal',
    if: { properties: { kind: { enum: FACT_KINDS } } },
    // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
    then: { required: ['properties'], properties: { properties: FactProperties } },
    else: {
      required: ['name'],
      properties: { name: { type: 'string', ...Tidy } },
      if: { properties: { kind: { const: 'override' } } },
      // biome-ignore lint/suspicious/noThenProperty: a keyword of JSON Schema
      then: { required: ['properties'], properties: { properties: OverrideProperties } },
    },
  },
)
