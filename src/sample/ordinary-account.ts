import { steady } from './course.ts'
import { type Company, FEATURES } from './names.ts'
import type { Random } from './random.ts'
import { type Profile, type SampleAccount, type StorylineName, scene } from './sample-account.ts'

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

/** Offices are where people live: the Americas, Europe, Asia and the Pacific. */
const UTC_OFFSETS = [-8, -6, -5, -5, 0, 1, 1, 2, 5.5, 8, 9, 10] as const

/** An ordinary account: 30 to 70 % of its seats in use, in fair health. Storylines change it. */
export function ordinaryAccount(
  company: Company,
  index: number,
  storyline: StorylineName,
  profile: Profile,
  random: Random,
): SampleAccount {
  // Many small accounts, a few large ones.
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

/** How many seats there are if `users` fill about `share` of them. */
export function seatsFor(users: number, share: number): number {
  return Math.max(users > 4 ? 5 : 1, Math.ceil(users / share))
}
