import { createRandom, type Random } from '../../../src/sample/random.ts'
import type { Signal, SignalKind } from '../../../src/signals/signal.ts'
import { DAY_MS, HOUR_MS } from '../../../src/signals/time.ts'

const ACCOUNTS = 240
/** The first accounts live ahead of the wall clock: days pass from one of their signals to the next. */
const TRAVELLERS = 60
const USERS = 12
/** Signals that may be sent again. */
const REMEMBERED = 400

const KINDS: readonly (readonly [kind: SignalKind, weight: number])[] = [
  ['usage', 58],
  ['intent', 12],
  ['traits', 6],
  ['health', 7],
  ['contract', 7],
  ['outcome', 4],
  ['override', 6],
]
const KIND_CHOICES = KINDS.flatMap(([kind, weight]) => Array.from({ length: weight }, () => kind))

/**
 * Endless signals: mostly new, some late, some too old, some repeated, and overrides that end seconds later.
 * The same seed and times give the same signals.
 */
export class SignalSource {
  readonly #random: Random
  readonly #prefix: string
  readonly #recent: Signal[] = []
  readonly #travels = new Map<string, number>()
  #count = 0

  /** `prefix` begins every id. */
  constructor(seed: number, prefix: string) {
    this.#random = createRandom('kill-nine', seed, prefix)
    this.#prefix = prefix
  }

  /**
   * The next signal, about something before `now` (ms). Travellers come only if `ahead` allows signals ahead
   * of now.
   */
  next(now: number, ahead: boolean): Signal {
    const random = this.#random
    if (this.#recent.length > 0 && random.chance(0.04)) return random.pick(this.#recent)
    const account = random.integer(ahead ? 0 : TRAVELLERS, ACCOUNTS - 1)
    const occurredAt = account < TRAVELLERS ? this.#travel(account, now) : this.#occurredAt(now)
    const signal = this.#about(`account-${account}`, occurredAt, account < TRAVELLERS)
    this.#recent.push(signal)
    if (this.#recent.length > REMEMBERED) this.#recent.shift()
    return signal
  }

  #occurredAt(now: number): number {
    const random = this.#random
    const chance = random.next()
    if (chance < 0.01) return now - random.integer(401, 500) * DAY_MS
    if (chance < 0.12) return now - Math.round(random.between(0, 40 * DAY_MS))
    return now - random.integer(0, 500)
  }

  #travel(account: number, now: number): number {
    const random = this.#random
    const stepMs = random.chance(0.4) ? random.integer(0, HOUR_MS) : random.integer(0, 3 * DAY_MS)
    // Two days ahead from the beginning: a tick of the wall clock must never reach them.
    const time = Math.max(this.#travels.get(`account-${account}`) ?? 0, now + 2 * DAY_MS) + stepMs
    this.#travels.set(`account-${account}`, time)
    return random.chance(0.1) ? time - random.integer(0, DAY_MS) : time
  }

  #about(accountId: string, occurredAt: number, travels: boolean): Signal {
    const random = this.#random
    const kind = random.pick(KIND_CHOICES)
    const signal = {
      id: `${this.#prefix}-${this.#count++}`,
      kind,
      name: kind,
      accountId,
      userId: undefined,
      quantityThousandths: 1000,
      properties: {},
      occurredAt,
    }
    switch (kind) {
      case 'usage':
        return {
          ...signal,
          name: random.pick(['seat.invited', 'report.exported', 'session.started']),
          userId: `user-${random.integer(1, USERS)}`,
          quantityThousandths: random.integer(0, 5000),
          properties: random.chance(0.3) ? { team: `team-${random.integer(1, 4)}` } : {},
        }
      case 'intent':
        return { ...signal, name: random.pick(['pricing.viewed', 'demo.asked']) }
      case 'traits':
        return {
          ...signal,
          properties: {
            employees: random.pick([20, 100, 900, 5000]),
            region: random.pick(['emea', 'apac', 'amer', null]),
            csm: random.pick(['ada', 'grace']),
          },
        }
      case 'health':
        return { ...signal, properties: { nps: random.pick([0, 10, 30, 60, null]) } }
      case 'contract':
        return { ...signal, properties: { seats: random.integer(1, 20) } }
      case 'outcome':
        return {
          ...signal,
          name: 'deal.won',
          properties: { amount: random.integer(1, 999), motion: random.pick(['seat-expansion', 'renewal']) },
        }
      case 'override':
        return { ...signal, ...this.#override(occurredAt, travels) }
      default:
        return kind satisfies never
    }
  }

  #override(occurredAt: number, travels: boolean): Pick<Signal, 'name' | 'properties'> {
    const random = this.#random
    const lastsMs = travels ? random.integer(1, 2 * DAY_MS) : random.integer(500, 9_000)
    const decision = random.pick([{ score: 80 }, { score: 5 }, { tier: 'hot' }, { hold: true }])
    return {
      name: random.pick(['pulse', 'fit', '*']),
      properties: {
        reason: 'as agreed',
        author: 'ada',
        expiresAt: new Date(occurredAt + lastsMs).toISOString(),
        ...decision,
      },
    }
  }
}
