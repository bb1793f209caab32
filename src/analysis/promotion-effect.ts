import type { Account } from '../scoring/account.ts'
import { eventsToAnnounce } from '../scoring/announce-promotion.ts'
import type { AccountScores } from '../scoring/codec/codec.ts'
import type { CompiledModel } from '../scoring/definition/compiled-model.ts'
import type { ScoringEvent } from '../scoring/events.ts'
import type { Standing } from '../scoring/standing.ts'

/** What a promotion changes in one model. */
export interface ModelEffect {
  readonly modelId: string
  /** The version that serves now; undefined: the model begins. */
  readonly current: number | undefined
  /** The version that would serve; undefined: the model ends. */
  readonly next: number | undefined
  /** Whether the content differs, too. */
  readonly isSame: boolean
  /** How many accounts it scores now, or would score if it begins. */
  readonly accounts: number
  /** Its PQLs that are open or held now. */
  readonly pqls: number
  /** How many of them end with the promotion. */
  readonly pqlsEnded: number
  /** PQLs that subscribers do not know yet. */
  readonly pqlsBegun: number
}

export interface PromotionEffect {
  /** Models that end come first, then those that begin, then the others. */
  readonly models: readonly ModelEffect[]
  /** How many accounts were compared. */
  readonly accounts: number
  readonly tierChanges: number
  readonly pqlEvents: number
}

type Counts = { -readonly [key in 'accounts' | 'pqls' | 'pqlsEnded' | 'pqlsBegun']: number }

/** Counts, account by account, what a promotion would change and announce. */
export class PromotionTally {
  readonly #current: ReadonlyMap<string, CompiledModel>
  readonly #next: ReadonlyMap<string, CompiledModel>
  readonly #namespace: string
  readonly #counts = new Map<string, Counts>()
  #accounts = 0
  #tierChanges = 0
  #pqlEvents = 0

  /** @param namespace of the lineage that would serve, with the models `next` */
  constructor(current: readonly CompiledModel[], next: readonly CompiledModel[], namespace: string) {
    this.#current = byId(current)
    this.#next = byId(next)
    this.#namespace = namespace
  }

  /** @param before the same account in the lineage that serves now; undefined: it is not there */
  add(before: AccountScores | undefined, account: Account): void {
    this.#accounts++
    for (const standing of before?.standings ?? []) this.#countCurrent(standing)
    for (const { model, inScope } of account.standings)
      if (!this.#current.has(model.definition.id) && inScope) this.#countsOf(model.definition.id).accounts++
    for (const event of eventsToAnnounce(before, account, this.#namespace)) this.#countEvent(event)
  }

  finish(): PromotionEffect {
    const ids = [...new Set([...this.#current.keys(), ...this.#next.keys()])]
    const models = ids.map(id => this.#effectOf(id))
    return {
      models: models.sort((a, b) => rankOf(a) - rankOf(b)),
      accounts: this.#accounts,
      tierChanges: this.#tierChanges,
      pqlEvents: this.#pqlEvents,
    }
  }

  #countCurrent({ model, inScope, triggers }: Standing): void {
    const counts = this.#countsOf(model.definition.id)
    if (inScope) counts.accounts++
    counts.pqls += triggers.filter(({ status }) => status !== 'idle').length
  }

  #countEvent(event: ScoringEvent): void {
    if (event.type === 'tier-change') this.#tierChanges++
    if (event.type !== 'pql') return
    this.#pqlEvents++
    const counts = this.#countsOf(event.modelId)
    if (event.status === 'disqualified') counts.pqlsEnded++
    // A PQL of the same id can be held for subscribers who know it as open.
    if (event.status === 'qualified' || event.status === 'held') counts.pqlsBegun++
  }

  #countsOf(modelId: string): Counts {
    let counts = this.#counts.get(modelId)
    if (counts === undefined) {
      counts = { accounts: 0, pqls: 0, pqlsEnded: 0, pqlsBegun: 0 }
      this.#counts.set(modelId, counts)
    }
    return counts
  }

  #effectOf(modelId: string): ModelEffect {
    const [current, next] = [this.#current.get(modelId), this.#next.get(modelId)]
    return {
      modelId,
      current: current?.definition.version,
      next: next?.definition.version,
      isSame: current !== undefined && current.definitionHash === next?.definitionHash,
      ...this.#countsOf(modelId),
    }
  }
}

function byId(models: readonly CompiledModel[]): Map<string, CompiledModel> {
  return new Map(models.map(model => [model.definition.id, model]))
}

function rankOf({ current, next }: ModelEffect): number {
  if (next === undefined) return 0
  return current === undefined ? 1 : 2
}
