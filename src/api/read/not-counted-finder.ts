import { ModelReaders, type NotCounted, tooOld, unusableProperties } from '../../analysis/not-counted.ts'
import type { CompiledModel } from '../../scoring/definition/compiled-model.ts'
import type { Signal } from '../../signals/signal.ts'
import type { KnownBefore } from './signals-before.ts'

/**
 * Suggestions for one request. Each is searched among all names of all models, and a body can have 100,000
 * unread keys.
 */
const MOST_SUGGESTIONS = 50

/** Finds what will not count in accepted signals. It remembers what the latest models read. */
export class NotCountedFinder {
  #models: readonly CompiledModel[] = []
  #readers: ModelReaders | undefined

  /**
   * @param values the signals as they were sent
   * @param before undefined: neither the models nor the accounts are known
   */
  find(
    signals: readonly Signal[],
    values: readonly unknown[],
    before: KnownBefore | undefined,
    observedAt: number,
  ): (NotCounted & { readonly index: number })[] {
    const readers = this.#readersOf(before?.models ?? [])
    const suggest = searchOnce(name => readers?.nearest(name))
    const sent = new Set<string>()
    return signals.flatMap((signal, index) => {
      const ignored = duplicate(signal, sent, before) ?? tooOld(signal, observedAt)
      if (ignored !== undefined) return [{ index, ...ignored }]
      sent.add(identityOf(signal))
      const { properties } = values[index] as { readonly properties?: unknown }
      const unused = [
        ...unusableProperties(signal, properties),
        ...(readers?.unusedOf(signal, suggest) ?? []),
      ]
      return unused.map(each => ({ index, ...each }))
    })
  }

  /** Undefined while no model is active: a list of all names would say nothing. */
  #readersOf(models: readonly CompiledModel[]): ModelReaders | undefined {
    if (models.length === 0) return undefined
    if (this.#readers === undefined || this.#models !== models) this.#readers = new ModelReaders(models)
    this.#models = models
    return this.#readers
  }
}

function searchOnce(search: (name: string) => string | undefined): (name: string) => string | undefined {
  const found = new Map<string, string | undefined>()
  return name => {
    if (!found.has(name) && found.size < MOST_SUGGESTIONS) found.set(name, search(name))
    return found.get(name)
  }
}

function duplicate(
  signal: Signal,
  sent: ReadonlySet<string>,
  before: KnownBefore | undefined,
): NotCounted | undefined {
  const where = sent.has(identityOf(signal))
    ? 'earlier in this request'
    : before?.isDuplicate(signal) === true
      ? 'in the last 48 hours'
      : undefined
  if (where === undefined) return undefined
  const detail = `the account ${JSON.stringify(signal.accountId)} got a signal with the id ${JSON.stringify(signal.id)} ${where}; an id counts once`
  return { code: 'duplicate', detail }
}

/** Neither an id nor an account has a line break. */
function identityOf({ accountId, id }: Signal): string {
  return `${accountId}\n${id}`
}
