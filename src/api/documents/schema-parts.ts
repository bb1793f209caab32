import { type Static, type TSchema, Type } from '@sinclair/typebox'
import type { CauseType } from '../../scoring/events.ts'

export function ref<Schema extends TSchema>(schema: Schema) {
  return Type.Unsafe<Static<Schema>>({ $ref: `${schema.$id}#` })
}

/**
 * One of several texts. Not a union of literals: Fastify would validate each value again when it serialises
 * one.
 */
export function choice<Text extends string>(texts: readonly Text[], description?: string) {
  return Type.Unsafe<Text>({
    type: 'string',
    enum: texts,
    ...(description === undefined ? {} : { description }),
  })
}

export function orNull<Schema extends TSchema & { type: string }>(schema: Schema) {
  return Type.Unsafe<Static<Schema> | null>({ ...schema, type: [schema.type, 'null'] })
}

export function byName<Schema extends TSchema>(values: Schema, description?: string) {
  const documented = description === undefined ? {} : { description }
  return Type.Unsafe<Record<string, Static<Schema>>>({
    type: 'object',
    additionalProperties: values,
    ...documented,
  })
}

/** RFC 3339, UTC, with milliseconds. */
export const Time = Type.String({ format: 'date-time', examples: ['2026-11-22T07:00:00.000Z'] })
export const FeatureValue = Type.Unsafe<number | string | boolean | null>({
  type: ['number', 'string', 'boolean', 'null'],
  description: 'Null: unknown',
})
export const Names = Type.Array(Type.String())

export const CauseSchema = Type.Object(
  {
    type: choice<CauseType>(['signal', 'late', 'window', 'model', 'override', 'gate']),
    signalId: Type.Optional(Type.String()),
  },
  { $id: 'Cause', description: 'The reason for the last change' },
)

export const InputSchema = Type.Object(
  {
    name: Type.String(),
    value: FeatureValue,
    status: choice(['present', 'unknown'] as const),
    problem: Type.Optional(
      Type.String({
        description:
          'Present if it is unknown because of a value that cannot be used: what was found, and what is accepted',
      }),
    ),
  },
  { $id: 'Input', description: 'A feature and the value that was read' },
)
export type InputDocument = Static<typeof InputSchema>

export const Queue = Type.Optional(
  Type.String({
    description: 'The work list that accounts of the tier go to; absent: the model names none',
  }),
)

const DECISIONS = ['score', 'tier', 'pqls'] as const
export const OverrideSchema = Type.Object(
  {
    name: Type.String({
      description: 'The id of the model, or * for every model without an override of its own',
    }),
    signalId: Type.String(),
    reason: Type.String(),
    author: Type.String(),
    decidedAt: Time,
    expiresAt: Time,
    score: orNull(Type.Number({ description: 'The score that was asked for; null: not decided' })),
    tier: orNull(Type.String({ description: 'The tier that was asked for; null: not decided' })),
    hold: Type.Boolean({ description: 'True: PQLs are held back' }),
    decides: Type.Array(choice(DECISIONS), {
      description:
        'The effects on this model: it sets the score, sets the tier, holds PQLs back. Empty: the account is out of scope, or the model has no such tier',
    }),
  },
  { description: "A person's decision about the account, in force until it expires; null: none" },
)
export type OverrideDocument = Static<typeof OverrideSchema>
