import type { GroupMember } from '../../../kafka-wire/ask/describe-group.ts'
import type { ApiVersions } from '../../../kafka-wire/ask/node-connection.ts'
import type { Attempt } from '../../../lib/attempt.ts'
import type { BrokerClock } from './broker-clock.ts'

/** One broker, and whether it answers. */
export interface BrokerFacts {
  /** `host:port` */
  readonly address: string
  /** Undefined: no broker that answers knows it. */
  readonly nodeId: number | undefined
  readonly connected: Attempt<ConnectedBroker>
}

export interface ConnectedBroker {
  readonly versions: ApiVersions
  /** Such as `4.1`, as far as the protocol shows; undefined: older than 2.4. */
  readonly release: string | undefined
  /** The requests of Upswell that it cannot answer. */
  readonly missingRequests: readonly string[]
}

export interface TopicFacts {
  readonly name: string
  readonly state: 'there' | 'missing' | 'not visible'
  readonly partitions: readonly PartitionFacts[]
  /** Undefined: the broker did not say. */
  readonly operations: readonly string[] | undefined
  readonly settings: Attempt<Settings>
}

export interface PartitionFacts {
  readonly partition: number
  /** −1: no broker leads it. */
  readonly leader: number
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
}

/** Setting → its value; null if the broker keeps it secret. */
export type Settings = Readonly<Record<string, string | null>>

export interface GroupFacts {
  readonly group: string
  /** Kafka's name; `Dead` if the group does not exist. */
  readonly state: string
  readonly members: readonly GroupMember[]
  /** Undefined: the broker did not say. */
  readonly operations: readonly string[] | undefined
}

export type Authorizer = 'none' | 'there'

/** What Kafka says about itself, and about the topics and groups that were asked for. */
export interface KafkaFacts {
  readonly brokers: readonly BrokerFacts[]
  readonly topics: Attempt<readonly TopicFacts[]>
  /** What the user may do with the cluster; undefined: the broker did not say. */
  readonly clusterOperations: readonly string[] | undefined
  /** Node id → its settings. */
  readonly brokerSettings: ReadonlyMap<number, Attempt<Settings>>
  readonly authorizer: Attempt<Authorizer>
  /** Whether the user may write with the transactional id. */
  readonly mayWriteTransactions: Attempt<boolean>
  /** In the order asked. */
  readonly groups: readonly (readonly [group: string, facts: Attempt<GroupFacts>])[]
  readonly clocks: Attempt<readonly BrokerClock[]>
}

/** Kafka's own topics: a question about a group or a transaction would create a missing one. */
export const OFFSETS_TOPIC = '__consumer_offsets'
export const TRANSACTIONS_TOPIC = '__transaction_state'
