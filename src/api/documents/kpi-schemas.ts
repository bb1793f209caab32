import { type Static, Type } from '@sinclair/typebox'
import { byName, choice, orNull, ref } from './schema-parts.ts'

const TargetSchema = Type.Object({
  operator: choice(['>', '>=', '<', '<='] as const),
  value: Type.Number(),
})

export const KpiSchema = Type.Object(
  {
    name: Type.String(),
    title: Type.String(),
    value: orNull(Type.Number({ description: 'Rounded to 10⁻⁶; null: not known, such as a division by 0' })),
    unit: choice(['percent', 'ratio', 'money', 'count', 'days'] as const),
    target: orNull(TargetSchema),
    met: orNull(Type.Boolean({ description: 'Null: there is no target, or no value' })),
    measures: byName(Type.Number(), 'The measures that it was computed from'),
  },
  { $id: 'Kpi', description: 'A key figure of a month' },
)

const Split = orNull(Type.String({ description: 'Null: none' }))

export const KpiListSchema = Type.Object(
  {
    model: Type.String(),
    month: Type.String({ description: 'YYYY-MM, UTC' }),
    kpis: Type.Array(ref(KpiSchema)),
    groups: Type.Array(
      Type.Object({
        motion: Type.Optional(Split),
        tier: Type.Optional(Split),
        csm: Type.Optional(Split),
        kpis: Type.Array(ref(KpiSchema)),
      }),
      {
        description:
          'Broken down by what by names, ascending, null last; empty without. Plans (fixed measures) and accounts are the same in every group. At most 500: of more CSMs those whose measures add up to most',
      },
    ),
    groupsLeftOut: Type.Integer({ description: 'How many groups there are beyond those; 0: none' }),
  },
  { description: 'Every key figure of a month' },
)
export type KpiListDocument = Static<typeof KpiListSchema>
export type KpiDocument = Static<typeof KpiSchema>
