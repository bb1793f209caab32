import type { Kafka, KafkaMessage } from 'kafkajs'
import type { FetchedMessage } from './aborted.ts'

/** What the adapter uses of kafkajs' (2.2.4) connection to a cluster, which has no public name. */
export interface KafkaCluster {
  connect(): Promise<void>
  disconnect(): Promise<void>
  /** Reads where the topic's partitions are. */
  addTargetTopic(topic: string): Promise<void>
  refreshMetadata(): Promise<void>
  /** Node → those of the partitions that it leads. */
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Readonly<Record<string, number[]>>
  findBroker(options: { readonly nodeId: string }): Promise<KafkaBroker>
}

export interface KafkaBroker {
  fetch(request: FetchRequest): Promise<FetchAnswer>
}

export interface FetchRequest {
  readonly isolationLevel: number
  /** ms */
  readonly maxWaitTime: number
  readonly minBytes: number
  readonly maxBytes: number
  readonly topics: readonly {
    readonly topic: string
    readonly partitions: readonly {
      readonly partition: number
      readonly fetchOffset: string
      readonly maxBytes: number
    }[]
  }[]
}

export interface FetchAnswer {
  readonly responses: readonly {
    readonly partitions: readonly {
      readonly partition: number
      /** Transactions that began before it are finished. */
      readonly lastStableOffset: string
      /** Whole batches: the first may begin before the offset that was asked for. */
      readonly messages: readonly BatchedMessage[]
    }[]
  }[]
}

export type BatchedMessage = FetchedMessage &
  KafkaMessage & { readonly batchContext: { readonly firstOffset: string; readonly lastOffsetDelta: number } }

export const READ_UNCOMMITTED = 0
export const READ_COMMITTED = 1

export interface ClusterOptions {
  readonly allowAutoTopicCreation?: boolean
  readonly isolationLevel?: number
}

type CreateCluster = (options: ClusterOptions) => KafkaCluster

/** A connection to the cluster, as kafkajs makes one for each of its clients. */
export function createCluster(kafka: Kafka, options: ClusterOptions): KafkaCluster {
  const { internals, name } = clusterFactory(kafka)
  return internals[name]!(options)
}

/** Has every connection of this client made with these options too. */
export function withClusterOptions(kafka: Kafka, more: ClusterOptions): Kafka {
  const { internals, name } = clusterFactory(kafka)
  const create = internals[name]!
  internals[name] = options => create({ ...options, ...more })
  return kafka
}

function clusterFactory(kafka: Kafka) {
  const name = Object.getOwnPropertySymbols(kafka).find(
    ({ description }) => description === 'private:Kafka:createCluster',
  )
  if (name === undefined) throw new Error('this is not the kafkajs (2.2.4) that the adapter was written for')
  return { internals: kafka as unknown as Record<symbol, CreateCluster>, name }
}
