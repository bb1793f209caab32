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
    value: orNull(
      Type.Number({ description: 'In the unit, rounded to 10⁻⁶; null: unknown, such as a division by 0' }),
    ),
    unit: choice(['percent', 'ratio', 'money', 'count', 'days'] as const),
    target: orNull(TargetSchema),
    met: orNull(
      Type.Boolean({ description: 'Whether the value meets the target; null: one of them is null' }),
    ),
    measures: byName(Type.Number(), 'The measures that the value was computed from'),
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
          'One for each value of the dimension in by, ascending, null last; empty without by. Fixed measures and accounts are the same in every group. At most 500: of more CSMs, the 500 with the largest sum of measures',
      },
    ),
    groupsLeftOut: Type.Integer({ description: 'How many more groups there are' }),
  },
  { description: 'All key figures of a month' },
)
export type KpiListDocument = Static<typeof KpiListSchema>
export type KpiDocument = Static<typeof KpiSchema>
