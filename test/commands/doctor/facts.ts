import { checkedTopics } from '../../../src/commands/doctor/checked-topics.ts'
import { originalNames, replayNames } from '../../../src/consumers/lineage/lineage-names.ts'
import type { KafkaFacts, Settings, TopicFacts } from '../../../src/log/kafka/inspect/kafka-facts.ts'
import type { RedisFacts } from '../../../src/store/redis/inspect-redis.ts'

const INSTALLATION = { namespace: 'default', topicPrefix: '', group: 'upswell' }
const NAMES = originalNames(INSTALLATION)

/** The topics of an installation with two partitions. */
export const CHECKED = checkedTopics(NAMES, NAMES, 2)

/** The same after the promotion of the replay `v2`. */
export const CHECKED_AFTER_PROMOTION = checkedTopics(NAMES, replayNames(INSTALLATION, 'v2'), 2)

export const BROKER_SETTINGS: Settings = {
  'auto.create.topics.enable': 'false',
  'group.min.session.timeout.ms': '6000',
  'group.max.session.timeout.ms': '1800000',
  'transaction.max.timeout.ms': '900000',
  'transactional.id.expiration.ms': '604800000',
  'offsets.retention.minutes': '10080',
}

/** A topic as `upswell topics create` makes it, on three brokers, with some settings changed. */
export function topicFacts(
  name: string,
  changed: Settings = {},
  partitions = 2,
  parts: Partial<TopicFacts> = {},
): TopicFacts {
  const wanted = CHECKED_AFTER_PROMOTION.find(topic => topic.name === name)?.config ?? {}
  const defaults = {
    'retention.ms': '604800000',
    'retention.bytes': '-1',
    'cleanup.policy': 'delete',
    'message.timestamp.type': 'CreateTime',
    'message.timestamp.before.max.ms': '9223372036854775807',
    'max.message.bytes': '1048588',
    'min.insync.replicas': '2',
    'min.compaction.lag.ms': '0',
  }
  return {
    name,
    state: 'there',
    partitions: Array.from({ length: partitions }, (_, partition) => ({
      partition,
      leader: 1,
      replicas: [1, 2, 3],
      inSync: [1, 2, 3],
    })),
    operations: ['READ', 'WRITE', 'DESCRIBE'],
    settings: { value: { ...defaults, ...wanted, ...changed } },
    ...parts,
  }
}

/** A healthy cluster of three brokers, with some facts changed. */
export function kafkaFacts(parts: Partial<KafkaFacts> = {}): KafkaFacts {
  const connected = {
    value: { versions: { 11: { minVersion: 2, maxVersion: 9 } }, release: '4.1', missingRequests: [] },
  }
  const group = (name: string) => {
    const members = [{ instanceId: 'scorer-1-0.0.0.0-8080', host: '10.0.0.7' }]
    const value = { group: name, state: 'Stable', members, operations: ['READ', 'DESCRIBE'] }
    return [name, { value }] as const
  }
  return {
    brokers: [1, 2, 3].map(nodeId => ({ address: `b${nodeId}:9092`, nodeId, connected })),
    topics: {
      value: [...CHECKED.map(({ name }) => topicFacts(name)), topicFacts('__consumer_offsets')],
    },
    clusterOperations: ['CREATE', 'IDEMPOTENT_WRITE'],
    brokerSettings: new Map([[1, { value: BROKER_SETTINGS }]]),
    authorizer: { value: 'there' },
    mayWriteTransactions: { value: true },
    groups: [group('upswell-ingest'), group('upswell-score')],
    clocks: { value: [{ partition: 0, aheadMs: 12, at: 1_790_000_000_000 }] },
    ...parts,
  }
}

/** The healthy cluster with one topic replaced. */
export function withTopic(topic: TopicFacts): KafkaFacts {
  const healthy = kafkaFacts()
  const topics = 'value' in healthy.topics ? healthy.topics.value : []
  return { ...healthy, topics: { value: topics.map(each => (each.name === topic.name ? topic : each)) } }
}

const INFO = {
  redis_version: '7.2.4',
  redis_mode: 'standalone',
  role: 'master',
  connected_slaves: '1',
  used_memory: '1048576',
  maxmemory: '1073741824',
  maxmemory_policy: 'noeviction',
  loading: '0',
  aof_enabled: '1',
  rdb_last_bgsave_status: 'ok',
  aof_last_write_status: 'ok',
}

/** A healthy Redis, with some fields of INFO and some facts changed. */
export function redisFacts(info: Record<string, string> = {}, parts: Partial<RedisFacts> = {}): RedisFacts {
  return {
    address: 'redis:6379',
    info: { value: { ...INFO, ...info } },
    settings: { value: { 'maxmemory-policy': info['maxmemory_policy'] ?? 'noeviction' } },
    aheadMs: { value: 3 },
    refused: { value: [] },
    ...parts,
  }
}
