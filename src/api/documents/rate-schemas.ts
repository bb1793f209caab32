import { type Static, Type } from '@sinclair/typebox'
import { byName, orNull } from './schema-parts.ts'

const Counts = {
  accounts: Type.Integer({ description: 'In scope of the model, and seen on the last day or before' }),
  exhibiting: Type.Integer({ description: 'Of those: with at least one of the signals in these days' }),
  rate: orNull(Type.Number({ description: 'Percent, to 2 decimals; null: there are no accounts' })),
}

const Day = Type.String({ format: 'date' })

const Series = Type.Array(Type.Object({ from: Day, to: Day, ...Counts }), {
  description:
    'By step: the rate of the windowDays days that end on it. Empty with every=none. Left out are steps whose window begins before the days that are held',
})

export const RateSchema = Type.Object(
  {
    rate: Type.String(),
    title: Type.String(),
    model: Type.String(),
    from: Type.String({ format: 'date', description: 'UTC, included' }),
    to: Type.String({ format: 'date', description: 'UTC, included' }),
    windowDays: Type.Integer({ description: 'The length of the windows of the series' }),
    total: Type.Object(
      { ...Counts, series: Series },
      { description: 'Over all accounts in the segments asked for' },
    ),
    segments: Type.Array(
      Type.Object({
        values: byName(
          Type.String(),
          'By segment that by names: a value of the model, other, or unknown where the account has none',
        ),
        ...Counts,
        series: Series,
      }),
      { description: 'Broken down by the segments that by names; empty without' },
    ),
  },
  { description: 'The share of the accounts with one of the signals that the rate is of' },
)
export type RateDocument = Static<typeof RateSchema>
export type RateStep = RateDocument['total']['series'][number]
