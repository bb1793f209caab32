import { OTHER_PRODUCT } from './names.ts'
import type { Random } from './random.ts'
import { type Scene, scene } from './sample-account.ts'

/** The single things that happen in storylines. */

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
export function moreSeats(seats: number): Scene {
  return scene(0, 'contract', 'contract', { properties: { seats: Math.ceil((seats * 1.5) / 5) * 5 } })
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
