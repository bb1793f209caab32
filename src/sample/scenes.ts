import type { Motion } from '../scoring/definition/model-definition.ts'
import { OTHER_PRODUCT } from './names.ts'
import type { Random } from './random.ts'
import { type SampleContract, type Scene, scene } from './sample-account.ts'

// The single events of storylines.

export function sponsorCall(random: Random): Scene {
  return scene(random.integer(2, 20), 'usage', 'sponsor.contacted')
}

export function question(random: Random, daysAgo: number): Scene {
  const name = random.pick(['support.next-plan-feature-asked', 'support.use-case-asked'])
  return scene(daysAgo, 'intent', name, { by: 'user' })
}

export function invitation(daysAgo: number): Scene {
  return scene(daysAgo, 'usage', 'user.invited', { by: 'user' })
}

export function newUser(): Scene {
  return scene(0, 'usage', 'user.added', { by: 'newcomer' })
}

/** The talk went well: half as many seats again. */
export function moreSeats({ seats, seatPrice }: SampleContract): Scene {
  const more = Math.ceil((seats * 1.5) / 5) * 5
  const addedMrr = (more - seats) * seatPrice
  const deal: Deal = {
    motion: 'seat-expansion',
    addedMrr,
    daysToClose: 20,
    sizeIncreasePercent: Math.round((more / seats - 1) * 100),
    opportunityValue: addedMrr * 12,
  }
  return expansionWon(0, deal, { seats: more, mrr: more * seatPrice })
}

export interface Deal {
  readonly motion: Motion
  readonly addedMrr: number
  readonly daysToClose: number
  readonly sizeIncreasePercent: number
  /** The value with which the opportunity was opened. */
  readonly opportunityValue: number
}

/** The new contract, the won deal (its quantity is the added ARR), and the expansion of the MRR. */
export function expansionWon(
  daysAgo: number,
  { motion, addedMrr, ...properties }: Deal,
  contract: { readonly seats: number; readonly mrr: number },
): Scene {
  return scene(daysAgo, 'contract', 'contract', {
    properties: contract,
    also: [
      scene(daysAgo, 'outcome', 'deal.won', {
        quantity: addedMrr * 12,
        properties: { motion, mrr: addedMrr, ...properties },
      }),
      scene(daysAgo, 'outcome', 'mrr.expanded', { quantity: addedMrr, properties: { motion } }),
    ],
  })
}

export function preview(feature: string, daysAgo: number): Scene {
  return scene(daysAgo, 'usage', `feature.preview.${feature}`, { by: 'user' })
}

export function productPage(daysAgo: number): Scene {
  return scene(daysAgo, 'intent', 'product-page.viewed', {
    by: 'user',
    properties: { product: OTHER_PRODUCT },
  })
}

export function guest(daysAgo: number): Scene {
  return scene(daysAgo, 'usage', 'guest.added', { by: 'user' })
}

/** The users have a task for another product of the vendor. */
export function useCaseMention(daysAgo: number): Scene {
  return scene(daysAgo, 'intent', 'use-case.mentioned', { by: 'user' })
}

export function premiumRequest(daysAgo: number): Scene {
  return scene(daysAgo, 'intent', 'support.premium-requested', { by: 'user' })
}

export function escalationToSupport(daysAgo: number): Scene {
  return scene(daysAgo, 'usage', 'support.escalated')
}
