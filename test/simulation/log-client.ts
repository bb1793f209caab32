import type {
  ConsumeOptions,
  Consumption,
  Log,
  LogRecord,
  OutgoingRecord,
  Position,
} from '../../src/consumers/log.ts'
import { UpswellError } from '../../src/errors.ts'
import type { Broker, Fetched } from './broker.ts'
import type { Group, Member, TopicPartition } from './group.ts'
import { SimulatedOwner } from './partition-owner.ts'
import type { Operation } from './plan.ts'
import type { SimulatedProcess } from './simulated-process.ts'
import type { Wiring } from './wiring.ts'

export interface Writer {
  write(
    records: readonly OutgoingRecord[],
    offset: WrittenOffset | undefined,
    mayCommit: () => boolean,
  ): Promise<Position[]>
}

export interface WrittenOffset extends TopicPartition {
  readonly group: string
  readonly nextOffset: number
}

/** How long until a broker that is still ending the transaction before is asked again, ms. */
const BUSY_MS = 3
const JOIN_MS = 1

/** The log port of one process, on the broker in memory; what it does and in which order is what the Kafka adapter does. */
export class LogClient implements Log {
  readonly process: SimulatedProcess
  readonly #broker: Broker
  readonly #groups: ReadonlyMap<string, Group>
  readonly #wiring: Wiring
  /** Of appends of several records. */
  #writer: Promise<Writer> | undefined
  #lastAppend: Promise<unknown> = Promise.resolve()

  constructor(process: SimulatedProcess, broker: Broker, groups: ReadonlyMap<string, Group>, wiring: Wiring) {
    this.process = process
    this.#broker = broker
    this.#groups = groups
    this.#wiring = wiring
  }

  partitions(topic: string): Promise<number> {
    return this.#call('log.partitions', topic, () => this.#broker.partitions(topic))
  }

  append(records: readonly OutgoingRecord[]): Promise<Position[]> {
    if (records.length < 2) {
      const to = records[0]?.topic ?? 'nothing'
      return this.#call('log.append', to, () => this.#broker.append(records))
    }
    const written = this.#lastAppend.then(() => this.#appendTogether(records))
    this.#lastAppend = written.catch(() => {})
    return written
  }

  async #appendTogether(records: readonly OutgoingRecord[]): Promise<Position[]> {
    this.#writer ??= this.openWriter(`append-${this.process.name}`)
    try {
      return await (await this.#writer).write(records, undefined, () => true)
    } catch (error) {
      this.#writer = undefined
      throw error
    }
  }

  async consume(options: ConsumeOptions): Promise<Consumption> {
    const group = this.#groups.get(options.group)!
    const { process } = this
    let owners: readonly SimulatedOwner[] = []
    let isStopped = false
    let joined = 0
    const member: Member = await new Promise(resolve => {
      const joining: Member = {
        process,
        assigned: (generation, partitions) => {
          if (isStopped || generation <= joined) return
          joined = generation
          for (const owner of owners) owner.end(false)
          const before = owners
          owners = partitions.map(place => {
            // Also one that is not its own any more may still be under way: it is waited for if it comes back.
            const predecessor = Promise.all(before.map(({ ended }) => ended)).then(() => {})
            const { handler, batchSize } = options
            const context = { client: this, group: options.group, handler, batchSize, predecessor }
            return new SimulatedOwner(place, { ...context, wiring: this.#wiring })
          })
          resolve(joining)
        },
      }
      process.after(JOIN_MS, () => group.join(joining))
    })
    return {
      stop: async () => {
        isStopped = true
        for (const owner of owners) owner.end(true)
        await Promise.race([Promise.all(owners.map(({ ended }) => ended)), process.sleep(10_000)])
        for (const owner of owners) owner.end(false)
        group.leave(member)
      },
      problem: () => (owners.every(({ isWorking }) => isWorking) ? undefined : 'a partition is not taken'),
      assignments: () => owners.filter(({ isWorking }) => isWorking).map(({ place }) => place),
    }
  }

  // biome-ignore lint/correctness/useYield: nobody in a simulation reads a whole topic through the port
  async *readAll(topic: string): AsyncIterable<LogRecord> {
    throw new Error(`${topic} is read from the broker itself`)
  }

  async ping(): Promise<void> {}
  async close(): Promise<void> {}

  fetch({ topic, partition }: TopicPartition, from: number, most: number): Promise<Fetched> {
    const uncommitted = this.#wiring.readsUncommitted && topic === 'signals'
    return this.#call('log.fetch', `${topic}/${partition} from ${from}`, () =>
      this.#broker.fetch(topic, partition, from, most, uncommitted),
    )
  }

  groupOffset(
    group: string,
    { topic, partition }: TopicPartition,
  ): Promise<{ committed: number; end: number }> {
    return this.#call('log.offset', `${topic}/${partition}`, () => ({
      committed: this.#broker.committedOffset(group, topic, partition),
      end: this.#broker.endOffset(topic, partition),
    }))
  }

  /** When it resolves, every earlier writer of this id is fenced, and its transaction is ended. */
  async openWriter(id: string): Promise<Writer> {
    const { epoch } = await this.#untilReady('log.init', id, () =>
      this.#broker.initProducer(id, !this.#wiring.skipsLogFence),
    )
    return {
      write: async (records, offset, mayCommit) => {
        if (!mayCommit()) throw fenced(id)
        try {
          const positions = await this.#writeTransaction(id, epoch, records, offset)
          if (!mayCommit()) throw fenced(id)
          await this.#endTransaction(id, epoch)
          return positions
        } catch (error) {
          if (this.#wiring.takesUnclearForDone && (error as UpswellError).code === 'LOG_UNAVAILABLE')
            return []
          throw error
        }
      },
    }
  }

  async #writeTransaction(
    id: string,
    epoch: number,
    records: readonly OutgoingRecord[],
    offset: WrittenOffset | undefined,
  ): Promise<Position[]> {
    const positions =
      records.length === 0
        ? []
        : await this.#untilReady('log.produce', `${id} ${records.length} records`, () =>
            this.#broker.produce(id, epoch, records),
          )
    if (offset === undefined) return positions
    const { group, topic, partition } = offset
    const nextOffset = offset.nextOffset + (this.#wiring.commitsOneTooFar ? 1 : 0)
    await this.#untilReady('log.offsets', `${topic}/${partition} to ${nextOffset}`, () =>
      this.#broker.addOffset(id, epoch, group, topic, partition, nextOffset),
    )
    return positions
  }

  async #endTransaction(id: string, epoch: number): Promise<void> {
    const ended = this.#call('log.end', id, () => this.#broker.endTransaction(id, epoch, 'commit'))
    if (this.#wiring.doesNotAwaitCommit) ended.catch(() => {})
    else await ended
  }

  async #untilReady<T>(operation: Operation, about: string, ask: () => T | 'busy'): Promise<T> {
    for (;;) {
      const answer = await this.#call(operation, about, ask)
      if (answer !== 'busy') return answer as T
      await this.process.sleep(BUSY_MS)
    }
  }

  #call<T>(operation: Operation, about: string, effect: () => T | Promise<T>): Promise<T> {
    return this.process.call(
      operation,
      () => about,
      effect,
      () => new UpswellError('LOG_UNAVAILABLE', `${operation}: no answer`, { canRetry: true }),
    )
  }
}

function fenced(id: string): UpswellError {
  return new UpswellError('LOG_FENCED', `${id} may not commit: its session is over`)
}
