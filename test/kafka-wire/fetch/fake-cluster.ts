import { expect } from 'vitest'
import type { FetchAnswer, FetchedPartition } from '../../../src/kafka-wire/fetch/fetch-answer.ts'
import { type KafkaCluster, READ_COMMITTED } from '../../../src/kafka-wire/hooks/kafkajs-cluster.ts'
import { encodeFetchAnswer } from './fetch-answers.ts'

export const TOPIC = 'signals'

/** The protocol's error codes. */
export const FETCH_ERRORS = {
  OFFSET_OUT_OF_RANGE: 1,
  UNKNOWN_TOPIC_OR_PARTITION: 3,
  NOT_LEADER_FOR_PARTITION: 6,
} as const

/** A stand-in for kafkajs's cluster, with one broker and a topic of one partition. */
export class FakeCluster {
  readonly fetched: number[] = []
  refreshes = 0
  refreshFailure: Error | undefined
  hasLeader = true
  opened = 0
  closed = 0
  readonly #answer: (fetchOffset: number) => FetchAnswer

  constructor(answer: (fetchOffset: number) => FetchAnswer) {
    this.#answer = answer
  }

  kafkajs(): KafkaCluster {
    const place = { host: 'broker', port: 9092, rack: null }
    const build = async (asked: object): Promise<object> => {
      expect(asked).toEqual(place)
      return { ...place, getConnection: async () => ({ send: this.#send.bind(this) }) }
    }
    const note = (event: 'opened' | 'closed'): void => void this[event]++
    class Broker {
      connectionPool: object = place
      constructor({ connectionPool }: { connectionPool: object }) {
        this.connectionPool = connectionPool
      }
      async connect(): Promise<void> {
        note('opened')
      }
      async disconnect(): Promise<void> {
        note('closed')
      }
      lookupRequest(_key: number, definitions: FetchDefinitions) {
        return definitions.protocol({ version: VERSION })
      }
    }
    return {
      connect: async () => {},
      disconnect: async () => {},
      addTargetTopic: async () => {},
      refreshMetadata: async () => {
        this.refreshes++
        if (this.refreshFailure !== undefined) throw this.refreshFailure
      },
      findLeaderForPartitions: () => (this.hasLeader ? { 7: [0] } : {}),
      findBroker: async () => new Broker({ connectionPool: place }),
      connectionPoolBuilder: { build },
    } as unknown as KafkaCluster
  }

  async #send({ request, response }: FetchToSend): Promise<unknown> {
    const { buffer } = await request.encode()
    // Replica, wait, minimum and maximum of bytes; isolation level; session id and epoch; one topic, one
    // partition.
    expect(buffer.readInt8(16)).toBe(READ_COMMITTED)
    expect([buffer.readInt32BE(17), buffer.readInt32BE(21)]).toEqual([0, -1])
    const partitionAt = 29 + 2 + TOPIC.length + 4
    expect(buffer.toString('utf8', 31, 31 + TOPIC.length)).toBe(TOPIC)
    const fetchOffset = Number(buffer.readBigInt64BE(partitionAt + 8))
    this.fetched.push(fetchOffset)
    return response.parse(await response.decode(encodeFetchAnswer(this.#answer(fetchOffset), VERSION)))
  }
}

const VERSION = 11

interface FetchDefinitions {
  protocol(options: { readonly version: number }): unknown
}

interface FetchToSend {
  readonly request: { encode(): Promise<{ readonly buffer: Buffer }> }
  readonly response: { decode(data: Buffer): Promise<unknown>; parse(decoded: unknown): Promise<unknown> }
}

export function answer(partition: FetchedPartition): FetchAnswer {
  return { throttleMs: 0, errorCode: 0, partitions: [partition] }
}

export function holds(...batches: readonly Buffer[]): FetchAnswer {
  return answer({ ...partition(30), bytes: Buffer.concat(batches) })
}

export function fails(errorCode: number): FetchAnswer {
  return answer({ ...partition(-1), errorCode })
}

export function partition(lastStableOffset: number): FetchedPartition {
  return { topic: TOPIC, partition: 0, errorCode: 0, lastStableOffset, aborted: [], bytes: Buffer.alloc(0) }
}
