import { PREVIEW_FEATURES } from './names.ts'
import type { Random } from './random.ts'
import { type SampleAccount, type Scene, type StorylineName, scene } from './sample-account.ts'

/**
 * Signs of interest in a larger plan in the last weeks, for accounts at the end of their storyline: how many
 * of each kind.
 */
interface Interest {
  readonly explored: number
  readonly upgradePage: number
  /** The chance that somebody mentioned it to CS. */
  readonly mentionChance: number
}

const NO_INTEREST: Interest = { explored: 0, upgradePage: 0, mentionChance: 0 }

const INTERESTS: Readonly<Record<StorylineName, Interest>> = {
  steady: NO_INTEREST,
  'seat-growth': { explored: 1, upgradePage: 2, mentionChance: 0.5 },
  'api-limit': { explored: 1, upgradePage: 3, mentionChance: 0.4 },
  'preview-trial': { explored: 4, upgradePage: 2, mentionChance: 0.7 },
  'second-product': { explored: 2, upgradePage: 1, mentionChance: 0.3 },
  'unhealthy-heavy': { explored: 0, upgradePage: 1, mentionChance: 0 },
  'renewal-near': { explored: 1, upgradePage: 1, mentionChance: 0.8 },
  'multi-team': { explored: 2, upgradePage: 1, mentionChance: 0.3 },
  fading: NO_INTEREST,
  newcomer: { explored: 1, upgradePage: 0, mentionChance: 0 },
}

/** The chance that somebody of an account looked around once in 90 days. */
const IDLE_LOOKS = 0.3
/** Accounts whose place is below this have come to the point of their storyline. */
const POINT = 0.4

export function interest({ storyline }: SampleAccount, place: number, random: Random): Scene[] {
  const { explored, upgradePage, mentionChance } = place < POINT ? INTERESTS[storyline] : NO_INTEREST
  const recently = (): number => random.integer(1, 24)
  const looksAround = storyline !== 'fading' && random.chance(IDLE_LOOKS)
  return [
    ...Array.from({ length: explored }, () => exploration(recently(), random)),
    ...Array.from({ length: upgradePage }, () => look(recently())),
    ...(random.chance(mentionChance)
      ? [scene(recently(), 'intent', 'cs.expansion-mentioned', { by: 'user' })]
      : []),
    ...(looksAround
      ? [random.chance(0.5) ? exploration(random.integer(1, 85), random) : look(random.integer(1, 85))]
      : []),
  ]
}

function exploration(daysAgo: number, random: Random): Scene {
  const properties = { feature: random.pick(PREVIEW_FEATURES) }
  return scene(daysAgo, 'intent', 'feature.explored', { by: 'user', properties })
}

function look(daysAgo: number): Scene {
  return scene(daysAgo, 'intent', 'upgrade-page.viewed', { by: 'user' })
}

/**
 * Reviews and trainings with known stakeholders, about one a month; roles that were known first come most
 * often.
 */
export function reviews({ profile, storyline }: SampleAccount, random: Random): Scene[] {
  const roles = Object.keys(profile.stakeholders)
  if (roles.length === 0 || storyline === 'fading') return []
  return [5, 35, 65].map((daysAgo, i) =>
    scene(daysAgo + random.integer(0, 20), 'usage', 'stakeholder.engaged', {
      properties: { role: roles[i % roles.length]! },
    }),
  )
}
