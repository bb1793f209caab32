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

/** What the vendor's CRM and CS team know of an account, beside what it does. */
export interface Profile {
  readonly csm: string
  /** Of the person who signs in most. Undefined: nobody asked. */
  readonly persona: string | undefined
  readonly activationPath: string
  /** Days before the end of the history. */
  readonly firstValueDaysAgo: number
  readonly businessUnits: number
  readonly businessCaseAligned: boolean
  readonly budgetConfirmed: boolean
  /** By role: who it is. */
  readonly stakeholders: Readonly<Record<string, string>>
  /** Products beside the main one. */
  readonly owns: readonly string[]
  readonly sessionMinutes: number
  readonly paysInTime: boolean
  readonly csat: number | undefined
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
