import { UpswellError } from '../../lib/errors.ts'
import type { LmdbEnvironment, LmdbTable, PreparedWrite } from '../../lib/lmdb/lmdb-environment.ts'
import type { CreatedTopics, TopicToCreate } from '../log.ts'

export interface EmbeddedTopic {
  readonly name: string
  /** Part of the keys of its records; never used for two topics. */
  readonly number: number
  readonly partitions: number
}

/** The number of partitions of a new topic. */
export type TopicPartitions = number | ((topic: string) => number)

/** Key of the next topic's number. Missing as long as no topic was ever deleted. */
const NEXT_NUMBER_KEY = Buffer.from('log-next-topic-number')
const NUMBER_BYTES = 4

/**
 * The topics of the environment. A topic is created on first use with the configured number of partitions, or
 * explicitly with its own number, which is stored. Topics are read again each time: another process may
 * delete and recreate one.
 */
export class EmbeddedTopics {
  readonly #environment: LmdbEnvironment
  /** Name → number, partitions, and whether the topic was created with its own number of partitions. */
  readonly #table: LmdbTable
  readonly #partitions: TopicPartitions

  constructor(environment: LmdbEnvironment, partitions: TopicPartitions) {
    this.#environment = environment
    this.#table = environment.table('log-topics')
    this.#partitions = partitions
  }

  /**
   * The topics of these names; missing ones are created.
   * @throws UpswellError PARTITIONS_CHANGED: a topic has another number of partitions than is configured
   */
  async ensure(names: Iterable<string>): Promise<ReadonlyMap<string, EmbeddedTopic>> {
    const wanted = [...new Set(names)]
    const found = this.#environment.read('LOG_UNAVAILABLE', () => wanted.map(name => this.#read(name)))
    const topics = found.every(topic => topic !== undefined)
      ? found
      : await this.#environment.write('LOG_UNAVAILABLE', {
          check: () => {},
          apply: () =>
            wanted.map(name => this.#read(name) ?? this.#make(name, this.#configured(name), false)),
        })
    for (const topic of topics) this.#requireConfigured(topic)
    return new Map(topics.map(topic => [topic.name, topic]))
  }

  /** Undefined: it does not exist yet. */
  find(name: string): EmbeddedTopic | undefined {
    return this.#environment.read('LOG_UNAVAILABLE', () => this.#read(name))
  }

  /** All names in order. Call it within a read of the environment. */
  names(): string[] {
    return Array.from(this.#table.getKeys(), key => key.toString())
  }

  /** @throws UpswellError INVALID_SETTINGS: an invalid number of partitions */
  async create(topics: readonly TopicToCreate[]): Promise<CreatedTopics> {
    for (const { name, partitions } of topics)
      if (!Number.isSafeInteger(partitions) || partitions < 1)
        throw new UpswellError(
          'INVALID_SETTINGS',
          `Topic ${name} cannot have ${partitions} partitions; give a whole number from 1 on.`,
        )
    const created: string[] = []
    await this.#environment.write('LOG_UNAVAILABLE', {
      check: () => {},
      apply: () => {
        for (const { name, partitions } of topics) {
          if (this.#read(name) !== undefined) continue
          created.push(name)
          this.#make(name, partitions, partitions !== this.#configured(name))
        }
      },
    })
    return {
      created,
      existing: topics.map(({ name }) => name).filter(name => !created.includes(name)),
    }
  }

  /** Removes the topic. Remove its records first. */
  prepareRemove({ name }: EmbeddedTopic): PreparedWrite {
    return {
      check: () => {},
      apply: () => {
        // A process that still knows the number must not write into a later topic.
        this.#putNextNumber(this.#nextNumber())
        this.#table.remove(Buffer.from(name))
      },
    }
  }

  /** For the check of a write. @throws UpswellError LOG_UNAVAILABLE: a topic was deleted since it was read */
  requireThere(topics: Iterable<EmbeddedTopic>): void {
    for (const topic of topics)
      if (!this.isThere(topic))
        throw new UpswellError(
          'LOG_UNAVAILABLE',
          `The topic ${topic.name} was deleted meanwhile. Try again.`,
          {
            canRetry: true,
          },
        )
  }

  /**
   * Whether the topic was neither deleted nor recreated since it was read. Call it within a read or a write
   * of the environment.
   */
  isThere({ name, number }: EmbeddedTopic): boolean {
    return this.#read(name)?.number === number
  }

  #make(name: string, partitions: number, hasOwn: boolean): StoredTopic {
    const topic = { name, number: this.#nextNumber(), partitions, hasOwn }
    const row = hasOwn ? [topic.number, partitions, true] : [topic.number, partitions]
    this.#table.put(Buffer.from(name), Buffer.from(JSON.stringify(row)))
    if (this.#environment.meta.get(NEXT_NUMBER_KEY) !== undefined) this.#putNextNumber(topic.number + 1)
    return topic
  }

  #nextNumber(): number {
    return this.#environment.meta.get(NEXT_NUMBER_KEY)?.readUInt32BE(0) ?? this.#table.getKeysCount()
  }

  #putNextNumber(number: number): void {
    const bytes = Buffer.allocUnsafe(NUMBER_BYTES)
    bytes.writeUInt32BE(number)
    this.#environment.meta.put(NEXT_NUMBER_KEY, bytes)
  }

  #requireConfigured(topic: StoredTopic): void {
    const configured = this.#configured(topic.name)
    if (topic.hasOwn || topic.partitions === configured) return
    throw new UpswellError(
      'PARTITIONS_CHANGED',
      `Topic ${topic.name} in ${this.#environment.directory} was created with ${topic.partitions} partitions, and ${configured} are configured. Configure ${topic.partitions}, or replay into another directory with ${configured}.`,
    )
  }

  #read(name: string): StoredTopic | undefined {
    const bytes = this.#table.get(Buffer.from(name))
    if (bytes === undefined) return undefined
    const [number, partitions, hasOwn = false] = JSON.parse(bytes.toString()) as [number, number, boolean?]
    return { name, number, partitions, hasOwn }
  }

  #configured(name: string): number {
    return typeof this.#partitions === 'number' ? this.#partitions : this.#partitions(name)
  }
}

interface StoredTopic extends EmbeddedTopic {
  /** Created with a number of partitions other than the configured one. */
  readonly hasOwn: boolean
}
