import { type ClusterMetadata, metadataRequest } from '../../../kafka-wire/ask/metadata.ts'
import { missingRequests, releaseOf } from '../../../kafka-wire/ask/missing-requests.ts'
import { type NodeConnection, openNode } from '../../../kafka-wire/ask/node-connection.ts'
import type { KafkaCluster } from '../../../kafka-wire/hooks/kafkajs-cluster.ts'
import { type Attempt, answered, attempt } from '../../../lib/attempt.ts'
import type { BrokerFacts } from './kafka-facts.ts'

export interface OpenBroker {
  readonly address: string
  readonly nodeId: number | undefined
  readonly node: Attempt<NodeConnection>
}

export interface OpenBrokers {
  readonly brokers: readonly OpenBroker[]
  /** As the first broker that answered knows it. */
  readonly metadata: Attempt<ClusterMetadata>
}

/** A frozen broker takes connections and answers nothing. */
const CONNECT_LIMIT_MS = 2_500
const ANSWER_LIMIT_MS = 2_000

/** Connects to the brokers that the settings name. */
export async function openSeeds(
  cluster: KafkaCluster,
  addresses: readonly string[],
): Promise<readonly OpenBroker[]> {
  return (await openAll(cluster, addresses)).map(opened => ({ ...opened, nodeId: undefined }))
}

/** Asks the first broker that answers about the cluster, and connects to all others that it names. */
export async function openOthers(
  cluster: KafkaCluster,
  seeds: readonly OpenBroker[],
  topics: readonly string[],
): Promise<OpenBrokers> {
  const metadata = await firstMetadata(seeds, topics)
  const nodes = answered(metadata)?.nodes ?? []
  const nodeIds = new Map(nodes.map(({ nodeId, host, port }) => [`${host}:${port}`, nodeId]))
  const further = [...nodeIds.keys()].filter(address => !seeds.some(seed => seed.address === address))
  const opened = [...seeds, ...(await openAll(cluster, further))]
  const brokers = opened.map(broker => ({ ...broker, nodeId: nodeIds.get(broker.address) }))
  return { brokers, metadata }
}

export function brokerFacts({ address, nodeId, node }: OpenBroker): BrokerFacts {
  if ('reason' in node) return { address, nodeId, connected: node }
  const { versions } = node.value
  const connected = { versions, release: releaseOf(versions), missingRequests: missingRequests(versions) }
  return { address, nodeId, connected: { value: connected } }
}

type Opened = Omit<OpenBroker, 'nodeId'>

async function openAll(cluster: KafkaCluster, addresses: readonly string[]): Promise<Opened[]> {
  return await Promise.all(
    addresses.map(async address => {
      const colon = address.lastIndexOf(':')
      const target = { host: address.slice(0, colon), port: Number(address.slice(colon + 1)) }
      return { address, node: await attempt(CONNECT_LIMIT_MS, () => openNode(cluster, target)) }
    }),
  )
}

async function firstMetadata(
  seeds: readonly Opened[],
  topics: readonly string[],
): Promise<Attempt<ClusterMetadata>> {
  let answer: Attempt<ClusterMetadata> = { reason: 'no broker answers' }
  for (const { node } of seeds) {
    if ('reason' in node) continue
    answer = await attempt(ANSWER_LIMIT_MS, () => node.value.askRaw(metadataRequest(topics)))
    if ('value' in answer) break
  }
  return answer
}
