import { type Static, type TSchema, Type } from '@sinclair/typebox'
import type { CauseType } from '../../scoring/outputs.ts'

/** What the schemas of the API are put together from. */

export function ref<Schema extends TSchema>(schema: Schema) {
  return Type.Unsafe<Static<Schema>>({ $ref: `${schema.$id}#` })
}

/** One of some texts. Not a union of literals: that would be validated again for each value that is serialised. */
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

export const Time = Type.String({ format: 'date-time', examples: ['2026-11-22T07:00:00.000Z'] })
export const FeatureValue = Type.Unsafe<number | string | boolean | null>({
  type: ['number', 'string', 'boolean', 'null'],
  description: 'Null: not known',
})
export const Names = Type.Array(Type.String())

export const CauseSchema = Type.Object(
  {
    type: choice<CauseType>(['signal', 'late', 'window', 'model', 'override', 'gate']),
    signalId: Type.Optional(Type.String()),
  },
  { $id: 'Cause', description: 'The one reason for the last change' },
)

export const InputSchema = Type.Object(
  { name: Type.String(), value: FeatureValue, status: choice(['present', 'unknown'] as const) },
  { $id: 'Input', description: 'A feature as it was read' },
)
export type InputDocument = Static<typeof InputSchema>

export const Queue = Type.Optional(
  Type.String({
    description: 'Whose work list the accounts of the tier go to; absent: the model does not say',
  }),
)

const DECISIONS = ['score', 'tier', 'pqls'] as const
export const OverrideSchema = Type.Object(
  {
    name: Type.String({ description: 'The id of the model, or * for every model that has none of its own' }),
    signalId: Type.String(),
    reason: Type.String(),
    author: Type.String(),
    decidedAt: Time,
    expiresAt: Time,
    score: orNull(Type.Number({ description: 'As it was asked for; null: not decided' })),
    tier: orNull(Type.String({ description: 'As it was asked for; null: not decided' })),
    hold: Type.Boolean({ description: 'PQLs are held back' }),
    decides: Type.Array(choice(DECISIONS), {
      description:
        'What it does here: sets the score, sets the tier, holds PQLs. Empty: the account is out of scope, or the model has no such tier',
    }),
  },
  { description: 'What a person has decided about the account, until it expires; null: nothing' },
)
export type OverrideDocument = Static<typeof OverrideSchema>
