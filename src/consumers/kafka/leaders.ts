import type { KafkaCluster } from './cluster.ts'
import type { Leaders } from './send.ts'

/** Who leads the partitions of the topics, as the cluster's metadata are; undefined where they cannot be had now: whoever sends finds out why. */
export function leadersIn(
  cluster: KafkaCluster,
): (topics: readonly string[]) => Promise<Leaders | undefined> {
  return async topics => {
    try {
      await cluster.addMultipleTargetTopics(topics)
      const leaders = new Map(topics.map(topic => [topic, leadersOf(cluster, topic)]))
      // Without the number of a topic's partitions there is no telling where a record goes.
      return [...leaders.values()].some(nodes => nodes.length === 0) ? undefined : leaders
    } catch {
      return undefined
    }
  }
}

function leadersOf(cluster: KafkaCluster, topic: string): number[] {
  const nodes: number[] = []
  for (const { partitionId, leader } of cluster.findTopicPartitionMetadata(topic)) nodes[partitionId] = leader
  return nodes
}
