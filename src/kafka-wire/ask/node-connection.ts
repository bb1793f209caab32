import { connectBroker } from '../hooks/connect-broker.ts'
import { internal } from '../hooks/internals.ts'
import type { KafkaBroker, KafkaCluster, RequestDefinitions } from '../hooks/kafkajs-cluster.ts'

/** The versions of each request that a node answers, by the number of the request's kind. */
export type ApiVersions = Readonly<
  Record<string, { readonly minVersion: number; readonly maxVersion: number }>
>

/** The members of kafkajs's `Encoder` that are used here. */
export interface RequestWriter {
  writeInt32(value: number): this
  writeString(value: string | null): this
  writeBoolean(value: boolean): this
  writeArray(values: readonly string[], type: 'string'): this
}

/** The members of kafkajs's `Decoder` that are used here. */
export interface AnswerReader {
  readInt16(): number
  readInt32(): number
  readString(): string | null
  readBytes(): Buffer | null
  readBoolean(): boolean
  readArray<T>(read: (reader: AnswerReader) => T): T[]
}

/** A request of a version that kafkajs does not know. */
export interface RawRequest<Answer> {
  readonly apiKey: number
  readonly apiVersion: number
  readonly apiName: string
  write(writer: RequestWriter): RequestWriter
  read(reader: AnswerReader): Answer
}

/** A connection to one node. It asks that node only, without retries. */
export interface NodeConnection {
  readonly versions: ApiVersions
  /**
   * Asks in the latest version that kafkajs and the node have in common.
   * @param module the request's folder in kafkajs's `protocol/requests`
   */
  ask<Answer>(apiKey: number, module: string, request: object): Promise<Answer>
  /** @throws Error when the node does not have this version */
  askRaw<Answer>(request: RawRequest<Answer>): Promise<Answer>
  close(): void
}

interface BrokerOfOneNode extends KafkaBroker {
  readonly versions: ApiVersions
}

/** Connects, authenticates, and asks which requests the node answers. */
export async function openNode(
  cluster: KafkaCluster,
  { host, port }: { readonly host: string; readonly port: number },
): Promise<NodeConnection> {
  const Broker = internal<new (options: object) => BrokerOfOneNode>('broker/index.js')
  const Encoder = internal<new () => RequestWriter>('protocol/encoder.js')
  const Decoder = internal<new (data: Buffer) => AnswerReader>('protocol/decoder.js')
  const connectionPool = await cluster.connectionPoolBuilder.build({ host, port, rack: null })
  const broker = new Broker({ connectionPool, logger: cluster.rootLogger })
  const close = await connectBroker(broker)
  return {
    versions: broker.versions,
    close,
    async ask(apiKey, module, request) {
      const definitions = internal<RequestDefinitions<object>>(`protocol/requests/${module}/index.js`)
      const connection = await connectionPool.getConnection(0)
      return connection.send(broker.lookupRequest(apiKey, definitions)(request) as never)
    },
    async askRaw({ apiKey, apiVersion, apiName, write, read }) {
      const offered = broker.versions[apiKey]
      if (offered === undefined || offered.minVersion > apiVersion || offered.maxVersion < apiVersion)
        throw new Error(`the broker does not answer ${apiName} in version ${apiVersion}`)
      const connection = await connectionPool.getConnection(0)
      const encode = async () => write(new Encoder())
      return connection.send({
        request: { apiKey, apiVersion, apiName, encode } as never,
        response: {
          decode: async (data: Buffer) => ({ answer: read(new Decoder(data)), clientSideThrottleTime: 0 }),
          parse: async ({ answer }) => answer,
        },
      })
    },
  }
}
