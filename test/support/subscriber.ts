import { expect } from 'vitest'
import type { PqlStatus, ScoringEvent } from '../../src/scoring/events.ts'

/** What a service knows of one account under one model. */
export interface Known {
  tier: string
  /** `trigger open` or `trigger held`, by `pqlId`. */
  readonly pqls: Map<string, string>
}

/** What was known of a PQL before an event with this status. */
const BEFORE: Readonly<Record<PqlStatus, readonly (string | undefined)[]>> = {
  qualified: [undefined],
  held: [undefined, 'open'],
  released: ['held'],
  disqualified: ['open', 'held'],
  expired: ['open', 'held'],
}

/**
 * A service that reads nothing but tier changes and PQL events. It expects each to fit what it knows.
 */
export class Subscriber {
  readonly #known = new Map<string, Known>()

  /** `firstTier`: the tier if no tier change has named one, which is the lowest tier at first. */
  knows(accountId: string, modelId: string, firstTier: string): Known {
    const key = JSON.stringify([accountId, modelId])
    const known = this.#known.get(key) ?? { tier: firstTier, pqls: new Map<string, string>() }
    this.#known.set(key, known)
    return known
  }

  read(event: ScoringEvent): void {
    if (event.type === 'alert') return
    const known = this.#known.get(JSON.stringify([event.accountId, event.modelId]))
    if (known === undefined) throw new Error(`nobody knew ${event.accountId} under ${event.modelId}`)
    if (event.type === 'tier-change') {
      expect(event.from, event.modelId).toBe(known.tier)
      expect(event.to).not.toBe(event.from)
      known.tier = event.to
      return
    }
    const { pqlId, trigger, status } = event
    const [ofTrigger, before] = known.pqls.get(pqlId)?.split(' ') ?? []
    expect(ofTrigger ?? trigger).toBe(trigger)
    expect(BEFORE[status], status).toContain(before)
    if (status === 'disqualified' || status === 'expired') known.pqls.delete(pqlId)
    else known.pqls.set(pqlId, `${trigger} ${status === 'held' ? 'held' : 'open'}`)
    expect(event.tier).toBe(known.tier)
  }
}
