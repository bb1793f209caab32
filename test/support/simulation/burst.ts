import type { Signal } from '../../../src/signals/signal.ts'
import { NAMES } from '../arbitrary/vocabulary.ts'

/** Many signals that are sent at once, as a file or a batch of the API is. */
export interface Burst {
  /** The number of the first signal: a burst with the same number is a retry. */
  readonly first: number
  readonly signals: number
  readonly accounts: number
  readonly occurredAt: number
}

const PREFIX = 'burst-'

/** The signals of a burst. Its accounts take turns, and no other action has signals for them. */
export function signalsOf({ first, signals, accounts, occurredAt }: Burst): Signal[] {
  return Array.from({ length: signals }, (_, i) => {
    const number = first + i
    return {
      id: `${PREFIX}${number}`,
      kind: 'usage',
      name: NAMES[number % NAMES.length]!,
      accountId: `${PREFIX}${number % accounts}`,
      userId: `u${number % 7}`,
      quantityThousandths: 1000,
      properties: {},
      occurredAt,
    }
  })
}

export function isOfBurst(accountId: string): boolean {
  return accountId.startsWith(PREFIX)
}
