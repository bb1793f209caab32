import { FreshValue } from '../../lib/fresh-value.ts'
import { answerWithin } from '../../lib/waiting.ts'
import { describePosition, isBeingFilled, storedOffsetAt } from '../../store/position.ts'
import type { AccountStore, PartitionProgress } from '../../store/store.ts'
import { Problem } from '../plugins/problems.ts'

/**
 * Partition → the offset that a whole store has reached; left out: none of its records was scored.
 * @throws UpswellError TOPIC_MISSING, LOG_UNAVAILABLE
 */
export type PublishedOffsets = () => Promise<ReadonlyMap<number, number>>

/** While the store is in doubt, the log is asked once in this time. */
const LOG_ANSWER_MAX_AGE_MS = 1_000
/** How long a request waits for the log. */
const LOG_PATIENCE_MS = 1_000
/** An attempt fails only if a partition gets another owner meanwhile. */
const ATTEMPTS = 3

/** A partition when it was last found whole. */
interface SeenWhole {
  readonly wholeFrom: number
  readonly storedOffset: number
  readonly fencingToken: string | undefined
  /** ms of `performance.now()` */
  readonly seenAt: number
}

// | the store says                        | seen before    | the partition is whole if                      |
// | ------------------------------------- | -------------- | ---------------------------------------------- |
// | stored offset < whole from            | anything       | never: it is being filled                      |
// | stored offset ≥ whole from            | not higher     | always                                         |
// | stored offset ≥ whole from            | a higher one   | the log agrees: writes were lost since         |
// | stored offset ≥ whole from            | nothing        | the log agrees, or does not answer             |
// | stored offset 0, nobody has fenced it | anything       | the log agrees: nothing of it was ever scored  |
/**
 * Whether partitions of the store hold everything whose scores are published. An emptied store looks like a
 * new one until a scorer fences it, and an old copy looks whole. In doubt the log decides.
 */
export class Wholeness {
  readonly #store: Pick<AccountStore, 'readProgress'>
  readonly #published: FreshValue<ReadonlyMap<number, number>>
  readonly #seen = new Map<number, SeenWhole>()

  constructor(store: Pick<AccountStore, 'readProgress'>, publishedOffsets: PublishedOffsets) {
    this.#store = store
    this.#published = new FreshValue(publishedOffsets, LOG_ANSWER_MAX_AGE_MS)
  }

  /**
   * @param askedAt before the progress was read, ms of `performance.now()`
   * @throws Problem STORE_FILLING
   */
  async require(partition: number, progress: PartitionProgress, askedAt: number): Promise<void> {
    const lack = await this.#lackOf(partition, progress, askedAt)
    if (lack !== undefined) throw filling(lack)
  }

  /** What was read of the partition at a lower stored offset may be from before it was whole. */
  wholeFrom(partition: number): number {
    return this.#seen.get(partition)?.wholeFrom ?? 0
  }

  /**
   * Runs `read`. What it returns, or throws as a problem, is given only if the first `count` partitions were
   * whole all the time: they are whole afterwards, and each has the owner that it had when it was last found
   * whole. A store that loses something gets another owner before it is whole again.
   * @throws Problem STORE_FILLING
   */
  async during<Answer>(count: number, read: () => Promise<Answer>): Promise<Answer> {
    for (let attempt = 1; attempt <= ATTEMPTS; attempt++) {
      const partitions = Array.from({ length: count }, (_, partition) => partition)
      if (partitions.some(partition => !this.#seen.has(partition))) await this.#requireAll(count)
      const owners = partitions.map(partition => this.#seen.get(partition)!.fencingToken)
      const finish = await outcomeOf(read)
      await this.#requireAll(count)
      if (partitions.every(partition => this.#seen.get(partition)!.fencingToken === owners[partition]))
        return finish()
    }
    throw filling('partitions of the store got other owners while they were read')
  }

  /** @throws Problem STORE_FILLING: records were scored, so a store without partitions was emptied */
  async requireNothingScored(notBefore: number): Promise<void> {
    const published = await this.#publishedSince(notBefore)
    if (published === undefined)
      throw filling('the store is empty, and the log does not say whether anything was scored')
    if ([...published.values()].some(offset => offset > 0))
      throw filling('the store was emptied, and no scorer has begun to fill it again')
  }

  /** What is missing of the first `count` partitions; empty: nothing. */
  async lacks(count: number): Promise<string[]> {
    const askedAt = performance.now()
    const found = await this.#store.readProgress(Array.from({ length: count }, (_, partition) => partition))
    const lacks = await Promise.all(
      found.map((progress, partition) => this.#lackOf(partition, progress, askedAt)),
    )
    return lacks.filter(lack => lack !== undefined)
  }

  async #requireAll(count: number): Promise<void> {
    const [lack] = await this.lacks(count)
    if (lack !== undefined) throw filling(lack)
  }

  /** The table above. Undefined: nothing is missing. */
  async #lackOf(
    partition: number,
    progress: PartitionProgress,
    askedAt: number,
  ): Promise<string | undefined> {
    const { position, wholeFrom, fencingToken } = progress
    if (isBeingFilled(progress)) return describeLack(partition, position, wholeFrom!)
    const storedOffset = storedOffsetAt(position)
    const seen = this.#seen.get(partition)
    const isUnknown = wholeFrom === undefined && storedOffset === 0
    const isLower = seen !== undefined && storedOffset < seen.storedOffset
    // The answer to an earlier question came later: it says nothing about a loss.
    if (isLower && !isUnknown && askedAt <= seen.seenAt) return undefined
    if (seen === undefined || isLower || isUnknown) {
      const published = await this.#publishedSince(seen?.seenAt ?? Number.NEGATIVE_INFINITY)
      if (published === undefined) {
        if (isLower || isUnknown)
          return `partition ${partition} of the store ${describePosition(position)}, and the log does not say how far it should be`
      } else {
        const offset = published.get(partition) ?? 0
        if (storedOffset < offset) return describeLack(partition, position, offset)
      }
    }
    this.#seen.set(partition, {
      wholeFrom: wholeFrom ?? 0,
      storedOffset,
      fencingToken,
      seenAt: performance.now(),
    })
    return undefined
  }

  /** Undefined: the log does not answer. */
  #publishedSince(notBefore: number): Promise<ReadonlyMap<number, number> | undefined> {
    return answerWithin(LOG_PATIENCE_MS, this.#published.get(notBefore))
  }
}

function filling(lack: string): Problem {
  return new Problem('STORE_FILLING', `${lack[0]!.toUpperCase()}${lack.slice(1)}. Ask again.`)
}

function describeLack(partition: number, position: number, wholeFrom: number): string {
  return `partition ${partition} of the store is being filled: it ${describePosition(position)}, and is whole at offset ${wholeFrom}`
}

/** Gives the answer, or throws the problem, when it is called. @throws any other error at once */
async function outcomeOf<Answer>(read: () => Promise<Answer>): Promise<() => Answer> {
  try {
    const answer = await read()
    return () => answer
  } catch (thrown) {
    if (!(thrown instanceof Problem)) throw thrown
    return () => {
      throw thrown
    }
  }
}
