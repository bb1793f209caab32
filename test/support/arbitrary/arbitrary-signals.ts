import fc from 'fast-check'
import { MOTIONS } from '../../../src/scoring/definition/model-definition.ts'
import type { PropertyValue, Signal, SignalKind } from '../../../src/signals/signal.ts'
import {
  ACTIVITY_KINDS,
  CSMS,
  DAY_MS,
  EPOCH,
  HOUR_MS,
  MINUTE_MS,
  MODEL_IDS,
  NAMES,
  PLANS,
  PREFIXED_PROPERTIES,
  TIER_NAMES,
} from './vocabulary.ts'

/** Random signals, as steps relative to the records before them. */

/**
 * `repeat` sends an exact copy of an earlier signal. `borrow` sends another signal with the id of an earlier
 * one.
 */
export type SignalStep = {
  readonly type: 'new' | 'borrow' | 'repeat'
  readonly account: number
  readonly back: number
  readonly lateness: Lateness
  readonly body: SignalBody
}

type SignalBody = Pick<Signal, 'kind' | 'name' | 'userId' | 'quantityThousandths' | 'properties'> & {
  /** The end of an override, relative to when it occurred. Undefined: it names no end. */
  readonly lasting?: Lasting | undefined
}

export function arbitraryStep(accounts: number): fc.Arbitrary<SignalStep | { readonly type: 'tick' }> {
  const signal = (type: SignalStep['type'], back: fc.Arbitrary<number>): fc.Arbitrary<SignalStep> =>
    fc.record({
      type: fc.constant(type),
      account: fc.integer({ min: 0, max: accounts - 1 }),
      back,
      lateness: arbitraryLateness,
      body: fc.oneof(
        { weight: 6, arbitrary: arbitraryActivity },
        { weight: 4, arbitrary: arbitraryFact },
        { weight: 2, arbitrary: arbitraryOverride },
      ),
    })
  return fc.oneof(
    { weight: 20, arbitrary: signal('new', fc.constant(0)) },
    { weight: 2, arbitrary: signal('repeat', fc.integer({ min: 1, max: 4 })) },
    { weight: 2, arbitrary: signal('repeat', fc.integer({ min: 5, max: 60 })) },
    { weight: 1, arbitrary: signal('borrow', fc.integer({ min: 1, max: 20 })) },
    { weight: 3, arbitrary: fc.record({ type: fc.constant('tick' as const) }) },
  )
}

const arbitraryActivity: fc.Arbitrary<SignalBody> = fc.record({
  kind: fc.constantFrom<SignalKind>(...ACTIVITY_KINDS),
  name: fc.constantFrom(...NAMES),
  userId: fc.constantFrom(undefined, 'u1', 'u1', 'u1', 'u2', 'u2', 'u3', 'u4', 'u5'),
  quantityThousandths: fc.constantFrom(1000, 1000, 0, 1, 333, 1500, 999_999),
  properties: fc.record(
    {
      team: fc.constantFrom<PropertyValue>('a', 'b', 'c', 'd', 'b', 'c', null, 7, '', ' \t'),
      location: fc.constantFrom<PropertyValue>('a', 'b', 'berlin', 'rome', true, '\ufeff'),
      product: fc.constantFrom<PropertyValue>('core', 'add-on'),
      role: fc.constantFrom<PropertyValue>('admin', 'buyer', 'buyer', null),
      motion: fc.constantFrom<PropertyValue>(MOTIONS[0], MOTIONS[1], 'unheard-of', 3),
      amount: fc.constantFrom<PropertyValue>(100, 2.5, 0.0005, -1.0015, 'much', null),
    },
    { requiredKeys: [] },
  ),
})

/** Each is no value. */
const EMPTY_TEXTS = ['', ' \u00a0', '\u0085\u200b'] as const

const arbitraryPropertyValue: fc.Arbitrary<PropertyValue> = fc.oneof(
  { weight: 5, arbitrary: fc.integer({ min: -1, max: 8 }) },
  fc.constantFrom(0, 0.1, 0.3, 33.333, -2.5, 60, 1e9),
  fc.constantFrom(1e308, -1e308, 5e-324, 1e15),
  fc.boolean(),
  fc.constantFrom(...PLANS),
  fc.constantFrom(...EMPTY_TEXTS),
  fc.constant(null),
)

const arbitraryDate: fc.Arbitrary<PropertyValue> = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: -500, max: 900 }).map(days => isoDay(EPOCH + days * DAY_MS)) },
  fc.integer({ min: EPOCH - 100 * DAY_MS, max: EPOCH + 600 * DAY_MS }),
  // Seconds, microseconds, nanoseconds, days, decimals, the first and the last date, and their neighbours.
  fc.constantFrom<PropertyValue>(
    EPOCH / 1000,
    EPOCH * 1000,
    EPOCH * 1e6,
    EPOCH / DAY_MS,
    EPOCH + 0.5,
    20240229,
    1e11,
    1e11 - 1,
    65_535 * DAY_MS,
    65_535 * DAY_MS + 1,
    -EPOCH,
  ),
  fc.constantFrom(
    '2024-02-29',
    '2020-02-29T12:00:00Z',
    '2024-03-01',
    '2023-12-31T23:59:59-11:00',
    '2023-02-29',
    '2024-13-01',
    '2024-00-10',
    'next year',
    '',
    '24-01-01',
    '20240229',
    '29/02/2024',
    ' 2024-02-29',
    '2024-02-29 ',
  ),
  fc.constant(null),
)

/** Positive values, and the others. */
const arbitraryPresence = fc.constantFrom<PropertyValue>(true, 'anna', 1, false, 0, ...EMPTY_TEXTS, null)

const arbitraryFact: fc.Arbitrary<SignalBody> = fc.record({
  kind: fc.constantFrom<SignalKind>('traits', 'traits', 'traits', 'health', 'contract', 'contract'),
  name: fc.constant('updated'),
  userId: fc.constantFrom(undefined, 'u1', 'u9'),
  quantityThousandths: fc.constant(1000),
  properties: fc.record(
    {
      seats: arbitraryPropertyValue,
      plan: fc.oneof(
        { weight: 3, arbitrary: fc.constantFrom<PropertyValue>(...PLANS) },
        arbitraryPropertyValue,
      ),
      trial: fc.oneof({ weight: 3, arbitrary: fc.boolean() }, arbitraryPropertyValue),
      renewsOn: fc.oneof({ weight: 5, arbitrary: arbitraryDate }, arbitraryPropertyValue),
      csm: fc.constantFrom<PropertyValue>(...CSMS, null, 5, ...EMPTY_TEXTS),
      ...Object.fromEntries(PREFIXED_PROPERTIES.map(property => [property, arbitraryPresence])),
    },
    { requiredKeys: [] },
  ),
})

/** How long an override lasts. `midnight` and `full hour` are the next ones. */
type Lasting = { readonly to: 'midnight' | 'full hour' } | { readonly ms: number; readonly offset: boolean }

const arbitraryLasting: fc.Arbitrary<Lasting> = fc.oneof(
  fc.record({ to: fc.constantFrom('midnight' as const, 'full hour' as const) }),
  {
    weight: 4,
    arbitrary: fc.record({
      ms: fc.oneof(
        fc.constantFrom(1, HOUR_MS, 90 * MINUTE_MS, DAY_MS, 2 * DAY_MS, 30 * DAY_MS, 400 * DAY_MS),
        fc.integer({ min: 1, max: 10 * DAY_MS }),
      ),
      offset: fc.boolean(),
    }),
  },
)

/** A decision of at least one kind, or the end of one. */
const arbitraryDecision: fc.Arbitrary<Record<string, PropertyValue>> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc
      .record(
        {
          score: fc.constantFrom<PropertyValue>(0, 1, 4, 5.5, 11.9, 24.4999999, 60, -30, 1e6),
          tier: fc.constantFrom<PropertyValue>(...TIER_NAMES, 'nowhere'),
          hold: fc.constant<PropertyValue>(true),
        },
        { requiredKeys: [] },
      )
      .map(decision => (Object.keys(decision).length === 0 ? { hold: true } : decision)),
  },
  fc.constant({ lift: true }),
)

const arbitraryOverride: fc.Arbitrary<SignalBody> = fc
  .record({
    name: fc.constantFrom(MODEL_IDS[0], MODEL_IDS[0], MODEL_IDS[1], '*', '*', 'another'),
    decision: arbitraryDecision,
    lasting: arbitraryLasting,
    endless: fc.boolean(),
  })
  .map(({ name, decision, lasting, endless }) => ({
    kind: 'override',
    name,
    userId: undefined,
    quantityThousandths: 1000,
    properties: { reason: 'a call', author: 'kim', ...decision },
    lasting: endless && decision['lift'] === true ? undefined : lasting,
  }))

/** When a signal occurred, relative to its timestamp. */
type Lateness =
  | { readonly type: 'on time' | 'first moment of the day' | 'same as the one before' }
  | { readonly type: 'late' | 'early'; readonly ms: number }

const arbitraryLateness: fc.Arbitrary<Lateness> = fc.oneof(
  { weight: 10, arbitrary: fc.record({ type: fc.constant('on time' as const) }) },
  fc.record({ type: fc.constantFrom('first moment of the day' as const, 'same as the one before' as const) }),
  {
    weight: 3,
    arbitrary: fc.record({
      type: fc.constant('late' as const),
      ms: fc.oneof(
        fc.integer({ min: 1, max: 3 * HOUR_MS }),
        fc.integer({ min: HOUR_MS, max: 50 * HOUR_MS }),
        fc.integer({ min: DAY_MS, max: 90 * DAY_MS }),
        fc.constantFrom(
          DAY_MS,
          30 * DAY_MS,
          398 * DAY_MS,
          399 * DAY_MS,
          400 * DAY_MS,
          401 * DAY_MS,
          800 * DAY_MS,
        ),
      ),
    }),
  },
  fc.record({
    type: fc.constant('early' as const),
    ms: fc.oneof(
      fc.constant(1),
      fc.integer({ min: 1, max: 5 * MINUTE_MS }),
      fc.integer({ min: 1, max: DAY_MS }),
    ),
  }),
)

export function toSignal(step: SignalStep, sent: readonly Signal[], timestamp: number): Signal {
  const earlier = step.back === 0 ? undefined : sent.at(-step.back)
  if (step.type === 'repeat' && earlier !== undefined) return earlier
  const { lasting, ...body } = step.body
  const occurredAt = occurredAtOf(step.lateness, sent.at(-1), timestamp)
  const end = lasting === undefined ? {} : { expiresAt: endOf(lasting, occurredAt) }
  return {
    id: step.type === 'borrow' && earlier !== undefined ? earlier.id : `s${sent.length}`,
    accountId: `account-${step.account}`,
    ...body,
    properties: { ...body.properties, ...end },
    occurredAt,
  }
}

/** RFC 3339, in UTC or two hours ahead of it. */
function endOf(lasting: Lasting, occurredAt: number): string {
  if ('to' in lasting) {
    const step = lasting.to === 'midnight' ? DAY_MS : HOUR_MS
    return new Date((Math.floor(occurredAt / step) + 1) * step).toISOString()
  }
  const end = occurredAt + lasting.ms
  if (!lasting.offset) return new Date(end).toISOString()
  return new Date(end + 2 * HOUR_MS).toISOString().replace('Z', '+02:00')
}

function occurredAtOf(lateness: Lateness, before: Signal | undefined, timestamp: number): number {
  switch (lateness.type) {
    case 'on time':
      return timestamp
    case 'first moment of the day':
      return Math.floor(timestamp / DAY_MS) * DAY_MS
    case 'same as the one before':
      return before?.occurredAt ?? timestamp
    case 'late':
      return timestamp - lateness.ms
    case 'early':
      return timestamp + lateness.ms
  }
}

function isoDay(ms: number): string {
  return new Date(ms).toISOString().slice(0, 10)
}
