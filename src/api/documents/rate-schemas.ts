import { type Static, Type } from '@sinclair/typebox'
import { byName, orNull } from './schema-parts.ts'

const Counts = {
  accounts: Type.Integer({
    description: 'Accounts in scope of the model that were first seen by the end of the last day',
  }),
  exhibiting: Type.Integer({
    description: 'How many of them have at least one of the signals in these days',
  }),
  rate: orNull(
    Type.Number({
      description: 'exhibiting / accounts in percent, to 2 decimals; null: there are no accounts',
    }),
  ),
}

const Day = Type.String({ format: 'date' })

const Series = Type.Array(Type.Object({ from: Day, to: Day, ...Counts }), {
  description:
    'For each step the rate over the windowDays days that end on it. Empty with every=none. A step whose window starts before the available days is left out',
})

export const RateSchema = Type.Object(
  {
    rate: Type.String(),
    title: Type.String(),
    model: Type.String(),
    from: Type.String({ format: 'date', description: 'UTC, included' }),
    to: Type.String({ format: 'date', description: 'UTC, included' }),
    windowDays: Type.Integer({ description: 'The length of each window of the series, in days' }),
    total: Type.Object(
      { ...Counts, series: Series },
      { description: 'Over all accounts in the segments asked for' },
    ),
    segments: Type.Array(
      Type.Object({
        values: byName(
          Type.String(),
          "The value of each segment in by: one of the model's values, other, or unknown (the account has none)",
        ),
        ...Counts,
        series: Series,
      }),
      { description: 'One for each combination of values of the segments in by; empty without by' },
    ),
  },
  { description: "The share of accounts with at least one of the rate's signals" },
)
export type RateDocument = Static<typeof RateSchema>
export type RateStep = RateDocument['total']['series'][number]
