import type { Motion } from '../scoring/definition/model-definition.ts'
import type { Random } from './random.ts'
import type { ContractChange, SampleAccount, Scene, StorylineName } from './sample-account.ts'
import { scene } from './sample-account.ts'
import { expansionWon } from './scenes.ts'

/** The motion that the vendor's people follow in each storyline that can end in more business. */
const MOTION_OF: Readonly<Partial<Record<StorylineName, Motion>>> = {
  'seat-growth': 'seat-expansion',
  'api-limit': 'usage-upsell',
  'preview-trial': 'feature-expansion',
  'second-product': 'cross-sell',
  'renewal-near': 'renewal-upgrade',
  'multi-team': 'seat-expansion',
}

/** What follows from an account's signs of growth. */
export interface ExpansionTalk {
  readonly scenes: readonly Scene[]
  /** What happens next, once someone watches. */
  readonly next: readonly Scene[]
  readonly change: ContractChange | undefined
}

const NO_TALK: ExpansionTalk = { scenes: [], next: [], change: undefined }

// One round of a talk: a sign of interest → an opportunity a few days later → a conversation → a deal, won or
// lost.

/**
 * Three accounts of five have been through one round. Accounts at the end of their storyline may be in a
 * second one.
 */
export function expansionTalk(account: SampleAccount, place: number, random: Random): ExpansionTalk {
  const motion = MOTION_OF[account.storyline]
  if (motion === undefined) return account.storyline === 'fading' ? decline(account, place, random) : NO_TALK
  const earlier = random.chance(0.62) ? earlierRound(account, motion, random) : NO_TALK
  const present = place < 0.4 && random.chance(0.5) ? presentRound(account, motion, random) : NO_TALK
  return {
    scenes: [...earlier.scenes, ...present.scenes],
    next: present.next,
    change: earlier.change,
  }
}

/** A round that began so long ago that its first sign no longer counts. */
function earlierRound(account: SampleAccount, motion: Motion, random: Random): ExpansionTalk {
  const { contract } = account
  const increase = random.between(0.24, 0.6)
  const mrr = contract.seats * contract.seatPrice
  const seatsBefore =
    motion === 'seat-expansion' ? Math.max(1, Math.round(contract.seats / (1 + increase))) : contract.seats
  const mrrBefore =
    motion === 'seat-expansion' ? seatsBefore * contract.seatPrice : Math.round(mrr / (1 + increase))
  const addedMrr = mrr - mrrBefore
  const value = addedMrr * 12

  const signedAgo = random.integer(36, 84)
  const openedAgo = signedAgo - random.integer(2, 5)
  const scenes = [...signs(motion, signedAgo, random), opened(motion, value, openedAgo)]
  if (!random.chance(0.52)) return { ...NO_TALK, scenes }
  scenes.push(conversation(motion, openedAgo - random.integer(3, 8)))
  const daysToClose = random.integer(14, 42)
  const closedAgo = openedAgo - daysToClose
  const roll = random.next()
  if (roll > 0.8 || closedAgo < 1) return { ...NO_TALK, scenes }
  if (roll > 0.52) {
    scenes.push(scene(closedAgo, 'outcome', 'deal.lost', { quantity: value, properties: { motion } }))
    return { ...NO_TALK, scenes }
  }
  const sizeIncreasePercent = Math.round((addedMrr / mrrBefore) * 100)
  const deal = { motion, addedMrr, daysToClose, sizeIncreasePercent, opportunityValue: value }
  scenes.push(expansionWon(closedAgo, deal, { seats: contract.seats, mrr }))
  return { scenes, next: [], change: { daysAgo: closedAgo, seatsBefore, mrrBefore, mrr } }
}

/** A round that is under way: its deal is still open. */
function presentRound({ contract }: SampleAccount, motion: Motion, random: Random): ExpansionTalk {
  const increase = random.between(0.24, 0.6)
  const value = Math.round(contract.seats * contract.seatPrice * increase) * 12
  const openedAgo = random.integer(1, 14)
  const talksAgo = openedAgo - random.integer(1, 6)
  const opportunity = opened(motion, value, openedAgo)
  if (talksAgo < 0) return { ...NO_TALK, scenes: [opportunity], next: [conversation(motion, 0)] }
  return { ...NO_TALK, scenes: [opportunity, conversation(motion, talksAgo)] }
}

/** Some fading accounts buy less, and some leave. */
function decline({ contract }: SampleAccount, place: number, random: Random): ExpansionTalk {
  const mrr = contract.seats * contract.seatPrice
  // No large account leaves: it would hide the rest of the month's figures.
  if (place < 0.12 && contract.plan !== 'scale') {
    const daysAgo = random.integer(2, 80)
    const scenes = [
      scene(daysAgo, 'outcome', 'mrr.churned', { quantity: mrr, also: [contractOf({ mrr: 0 }, daysAgo)] }),
    ]
    return { ...NO_TALK, scenes, change: { daysAgo, seatsBefore: contract.seats, mrrBefore: mrr, mrr: 0 } }
  }
  if (place > 0.34) return NO_TALK
  const daysAgo = random.integer(5, 70)
  const seatsBefore = Math.ceil(contract.seats * 1.25)
  const mrrBefore = seatsBefore * contract.seatPrice
  const also = [contractOf({ seats: contract.seats, mrr }, daysAgo)]
  const scenes = [scene(daysAgo, 'outcome', 'mrr.contracted', { quantity: mrrBefore - mrr, also })]
  return { ...NO_TALK, scenes, change: { daysAgo, seatsBefore, mrrBefore, mrr } }
}

function contractOf(properties: Scene['properties'], daysAgo: number): Scene {
  return scene(daysAgo, 'contract', 'contract', { properties })
}

/** The signs that make a PQL, before anyone spoke with the account. */
function signs(motion: Motion, daysAgo: number, random: Random): Scene[] {
  const looks = Array.from({ length: random.integer(1, 3) }, () =>
    scene(daysAgo + random.integer(0, 5), 'intent', 'upgrade-page.viewed', { by: 'user' }),
  )
  return [...looks, scene(daysAgo, ...SIGNS[motion], { by: 'user' })]
}

const SIGNS: Readonly<Record<Motion, readonly ['usage' | 'intent', string]>> = {
  'seat-expansion': ['usage', 'user.invited'],
  'plan-upgrade': ['intent', 'support.next-plan-feature-asked'],
  'usage-upsell': ['intent', 'support.next-plan-feature-asked'],
  'feature-expansion': ['intent', 'support.next-plan-feature-asked'],
  'renewal-upgrade': ['intent', 'support.next-plan-feature-asked'],
  'cross-sell': ['intent', 'support.use-case-asked'],
}

/** `value`: per year. */
function opened(motion: Motion, value: number, daysAgo: number): Scene {
  return scene(daysAgo, 'outcome', 'opportunity.created', { quantity: value, properties: { motion } })
}

function conversation(motion: Motion, daysAgo: number): Scene {
  return scene(daysAgo, 'outcome', 'conversation.held', { properties: { motion } })
}
