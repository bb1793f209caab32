import { type Course, steady } from './course.ts'
import { FEATURES, PREVIEW_FEATURES, PRODUCT_PAIRS } from './names.ts'
import { LARGEST_PLAN, seatsFor } from './ordinary-account.ts'
import type { Random } from './random.ts'
import { type SampleAccount, type StorylineName, scene } from './sample-account.ts'
import {
  escalationToSupport,
  guest,
  invitation,
  moreSeats,
  newUser,
  premiumRequest,
  preview,
  productPage,
  question,
  sponsorCall,
  useCaseMention,
} from './scenes.ts'

// `place` (0 to 1) says where in its storyline an account is. Places are dealt evenly, so that every seed
// gives about the same picture.
//
//   below PAST     past the point at which the storyline shows in the score
//   below BEFORE   right before that point: one more signal carries the account over it
//   above          far from it

export interface Storyline {
  /** The share of all accounts. */
  readonly share: number
  shape(account: SampleAccount, place: number, random: Random): Partial<SampleAccount>
}

const PAST = 0.4
const BEFORE = 0.75

export const STORYLINES: Readonly<Record<StorylineName, Storyline>> = {
  /**
   * Nothing special happens. Sometimes a user asks or invites somebody. Some accounts are near their storage
   * limit.
   */
  steady: {
    share: 0.24,
    shape: (account, place, random) => ({
      ...(place >= 0.9 ? { storageUse: steady(random.between(0.82, 0.88)) } : {}),
      scenes: [...account.scenes, ...(place < 0.08 ? [question(random, random.integer(2, 20))] : [])],
      next: place < 0.2 ? [question(random, 0)] : place < 0.3 ? [invitation(0)] : [],
    }),
  },

  /**
   * A team grows: users are added, some invited, and the seats fill up, past 80 % and then to the last one.
   */
  'seat-growth': {
    share: 0.1,
    shape: (account, place, random) => {
      // Seats are a multiple of five and exactly four fifths are used: one more user is above 80 %.
      const fifths = random.integer(3, 10)
      const share =
        place < PAST ? random.between(0.84, 1.04) : place < BEFORE ? 0.8 : random.between(0.66, 0.78)
      const seats = fifths * 5
      const users = Math.floor(seats * share + 1e-9)
      const isFull = place < 0.25
      return {
        ...healthy(random),
        contract: { ...account.contract, seats },
        users: [
          [0, Math.ceil(users * 0.6)],
          // Full accounts have been near their limit for more than two months.
          ...(isFull ? [[0.28, Math.ceil(seats * 0.8)] as const] : [[0.6, Math.ceil(users * 0.8)] as const]),
          [0.96, users],
        ],
        diligence: MORE_LATELY,
        ...(isFull ? withBudget(account) : {}),
        collaborations: isFull ? 7 : 1,
        invites: place < 0.2,
        teams: [
          [0, isFull ? 3 : 2],
          [0.8, isFull ? 4 : 2],
        ],
        powerFeaturesUsed: isFull ? 2 : 1,
        employees: growing(account, random.between(1.06, 1.16)),
        scenes: [sponsorCall(random)],
        next:
          isFull || place >= BEFORE
            ? []
            : place < PAST
              ? [moreSeats({ ...account.contract, seats })]
              : [newUser(), newUser()],
      }
    },
  },

  /** API calls climb towards the plan's monthly limit: past 90 %. */
  'api-limit': {
    share: 0.08,
    shape: (account, place, random) => {
      const use = place < PAST ? random.between(0.96, 1.1) : place < BEFORE ? 0.83 : random.between(0.6, 0.75)
      return {
        health: steady(random.integer(66, 88)),
        apiUse: [
          [0, use * 0.5],
          [0.6, use],
        ],
        powerFeaturesUsed: place < PAST ? 2 : 0,
        teams: steady(place < 0.15 ? 4 : 2),
        next:
          place >= PAST && place < BEFORE
            ? [scene(0, 'usage', 'api.called', { quantity: account.contract.apiCallLimit * 0.12 })]
            : [],
      }
    },
  },

  /** The account has a preview of the next plan and tries its features: two are a sign. */
  'preview-trial': {
    share: 0.08,
    shape: (account, place, random) => {
      const tried = random.shuffled(PREVIEW_FEATURES)
      const count = place < PAST ? random.integer(2, 3) : place < BEFORE ? 1 : 0
      return {
        health: steady(random.integer(68, 90)),
        powerFeaturesUsed: place < PAST ? 1 : 0,
        // These accounts use most of what they have, know why, and ask for more.
        ...(place < 0.25
          ? {
              featuresUsed: Math.round(account.contract.includedFeatures * 0.55),
              profile: { ...account.profile, businessCaseAligned: true },
            }
          : {}),
        scenes: [
          ...account.scenes,
          ...Array.from({ length: place < 0.2 ? 3 : place < PAST ? 1 : 0 }, () =>
            premiumRequest(random.integer(2, 14)),
          ),
          ...tried.slice(0, count).map(feature => preview(feature, random.integer(2, 16))),
        ],
        next: count === 1 ? [preview(tried[1]!, 0), premiumRequest(0)] : [],
      }
    },
  },

  /** Heavy users of the main product look at the page of the second one: three views are a sign. */
  'second-product': {
    share: 0.08,
    shape: (account, place, random) => {
      const count = place < PAST ? random.integer(3, 5) : place < BEFORE ? 2 : 1
      const [owned, fitting] =
        PRODUCT_PAIRS[Math.floor((place / PAST) * PRODUCT_PAIRS.length) % PRODUCT_PAIRS.length]!
      return {
        profile: { ...account.profile, owns: [owned] },
        featuresUsed: Math.round(account.contract.includedFeatures * random.between(0.6, 0.75)),
        health: steady(random.integer(66, 88)),
        scenes: [
          ...account.scenes,
          ...Array.from({ length: count }, () => productPage(random.integer(2, 18))),
          ...(place < 0.2
            ? [
                scene(random.integer(2, 9), 'intent', 'pricing.viewed', { by: 'user' }),
                scene(random.integer(2, 9), 'intent', `product.${fitting}.viewed`, { by: 'user' }),
              ]
            : []),
          ...(place < PAST ? [useCaseMention(random.integer(3, 30))] : []),
        ],
        next: count === 2 ? [productPage(0), useCaseMention(0)] : [],
      }
    },
  },

  /**
   * The account uses nearly all that it pays for, but is unhappy: its PQLs are held. Some accounts have just
   * recovered.
   */
  'unhealthy-heavy': {
    share: 0.07,
    shape: (account, place, random) => {
      const users = random.integer(8, 40)
      const low = random.integer(42, 55)
      const recovered = place < 0.25
      return {
        users: [
          [0, Math.ceil(users * 0.9)],
          [0.5, users],
        ],
        contract: { ...account.contract, seats: seatsFor(users, random.between(0.85, 0.97)) },
        csat: random.integer(recovered ? 62 : 25, recovered ? 80 : 55),
        scenes: recovered ? account.scenes : [...account.scenes, escalationToSupport(random.integer(3, 20))],
        health: [
          [0, random.integer(70, 78)],
          [0.6, 68],
          [0.75, low],
          [0.9, low],
          [0.95, recovered ? 67 : low],
        ],
        mood: [[0, 'neutral'], [0.7, 'escalating'], ...(recovered ? [[0.94, 'neutral'] as const] : [])],
        nps: recovered ? 7 : random.integer(2, 5),
      }
    },
  },

  /** The renewal is 60 to 90 days away, and the account is in good health. */
  'renewal-near': {
    share: 0.06,
    shape: (account, place, random) => {
      const isLarge = place < 0.5
      const users = isLarge ? random.integer(30, 48) : random.integer(8, 40)
      return {
        ...(place < 0.7 ? healthy(random) : {}),
        users: [
          [0, Math.ceil(users * 0.85)],
          [0.8, users],
        ],
        contract: {
          ...account.contract,
          ...(isLarge ? LARGEST_PLAN : {}),
          seats: seatsFor(users, random.between(0.66, 0.79)),
          renewalInDays: random.integer(62, 88),
          type: place < 0.7 ? 'annual' : 'multi-year',
          discountPercent: place < 0.5 ? 0 : 10,
        },
        // Almost all features of the plan are used: that is a limit, too.
        featuresUsed: place < 0.5 ? FEATURES.length : 8,
        powerFeaturesUsed: place < 0.5 ? 3 : 1,
        teams: steady(place < 0.5 ? 4 : 2),
        employees: growing(account, place < 0.5 ? 1.08 : 1.03),
        scenes: place < 0.6 ? [sponsorCall(random)] : [],
        next: place < 0.6 ? [] : [sponsorCall(random)],
      }
    },
  },

  /** The account began with one team; other teams join, in new locations, and invite guests. */
  'multi-team': {
    share: 0.06,
    shape: (account, place, random) => {
      const users = random.integer(14, 50)
      const guests = place < 0.2 ? 3 : place < BEFORE ? 2 : 0
      return {
        users: [
          [0, Math.ceil(users * 0.7)],
          [0.9, users],
        ],
        contract: { ...account.contract, seats: seatsFor(users, random.between(0.45, 0.75)) },
        health: steady(random.integer(68, 90)),
        featuresUsed: random.integer(6, 10),
        powerFeaturesUsed: random.integer(0, 1),
        diligence: MORE_LATELY,
        ...(place < 0.3 ? withBudget(account) : {}),
        collaborations: place < 0.3 ? 7 : 1,
        teams: [
          [0, 1],
          [0.4, 2],
          [0.9, random.integer(4, 6)],
        ],
        locations: [
          [0, 1],
          [0.8, 2],
        ],
        employees: growing(account, random.between(1, 1.08)),
        scenes: [...account.scenes, ...Array.from({ length: guests }, () => guest(random.integer(4, 45)))],
        next: guests === 2 ? [guest(0)] : [],
      }
    },
  },

  /** Fewer users come every week, until nobody does. */
  fading: {
    share: 0.15,
    shape: (_account, place, random) => ({
      diligence: [
        [0, 1],
        [0.4, 0.8],
        [0.7, place < 0.6 ? 0 : 0.15],
      ],
      apiUse: undefined,
      health: [
        [0, random.integer(60, 70)],
        [0.8, random.integer(30, 56)],
      ],
      mood: [
        [0, 'neutral'],
        [0.5, random.pick(['neutral', 'escalating'] as const)],
      ],
      nps: random.chance(0.5) ? random.integer(2, 6) : undefined,
      csat: random.chance(0.5) ? random.integer(20, 60) : undefined,
      paysInTime: place < 0.55,
      scenes: [],
    }),
  },

  /** The account signed up in the last weeks, with a few users. */
  newcomer: {
    share: 0.08,
    shape: (account, _place, random) => {
      const users = random.integer(2, 7)
      return {
        ageDays: random.integer(6, 35),
        users: [
          [0, 1],
          [0.5, users],
        ],
        teams: steady(1),
        locations: steady(1),
        featuresUsed: random.integer(3, 7),
        apiUse: undefined,
        nps: undefined,
        health: steady(random.integer(52, 74)),
        contract: {
          ...account.contract,
          plan: 'starter',
          seats: 10,
          includedFeatures: 12,
          apiCallLimit: 50_000,
          storageLimitGb: 100,
          seatPrice: 29,
          type: 'monthly',
        },
        scenes: [],
      }
    },
  },
}

function healthy(random: Random): Pick<SampleAccount, 'health' | 'mood' | 'nps'> {
  return {
    health: steady(random.integer(76, 94)),
    mood: [
      [0, 'neutral'],
      [0.5, 'positive'],
    ],
    nps: random.integer(8, 10),
  }
}

/** A quarter more work in the last month than before. */
const MORE_LATELY: Course = [
  [0, 0.8],
  [0.62, 0.8],
  [0.68, 1],
]

function withBudget({ profile }: SampleAccount): Pick<SampleAccount, 'profile'> {
  return { profile: { ...profile, budgetConfirmed: true } }
}

function growing(account: SampleAccount, factor: number): SampleAccount['employees'] {
  const employees = account.employees[0]![1]
  return [
    [0, employees],
    [1, Math.round(employees * factor)],
  ]
}
