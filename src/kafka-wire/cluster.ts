import type { Kafka } from 'kafkajs'

/** What the adapter uses of kafkajs' (2.2.4) connection to a cluster, which has no public name. */
export interface KafkaCluster {
  connect(): Promise<void>
  disconnect(): Promise<void>
  /** Reads where the topic's partitions are; does nothing if that is known. */
  addTargetTopic(topic: string): Promise<void>
  refreshMetadata(): Promise<void>
  /** Node → those of the partitions that it leads. */
  findLeaderForPartitions(topic: string, partitions: readonly number[]): Readonly<Record<string, number[]>>
  /** Connected. */
  findBroker(options: { readonly nodeId: string }): Promise<KafkaBroker>
  readonly connectionPoolBuilder: { build(place: BrokerPlace): Promise<KafkaConnectionPool> }
}

/** One node. Other users of the cluster's connections to it wait while a fetch does. */
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
  /** How a request is made in the latest version that both sides speak. */
  lookupRequest<Request>(apiKey: number, definitions: RequestDefinitions<Request>): CreateRequest<Request>
}

interface BrokerPlace {
  readonly host: string
  readonly port: number
  readonly rack: string | null
}

export interface KafkaConnectionPool extends BrokerPlace {
  /** Opens it if it is closed. */
  getConnection(index: number): Promise<KafkaConnection>
}

interface KafkaConnection {
  send<Decoded extends Throttling, Answer>(request: RequestToSend<Decoded, Answer>): Promise<Answer>
}

/** kafkajs reads it between `decode` and `parse`, and holds the next requests of the connection back for so long. */
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

type CreateRequest<Request> = (request: Request) => EncodedRequest

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
