import type { KafkaCluster } from '../hooks/kafkajs-cluster.ts'
import { isProtocolError, protocolError } from '../hooks/protocol-errors.ts'
import type { FetchedPartition } from './fetch-answer.ts'
import { type FetchConnection, type FetchRange, openFetchConnection } from './fetch-connection.ts'
import { endOfBatch } from './record-batch.ts'

type PartitionRange = Omit<FetchRange, 'topic' | 'partition'>

/**
 * Fetches one partition from its leader, on a connection of its own, one fetch at a time. After a failed
 * fetch, call `recover` before the next one.
 */
export class PartitionFetcher {
  readonly topic: string
  readonly partition: number
  readonly #cluster: KafkaCluster
  #connection: FetchConnection | undefined
  #isClosed = false

  constructor(cluster: KafkaCluster, topic: string, partition: number) {
    this.#cluster = cluster
    this.topic = topic
    this.partition = partition
  }

  /**
   * Undefined: the answer leaves the partition out, as brokers do for clients that they slow down.
   * @throws Error the protocol's errors, as kafkajs names them; a first batch that is cut off; a connection's
   * failure
   */
  async fetch(range: PartitionRange): Promise<FetchedPartition | undefined> {
    const { partition, topic } = this
    this.#connection ??= await this.#connect()
    const { errorCode, partitions } = await this.#connection.fetch({ ...range, topic, partition })
    failOn(errorCode)
    const answer = partitions.find(each => each.partition === partition && each.topic === topic)
    if (answer === undefined) return undefined
    failOn(answer.errorCode)
    const { bytes } = answer
    if (bytes.length > 0 && endOfBatch(bytes, 0) === undefined)
      throw new Error(`the broker cut off the batch at offset ${range.offset} after ${bytes.length} bytes`)
    return answer
  }

  /**
   * Closes the connection and reads the metadata again. Other failures are left to the next fetch.
   * @throws Error UNKNOWN_TOPIC_OR_PARTITION: the topic is gone
   */
  async recover(): Promise<void> {
    this.#disconnect()
    await this.#cluster.refreshMetadata().catch((failure: unknown) => {
      if (isProtocolError(failure, 'UNKNOWN_TOPIC_OR_PARTITION')) throw failure
    })
  }

  close(): void {
    this.#isClosed = true
    this.#disconnect()
  }

  async #connect(): Promise<FetchConnection> {
    await this.#cluster.addTargetTopic(this.topic)
    const [nodeId] = Object.keys(this.#cluster.findLeaderForPartitions(this.topic, [this.partition]))
    if (nodeId === undefined || Number(nodeId) < 0)
      throw new Error(`no broker leads ${this.topic}/${this.partition}`)
    const connection = await openFetchConnection(this.#cluster, nodeId)
    if (!this.#isClosed) return connection
    connection.close()
    throw new Error('closed')
  }

  #disconnect(): void {
    this.#connection?.close()
    this.#connection = undefined
  }
}

function failOn(errorCode: number): void {
  if (errorCode !== 0) throw protocolError(errorCode)
}
