import { levelAt } from './course.ts'
import { type Draft, draft } from './draft.ts'
import { health, npsFacts, percent, planFacts } from './facts.ts'
import type { Random } from './random.ts'
import { moodAt, type SampleAccount, type StorylineName } from './sample-account.ts'

/**
 * How often episodes come over the account, relative to others. With PQLs or near a tier's edge they show the
 * most.
 */
export function episodeShare({ storyline }: SampleAccount): number {
  return EPISODE_SHARES[storyline]
}

const EPISODE_SHARES: Readonly<Record<StorylineName, number>> = {
  steady: 1,
  'seat-growth': 2,
  'api-limit': 2,
  'preview-trial': 2,
  'second-product': 2,
  'unhealthy-heavy': 2,
  'renewal-near': 2,
  'multi-team': 2,
  fading: 0,
  newcomer: 0,
}

/**
 * Something that comes over an account and passes within minutes: its signals at `begin` and `end`, ms. The
 * end restores the beginning, so episodes can repeat for ever. If a restart loses the end, the next report
 * corrects it.
 */
export function episodeOf(account: SampleAccount, begin: number, end: number, random: Random): Draft[] {
  if (levelAt(account.health, 1) < HEALTHY) return recovery(account, begin, end)
  const roll = random.next()
  if (roll < 0.12) return fullDisk(account, begin, end, random)
  if (roll < 0.35 && account.nps !== undefined) return oddAnswer(account, account.nps, begin, end)
  return escalation(account, begin, end, random)
}

/** The health gate of the Revenue Score. */
const HEALTHY = 60

/** A support ticket escalates, and is solved. */
function escalation(account: SampleAccount, begin: number, end: number, random: Random): Draft[] {
  return [
    draft(account, 'usage', 'support.escalated', begin),
    health(account, random.integer(44, 57), 'escalating', begin),
    usualHealth(account, end),
  ]
}

/** An unhappy account recovers, and becomes unhappy again. */
function recovery(account: SampleAccount, begin: number, end: number): Draft[] {
  return [health(account, 68, 'positive', begin), usualHealth(account, end)]
}

function usualHealth(account: SampleAccount, at: number): Draft {
  return health(account, Math.round(levelAt(account.health, 1)), moodAt(account.mood, 1), at)
}

/** The storage fills up, and somebody makes room. */
function fullDisk(account: SampleAccount, begin: number, end: number, random: Random): Draft[] {
  const share = random.between(0.93, 0.99)
  const storageUsedGb = Math.round(account.contract.storageLimitGb * share)
  return [
    draft(account, 'traits', 'plan-use', begin, {
      properties: { storageUsedGb, usagePercentage: percent(share) },
    }),
    planFacts(account, 1, end),
  ]
}

/** One user answers a survey unlike the others; the next answer is usual again. */
function oddAnswer(account: SampleAccount, usual: number, begin: number, end: number): Draft[] {
  const odd = draft(account, 'health', 'survey', begin, { properties: { nps: usual >= 7 ? 4 : 9 } })
  return [odd, ...npsFacts(account, end)]
}
