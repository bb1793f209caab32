import type { Random } from './random.ts'
import { type SampleAccount, type Scene, type StorylineName, scene } from './sample-account.ts'

const TALKED_WITH: readonly StorylineName[] = [
  'seat-growth',
  'api-limit',
  'preview-trial',
  'second-product',
  'renewal-near',
  'multi-team',
]

/**
 * What the vendor's people made of an account's growth: an opportunity, a conversation, a closed expansion (its quantity is the new
 * yearly revenue), each only after the one before. No score reads them; the metrics of the operating loop do.
 */
export function salesTalk(account: SampleAccount, random: Random): Scene[] {
  if (!TALKED_WITH.includes(account.storyline) || !random.chance(0.5)) return []
  const daysAgo = random.integer(30, 70)
  const talk = [scene(daysAgo, 'outcome', 'expansion.opportunity-created')]
  if (!random.chance(0.6)) return talk
  talk.push(scene(daysAgo - random.integer(3, 10), 'outcome', 'expansion.conversation'))
  if (!random.chance(0.5)) return talk
  const newRevenue = account.contract.seats * random.integer(2, 6) * 120
  talk.push(scene(daysAgo - random.integer(12, 28), 'outcome', 'expansion.closed', { quantity: newRevenue }))
  return talk
}
