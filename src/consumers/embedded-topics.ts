import { UpswellError } from '../errors.ts'
import type { LmdbEnvironment, LmdbTable } from '../store/lmdb-environment.ts'

export interface EmbeddedTopic {
  readonly name: string
  /** Stands in the keys of its records. */
  readonly number: number
  readonly partitions: number
}

/** How many partitions a topic gets when it is made. */
export type TopicPartitions = number | ((topic: string) => number)

/** The topics of the environment: made on first use, their numbers of partitions written down for good. */
export class EmbeddedTopics {
  readonly #environment: LmdbEnvironment
  /** Name → number and partitions. */
  readonly #table: LmdbTable
  readonly #partitions: TopicPartitions
  /** Topics never change, so what was read once holds. */
  readonly #known = new Map<string, EmbeddedTopic>()

  constructor(environment: LmdbEnvironment, partitions: TopicPartitions) {
    this.#environment = environment
    this.#table = environment.table('log-topics')
    this.#partitions = partitions
  }

  /**
   * The topics of these names, made where they are missing.
   * @throws UpswellError PARTITIONS_CHANGED: one was made with another number than is configured.
   */
  async ensure(names: Iterable<string>): Promise<ReadonlyMap<string, EmbeddedTopic>> {
    const missing = new Set([...names].filter(name => !this.#known.has(name)))
    if (missing.size > 0) {
      const found = await this.#environment.write('LOG_UNAVAILABLE', {
        check: () => {},
        apply: () => Array.from(missing, name => this.#findOrMake(name)),
      })
      for (const topic of found) this.#accept(topic)
    }
    return this.#known
  }

  /** Undefined if nobody has used it yet. */
  find(name: string): EmbeddedTopic | undefined {
    return this.#known.get(name) ?? this.#environment.read('LOG_UNAVAILABLE', () => this.#read(name))
  }

  #findOrMake(name: string): EmbeddedTopic {
    const existing = this.#read(name)
    if (existing !== undefined) return existing
    const topic = { name, number: this.#table.getKeysCount(), partitions: this.#configured(name) }
    this.#table.put(Buffer.from(name), Buffer.from(JSON.stringify([topic.number, topic.partitions])))
    return topic
  }

  #accept(topic: EmbeddedTopic): void {
    const configured = this.#configured(topic.name)
    if (topic.partitions !== configured) {
      throw new UpswellError(
        'PARTITIONS_CHANGED',
        `Topic ${topic.name} in ${this.#environment.directory} was made with ${topic.partitions} partitions, and ${configured} are configured. Configure ${topic.partitions}, or replay into a directory of its own with ${configured}.`,
      )
    }
    this.#known.set(topic.name, topic)
  }

  #read(name: string): EmbeddedTopic | undefined {
    const bytes = this.#table.get(Buffer.from(name))
    if (bytes === undefined) return undefined
    const [number, partitions] = JSON.parse(bytes.toString()) as [number, number]
    return { name, number, partitions }
  }

  #configured(name: string): number {
    return typeof this.#partitions === 'number' ? this.#partitions : this.#partitions(name)
  }
}
