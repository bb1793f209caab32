import type { Kafka } from 'kafkajs'

/** kafkajs's connection to a cluster, which has no public name: the members that are used here. */
export interface KafkaCluster {
  connect(): Promise<void>
  disconnect(): Promise<void>
  /** Reads where the topic's partitions are, unless that is known. */
  addTargetTopic(topic: string): Promise<void>
  refreshMetadata(): Promise<void>
  /** Node id → the given partitions that this node leads. */
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Readonly<Record<string, number[]>>
  /** The broker is connected. */
  findBroker(options: { readonly nodeId: string }): Promise<KafkaBroker>
  /** The broker that coordinates the group; it is connected. */
  findGroupCoordinator(options: { readonly groupId: string }): Promise<KafkaBroker>
  readonly connectionPoolBuilder: { build(address: BrokerAddress): Promise<KafkaConnectionPool> }
  readonly rootLogger: unknown
}

/**
 * One node. All users of the cluster share its connections: a fetch that waits for records holds the others
 * up.
 */
export interface KafkaBroker {
  readonly connectionPool: KafkaConnectionPool
  readonly rootLogger: unknown
  readonly authenticationTimeout: number
  readonly versions: unknown
  readonly constructor: new (options: {
    readonly connectionPool: KafkaConnectionPool
    readonly logger: unknown
    readonly nodeId: string
    readonly authenticationTimeout: number
    readonly versions: unknown
  }) => KafkaBroker
  connect(): Promise<void>
  disconnect(): Promise<void>
  /** Makes requests of the latest version that both sides speak. */
  lookupRequest<Request>(apiKey: number, definitions: RequestDefinitions<Request>): CreateRequest<Request>
  leaveGroup(request: { readonly groupId: string; readonly memberId: string }): Promise<unknown>
}

interface BrokerAddress {
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export interface KafkaConnectionPool extends BrokerAddress {
  /** Opens the connection if it is closed. */
  getConnection(index: number): Promise<KafkaConnection>
}

interface KafkaConnection {
  send<Decoded extends Throttling, Answer>(request: RequestToSend<Decoded, Answer>): Promise<Answer>
}

/**
 * kafkajs reads this between `decode` and `parse`, and holds the connection's next requests back for that
 * long.
 */
export interface Throttling {
  /** ms */
  readonly clientSideThrottleTime: number
}

interface EncodedRequest {
  readonly request: { readonly apiVersion: number }
  /** ms; kafkajs waits for the client's own timeout if that is longer. */
  readonly requestTimeout?: number
}

interface RequestToSend<Decoded extends Throttling, Answer> extends EncodedRequest {
  readonly response: { decode(data: Buffer): Promise<Decoded>; parse(decoded: Decoded): Promise<Answer> }
}

/** A module of `kafkajs/src/protocol/requests`. */
export interface RequestDefinitions<Request> {
  readonly versions: readonly string[]
  protocol(options: { readonly version: number }): CreateRequest<Request>
}

export type CreateRequest<Request> = (request: Request) => EncodedRequest

export const READ_UNCOMMITTED = 0
export const READ_COMMITTED = 1

export interface ClusterOptions {
  readonly allowAutoTopicCreation?: boolean
  readonly isolationLevel?: number
}

type CreateCluster = (options: ClusterOptions) => KafkaCluster

/** Makes a connection to the cluster, as kafkajs makes one for each of its clients. */
export function createCluster(kafka: Kafka, options: ClusterOptions): KafkaCluster {
  const { internals, name } = clusterFactory(kafka)
  return internals[name]!(options)
}

/** Adds these options to every cluster connection that the client makes. */
export function withClusterOptions(kafka: Kafka, more: ClusterOptions): Kafka {
  const { internals, name } = clusterFactory(kafka)
  const create = internals[name]!
  internals[name] = options => create({ ...options, ...more })
  return kafka
}

/** Calls `change` with every cluster connection that the client makes, before it is used. */
export function withChangedClusters(kafka: Kafka, change: (cluster: KafkaCluster) => void): Kafka {
  const { internals, name } = clusterFactory(kafka)
  const create = internals[name]!
  internals[name] = options => {
    const cluster = create(options)
    change(cluster)
    return cluster
  }
  return kafka
}

/** `description` of the symbol under which a kafkajs client keeps the function that makes its clusters. */
export const CREATE_CLUSTER = 'private:Kafka:createCluster'

function clusterFactory(kafka: Kafka) {
  const name = Object.getOwnPropertySymbols(kafka).find(({ description }) => description === CREATE_CLUSTER)
  if (name === undefined) throw new Error(`this kafkajs client has no ${CREATE_CLUSTER}; version 2.2.4 has`)
  return { internals: kafka as unknown as Record<symbol, CreateCluster>, name }
}
