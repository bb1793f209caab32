import type { AnswerReader, RawRequest } from './node-connection.ts'

/** A cluster as one of its nodes knows it, with what the asking user may do. */
export interface ClusterMetadata {
  readonly nodes: readonly { readonly nodeId: number; readonly host: string; readonly port: number }[]
  readonly topics: readonly TopicMetadata[]
  /** Undefined: the node did not say. */
  readonly operations: readonly string[] | undefined
}

export interface TopicMetadata {
  readonly name: string
  /** 0: no error. */
  readonly errorCode: number
  readonly partitions: readonly PartitionMetadata[]
  /** Undefined: the node did not say. */
  readonly operations: readonly string[] | undefined
}

export interface PartitionMetadata {
  readonly partition: number
  /** −1: no node leads it. */
  readonly leader: number
  readonly replicas: readonly number[]
  readonly inSync: readonly number[]
}

/** Version 8 is the first that says what the user may do; kafkajs knows versions up to 6. */
export function metadataRequest(topics: readonly string[]): RawRequest<ClusterMetadata> {
  return {
    apiKey: 3,
    apiVersion: 8,
    apiName: 'Metadata',
    // topics · allow_auto_topic_creation · include_cluster_operations · include_topic_operations
    write: writer =>
      writer.writeArray(topics, 'string').writeBoolean(false).writeBoolean(true).writeBoolean(true),
    // throttle_time_ms · [node] · cluster_id · controller_id · [topic] · cluster_operations
    read(reader) {
      reader.readInt32()
      const nodes = reader.readArray(readNode)
      reader.readString()
      reader.readInt32()
      const found = reader.readArray(readTopic)
      return { nodes, topics: found, operations: operationsOf(reader.readInt32()) }
    },
  }
}

function readNode(reader: AnswerReader): ClusterMetadata['nodes'][number] {
  const node = { nodeId: reader.readInt32(), host: reader.readString() ?? '', port: reader.readInt32() }
  // The rack.
  reader.readString()
  return node
}

function readTopic(reader: AnswerReader): TopicMetadata {
  const errorCode = reader.readInt16()
  const name = reader.readString() ?? ''
  // Whether the topic is internal.
  reader.readBoolean()
  const partitions = reader.readArray(readPartition)
  return { name, errorCode, partitions, operations: operationsOf(reader.readInt32()) }
}

// error_code · partition · leader · leader_epoch · [replica] · [in-sync replica] · [offline replica]
function readPartition(reader: AnswerReader): PartitionMetadata {
  reader.readInt16()
  const partition = reader.readInt32()
  const leader = reader.readInt32()
  reader.readInt32()
  const replicas = reader.readArray(readNodeId)
  const inSync = reader.readArray(readNodeId)
  reader.readArray(readNodeId)
  return { partition, leader, replicas, inSync }
}

function readNodeId(reader: AnswerReader): number {
  return reader.readInt32()
}

/** Kafka's numbers of the operations, which are the bits of the answer. */
const OPERATIONS: readonly (readonly [bit: number, name: string])[] = [
  [3, 'READ'],
  [4, 'WRITE'],
  [5, 'CREATE'],
  [6, 'DELETE'],
  [7, 'ALTER'],
  [8, 'DESCRIBE'],
  [10, 'DESCRIBE_CONFIGS'],
  [11, 'ALTER_CONFIGS'],
  [12, 'IDEMPOTENT_WRITE'],
]
const NOT_GIVEN = -(2 ** 31)

export function operationsOf(bits: number): readonly string[] | undefined {
  if (bits === NOT_GIVEN) return undefined
  return OPERATIONS.flatMap(([bit, name]) => ((bits & (1 << bit)) === 0 ? [] : [name]))
}
