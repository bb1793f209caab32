import { setTimeout as sleep } from 'node:timers/promises'
import { isUpswellError } from '../../../src/lib/errors.ts'
import type { Log, OutgoingRecord } from '../../../src/log/log.ts'
import { signalRecord } from '../../../src/log/signals-topic-records.ts'
import { SOURCE_TOPICS, type SourceTopic, type TopicNames } from '../../../src/log/topic-names.ts'
import { createRandom } from '../../../src/sample/random.ts'
import { SignalSource } from './kill-nine-signals.ts'

export interface LoadOptions {
  readonly log: Log
  readonly topics: TopicNames
  readonly seed: number
}

/** The acknowledgement of a write. The record must be there in the end. */
export interface Acknowledged {
  readonly topic: string
  readonly partition: number
  readonly offset: number
  readonly value: string
}

const PAUSE_MS = 30
const MOST_AT_ONCE = 6
const BAD_EVERY = 60

/**
 * Appends signals to the log and to the source topics until it is stopped. Repeats each append that Kafka did
 * not acknowledge, as a producer does: such records may be there twice.
 */
export class Load {
  readonly acknowledged: Acknowledged[] = []
  readonly #options: LoadOptions
  readonly #loops: Promise<unknown>
  #isStopping = false
  #failure: unknown

  constructor(options: LoadOptions) {
    this.#options = options
    this.#loops = Promise.all([this.#run('direct'), this.#run('source')]).catch(error => {
      this.#failure = error
    })
  }

  /** @throws the error that ended it early */
  async stop(): Promise<void> {
    this.#isStopping = true
    await this.#loops
    if (this.#failure !== undefined) throw this.#failure
  }

  async #run(kind: 'direct' | 'source'): Promise<void> {
    const { seed } = this.#options
    const random = createRandom('kill-nine', seed, 'load', kind)
    const signals = new SignalSource(seed, kind)
    const make = kind === 'direct' ? this.#direct : this.#toSource
    for (let round = 0; !this.#isStopping; round++) {
      const records = Array.from({ length: random.integer(1, MOST_AT_ONCE) }, () =>
        make.call(this, signals, Date.now()),
      )
      if (round % BAD_EVERY === 0) records.push(this.#bad(kind, round))
      await this.#append(records)
      await sleep(PAUSE_MS * 2 * random.next())
    }
  }

  #direct(signals: SignalSource, now: number): OutgoingRecord {
    return signalRecord(this.#options.topics.signals, signals.next(now, true), now)
  }

  #toSource(signals: SignalSource, now: number): OutgoingRecord {
    const signal = signals.next(now, false)
    const { key, value } = signalRecord('', signal, now)
    const roles = Object.keys(SOURCE_TOPICS) as SourceTopic[]
    const role = roles.find(each => SOURCE_TOPICS[each] === signal.kind) ?? 'product-usage'
    return { topic: this.#options.topics[role], key, value }
  }

  #bad(kind: 'direct' | 'source', round: number): OutgoingRecord {
    const { topics } = this.#options
    const topic = kind === 'direct' ? topics.signals : topics['product-usage']
    return { topic, key: `bad-${round}`, value: `{"no signal": ${round}`, timestamp: Date.now() }
  }

  async #append(records: readonly OutgoingRecord[]): Promise<void> {
    while (true) {
      try {
        const positions = await this.#options.log.append(records)
        for (const [i, { partition, offset }] of positions.entries()) {
          const { topic, value } = records[i]!
          this.acknowledged.push({ topic, partition, offset, value: String(value) })
        }
        return
      } catch (error) {
        if (!isUpswellError(error, 'LOG_UNAVAILABLE')) throw error
        if (this.#isStopping) return
        await sleep(100)
      }
    }
  }
}
