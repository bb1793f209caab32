import type { PropertyValue, SignalKind } from '../signals/signal.ts'
import { type Course, steady } from './course.ts'
import { type Company, FEATURES } from './names.ts'
import type { Profile } from './profile.ts'
import type { Random } from './random.ts'

export const STORYLINE_NAMES = [
  'steady',
  'seat-growth',
  'api-limit',
  'preview-trial',
  'second-product',
  'unhealthy-heavy',
  'renewal-near',
  'multi-team',
  'fading',
  'newcomer',
] as const
export type StorylineName = (typeof STORYLINE_NAMES)[number]

/** An account of the sample, as its storyline shapes it. Everything that it does follows from this, the seed and the day. */
export interface SampleAccount extends Company {
  readonly index: number
  readonly storyline: StorylineName
  readonly utcOffsetHours: number
  /** Days before the end of the history at which it signed up; Infinity: before the history began. */
  readonly ageDays: number
  /** Users that come to work; fractions are people still on their way. */
  readonly users: Course
  /** 1: as many sessions as its users make; 0: nobody comes. */
  readonly diligence: Course
  readonly teams: Course
  readonly locations: Course
  readonly featuresUsed: number
  readonly powerFeaturesUsed: number
  /** New users are invited before they join. */
  readonly invites: boolean
  /** Share of the monthly limit. Undefined: it does not use the API. */
  readonly apiUse: Course | undefined
  readonly storageUse: Course
  readonly employees: Course
  readonly annualRevenue: number
  readonly health: Course
  readonly mood: Mood
  readonly nps: number | undefined
  readonly contract: SampleContract
  /** Undefined: the contract has been the same for the whole history. */
  readonly change: ContractChange | undefined
  readonly profile: Profile
  /** Average length of a session. */
  readonly sessionMinutes: number
  /** Comments, mentions and shares that are told of, on a working day. */
  readonly collaborations: number
  readonly paysInTime: boolean
  /** Undefined: it was never asked. */
  readonly csat: number | undefined
  /** Single things that happen on the way to the end of the history. */
  readonly scenes: readonly Scene[]
  /** What happens next, as soon as someone watches. */
  readonly next: readonly Scene[]
}

export interface SampleContract {
  readonly plan: 'starter' | 'growth' | 'scale'
  readonly seats: number
  readonly includedFeatures: number
  /** A month. */
  readonly apiCallLimit: number
  readonly storageLimitGb: number
  readonly renewalInDays: number
  readonly type: 'annual' | 'monthly' | 'multi-year'
  readonly discountPercent: number
  /** A month. */
  readonly seatPrice: number
  /** `--MM-DD` behind a year that does not matter. */
  readonly fiscalYearStart: string
}

/** What another contract it had before `daysAgo`; from then on it has the present one. */
export interface ContractChange {
  readonly daysAgo: number
  readonly seatsBefore: number
  /** Monthly recurring revenue. */
  readonly mrrBefore: number
  readonly mrr: number
}

export type Sentiment = 'positive' | 'neutral' | 'escalating'

/** The mood of its support tickets, from each progress on; ascending, from 0. */
export type Mood = readonly (readonly [progress: number, sentiment: Sentiment])[]

export interface Scene {
  readonly daysAgo: number
  readonly kind: SignalKind
  readonly name: string
  readonly quantity: number
  readonly properties: Readonly<Record<string, PropertyValue>>
  /** `user`: one of those who work there. `newcomer`: someone not seen before. */
  readonly by: 'user' | 'newcomer' | undefined
  /** What goes with it at the same moment, in this order. */
  readonly also: readonly Scene[]
}

export function scene(
  daysAgo: number,
  kind: SignalKind,
  name: string,
  more: Partial<Pick<Scene, 'quantity' | 'properties' | 'by' | 'also'>> = {},
): Scene {
  return { daysAgo, kind, name, quantity: 1, properties: {}, by: undefined, also: [], ...more }
}

export function moodAt(mood: Mood, progress: number): Sentiment {
  return mood.findLast(([from]) => from <= progress)?.[1] ?? 'neutral'
}

/** What it includes. */
export const LARGEST_PLAN = {
  plan: 'scale',
  includedFeatures: 16,
  apiCallLimit: 3_000_000,
  storageLimitGb: 2_000,
  seatPrice: 129,
} as const

const PLANS = [
  {
    plan: 'starter',
    upToUsers: 12,
    includedFeatures: 12,
    apiCallLimit: 50_000,
    storageLimitGb: 100,
    seatPrice: 29,
  },
  {
    plan: 'growth',
    upToUsers: 35,
    includedFeatures: 14,
    apiCallLimit: 400_000,
    storageLimitGb: 500,
    seatPrice: 79,
  },
  { ...LARGEST_PLAN, upToUsers: Number.POSITIVE_INFINITY },
] as const

/** Offices lie where the people are: the Americas, Europe, Asia and the Pacific. */
const UTC_OFFSETS = [-8, -6, -5, -5, 0, 1, 1, 2, 5.5, 8, 9, 10] as const

/** An ordinary account: two thirds of its seats in use, in fair health. Storylines change what makes them. */
export function ordinaryAccount(
  company: Company,
  index: number,
  storyline: StorylineName,
  profile: Profile,
  random: Random,
): SampleAccount {
  // Many small ones, a few large ones.
  const users = Math.round(5 + 55 * random.next() ** 2.2)
  const { plan, includedFeatures, apiCallLimit, storageLimitGb, seatPrice } = PLANS.find(
    ({ upToUsers }) => users <= upToUsers,
  )!
  const type = random.pick(['annual', 'annual', 'annual', 'monthly', 'monthly', 'multi-year'] as const)
  const employees = users * random.integer(4, 30)
  const apiUse = random.chance(0.4) ? steady(random.between(0.25, 0.6)) : undefined
  const hasSponsor = random.chance(0.4)
  return {
    ...company,
    index,
    storyline,
    utcOffsetHours: random.pick(UTC_OFFSETS),
    ageDays: Number.POSITIVE_INFINITY,
    users: steady(users),
    diligence: steady(1),
    teams: steady(Math.min(random.integer(1, 3), Math.ceil(users / 4))),
    locations: steady(random.integer(1, 2)),
    featuresUsed: Math.min(FEATURES.length, Math.round(includedFeatures * random.between(0.3, 0.62))),
    powerFeaturesUsed: random.chance(0.3) ? 1 : 0,
    invites: false,
    apiUse,
    storageUse: steady(random.between(0.15, 0.55)),
    employees: [
      [0, employees],
      [1, Math.round(employees * random.between(0.99, 1.04))],
    ],
    annualRevenue: employees * random.integer(90, 210) * 1_000,
    health: steady(random.integer(64, 84)),
    mood: [[0, random.pick(['neutral', 'neutral', 'neutral', 'positive'] as const)]],
    nps: random.chance(0.6) ? random.integer(6, 9) : undefined,
    contract: {
      plan,
      seats: seatsFor(users, random.between(0.3, 0.7)),
      includedFeatures,
      apiCallLimit,
      storageLimitGb,
      seatPrice,
      renewalInDays: random.integer(125, 350),
      type,
      discountPercent: random.pick([0, 0, 5, 10, 15, 25]),
      fiscalYearStart: `2020-${random.pick(['01', '01', '04', '07', '10'])}-01`,
    },
    change: undefined,
    profile,
    sessionMinutes: profile.sessionMinutes,
    collaborations: 0,
    paysInTime: profile.paysInTime,
    csat: profile.csat,
    scenes: hasSponsor ? [scene(random.integer(2, 25), 'usage', 'sponsor.contacted')] : [],
    next: [],
  }
}

/** The seats of which `users` use about the share given. */
export function seatsFor(users: number, share: number): number {
  return Math.max(users > 4 ? 5 : 1, Math.ceil(users / share))
}
