import { UpswellError } from '../../lib/errors.ts'
import type { LmdbEnvironment, LmdbTable, PreparedWrite } from '../../lib/lmdb-environment.ts'
import type { CreatedTopics, TopicToCreate } from '../log.ts'

export interface EmbeddedTopic {
  readonly name: string
  /** Stands in the keys of its records; never given twice. */
  readonly number: number
  readonly partitions: number
}

/** How many partitions a topic gets when it is made. */
export type TopicPartitions = number | ((topic: string) => number)

/** In the table of single values: the number that the next topic gets. Missing where no topic was ever deleted. */
const NEXT_NUMBER_KEY = Buffer.from('log-next-topic-number')
const NUMBER_BYTES = 4

/**
 * The topics of the environment: made on first use with the configured number of partitions, or before with one of their own, which is written down for good.
 * They are read each time: another process may delete one and make it anew.
 */
export class EmbeddedTopics {
  readonly #environment: LmdbEnvironment
  /** Name → number, partitions, and whether these are its own: not what was configured when it was made. */
  readonly #table: LmdbTable
  readonly #partitions: TopicPartitions

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

  /** Undefined if it was not made yet. */
  find(name: string): EmbeddedTopic | undefined {
    return this.#environment.read('LOG_UNAVAILABLE', () => this.#read(name))
  }

  /** In the order of their names. Belongs into a read of the environment. */
  names(): string[] {
    return Array.from(this.#table.getKeys(), key => key.toString())
  }

  /** @throws UpswellError INVALID_SETTINGS: a number of partitions that is none */
  async create(topics: readonly TopicToCreate[]): Promise<CreatedTopics> {
    for (const { name, partitions } of topics)
      if (!Number.isSafeInteger(partitions) || partitions < 1)
        throw new UpswellError(
          'INVALID_SETTINGS',
          `Topic ${name} cannot have ${partitions} partitions; give a whole number from 1 on.`,
        )
    const created: string[] = []
    const found = await this.#environment.write('LOG_UNAVAILABLE', {
      check: () => {},
      apply: () =>
        topics.map(({ name, partitions }) => {
          const existing = this.#read(name)
          if (existing !== undefined) return existing
          created.push(name)
          return this.#make(name, partitions, partitions !== this.#configured(name))
        }),
    })
    const different = topics
      .map(({ name, partitions }, i) => ({ name, partitions: found[i]!.partitions, wanted: partitions }))
      .filter(({ partitions, wanted }) => partitions !== wanted)
    return {
      created,
      existing: topics.map(({ name }) => name).filter(name => !created.includes(name)),
      different,
    }
  }

  /** Takes the topic away. Its records go before. */
  prepareRemove({ name }: EmbeddedTopic): PreparedWrite {
    return {
      check: () => {},
      apply: () => {
        // A process that still knows the number may not write into a topic that was made later.
        this.#putNextNumber(this.#nextNumber())
        this.#table.remove(Buffer.from(name))
      },
    }
  }

  /** For the check of a write. @throws UpswellError LOG_UNAVAILABLE: one was deleted since it was looked up */
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

  /** Not deleted since it was looked up, nor made anew. Belongs into a read or a write of the environment. */
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
      `Topic ${topic.name} in ${this.#environment.directory} was made with ${topic.partitions} partitions, and ${configured} are configured. Configure ${topic.partitions}, or replay into a directory of its own with ${configured}.`,
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
  /** Made with a number of partitions that is not the configured one. */
  readonly hasOwn: boolean
}
