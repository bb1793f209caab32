import type { PropertyValue, SignalKind } from '../signals/signal.ts'
import type { Course } from './course.ts'
import type { Company } from './names.ts'

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

/** An account of the sample. Everything that it does follows from this, the seed and the day. */
export interface SampleAccount extends Company {
  readonly index: number
  readonly storyline: StorylineName
  readonly utcOffsetHours: number
  /** How many days before the end of the history it signed up; Infinity: before the history began. */
  readonly ageDays: number
  /** How many users there are; the fraction of a user does not work yet. */
  readonly users: Course
  /** 1: all sessions of its users take place; 0: none. */
  readonly diligence: Course
  readonly teams: Course
  readonly locations: Course
  readonly featuresUsed: number
  readonly powerFeaturesUsed: number
  /** New users are invited before they join. */
  readonly invites: boolean
  /** Share of the monthly limit. Undefined: the account does not use the API. */
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
  /** The average length of a session. */
  readonly sessionMinutes: number
  /** Comments, mentions and shares on a working day. */
  readonly collaborations: number
  readonly paysInTime: boolean
  /** Customer satisfaction, 0 to 100. Undefined: the account was never asked. */
  readonly csat: number | undefined
  /** Single events before the end of the history. */
  readonly scenes: readonly Scene[]
  /** What happens next, as soon as someone watches. */
  readonly next: readonly Scene[]
}

/** What the vendor's CRM and CS team know about an account, beside its own activity. */
export interface Profile {
  readonly csm: string
  /** The persona of the user who signs in most. Undefined: nobody asked. */
  readonly persona: string | undefined
  readonly activationPath: string
  /** Days before the end of the history. */
  readonly firstValueDaysAgo: number
  readonly businessUnits: number
  readonly businessCaseAligned: boolean
  readonly budgetConfirmed: boolean
  /** The person's name, by role. */
  readonly stakeholders: Readonly<Record<string, string>>
  /** Products that it owns beside the main one. */
  readonly owns: readonly string[]
  readonly sessionMinutes: number
  readonly paysInTime: boolean
  readonly csat: number | undefined
}

export interface SampleContract {
  readonly plan: 'starter' | 'growth' | 'scale'
  readonly seats: number
  readonly includedFeatures: number
  /** Per month. */
  readonly apiCallLimit: number
  readonly storageLimitGb: number
  readonly renewalInDays: number
  readonly type: 'annual' | 'monthly' | 'multi-year'
  readonly discountPercent: number
  /** Per month. */
  readonly seatPrice: number
  /** `YYYY-MM-DD`; the year does not matter. */
  readonly fiscalYearStart: string
}

/** The contract changed `daysAgo`: the values before, and the present revenue. */
export interface ContractChange {
  readonly daysAgo: number
  readonly seatsBefore: number
  /** Monthly recurring revenue. */
  readonly mrrBefore: number
  readonly mrr: number
}

export type Sentiment = 'positive' | 'neutral' | 'escalating'

/** The sentiment of support tickets from each progress on; ascending, from 0. */
export type Mood = readonly (readonly [progress: number, sentiment: Sentiment])[]

export interface Scene {
  readonly daysAgo: number
  readonly kind: SignalKind
  readonly name: string
  readonly quantity: number
  readonly properties: Readonly<Record<string, PropertyValue>>
  /** `user`: one of the account's users. `newcomer`: a new user. Undefined: no user. */
  readonly by: 'user' | 'newcomer' | undefined
  /** Further scenes of the same moment, in this order. */
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
