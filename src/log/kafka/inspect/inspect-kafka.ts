import { describeGroupRequest, describeGroupVersion } from '../../../kafka-wire/ask/describe-group.ts'
import type { TopicMetadata } from '../../../kafka-wire/ask/metadata.ts'
import type { NodeConnection } from '../../../kafka-wire/ask/node-connection.ts'
import { createCluster } from '../../../kafka-wire/hooks/kafkajs-cluster.ts'
import { isProtocolError, protocolError } from '../../../kafka-wire/hooks/protocol-errors.ts'
import { type Attempt, answered, attempt } from '../../../lib/attempt.ts'
import { kafkaAdmin } from '../admin.ts'
import { type KafkaConnection, kafkaClients } from '../client.ts'
import { readBrokerClock } from './broker-clock.ts'
import {
  type Authorizer,
  type GroupFacts,
  type KafkaFacts,
  OFFSETS_TOPIC,
  type Settings,
  type TopicFacts,
  TRANSACTIONS_TOPIC,
} from './kafka-facts.ts'
import { brokerFacts, type OpenBroker, openOthers, openSeeds } from './open-brokers.ts'

export interface KafkaQuestions {
  readonly topics: readonly string[]
  readonly groups: readonly string[]
  /** An id that nobody uses, with the prefix that the scorers use. */
  readonly transactionalId: string
  /** The topic whose transactions show the clocks of the brokers. */
  readonly signals: string
}

export interface KafkaInspection {
  /** The addresses that answered, of those that the settings name. */
  readonly answering: readonly string[]
  ask(questions: KafkaQuestions): Promise<KafkaFacts>
  close(): void
}

const QUESTION_LIMIT_MS = 2_500

/**
 * Asks every broker by itself. It writes nothing, and creates none of Kafka's own topics. Brokers that do not
 * answer cost some seconds, all of them together.
 * @throws UpswellError INVALID_INSTALLATION
 */
export async function openKafkaInspection(connection: KafkaConnection): Promise<KafkaInspection> {
  const clients = kafkaClients(connection)
  const cluster = createCluster(clients.create(), { allowAutoTopicCreation: false })
  const seeds = await openSeeds(cluster, connection.brokers)
  const answering = seeds.filter(({ node }) => 'value' in node).map(({ address }) => address)
  return {
    answering,
    async ask(questions) {
      const asked = [...questions.topics, OFFSETS_TOPIC, TRANSACTIONS_TOPIC]
      const { brokers, metadata } = await openOthers(cluster, seeds, asked)
      const facts = { brokers: brokers.map(brokerFacts), clusterOperations: answered(metadata)?.operations }
      if ('reason' in metadata) return { ...facts, ...unanswered(metadata, questions) }
      const clocks = attempt(QUESTION_LIMIT_MS, () =>
        readClocks({ ...connection, brokers: answering }, metadata.value.topics, questions),
      )
      return { ...facts, ...(await askAll(brokers, metadata.value.topics, questions)), clocks: await clocks }
    },
    close: clients.close,
  }
}

/** At least one broker answers. */
async function askAll(
  brokers: readonly OpenBroker[],
  found: readonly TopicMetadata[],
  { groups: asked, transactionalId }: KafkaQuestions,
) {
  const node = brokers.map(broker => answered(broker.node)).find(each => each !== undefined)!
  const hasGroups = found.some(({ name, errorCode }) => name === OFFSETS_TOPIC && errorCode === 0)
  const [topics, brokerSettings, authorizer, mayWriteTransactions, groups] = await Promise.all([
    Promise.all(found.map(topic => topicFacts(node, topic))),
    settingsOfBrokers(brokers),
    attempt(QUESTION_LIMIT_MS, () => findAuthorizer(node)),
    attempt(QUESTION_LIMIT_MS, () => mayWriteTransaction(node, transactionalId)),
    Promise.all(asked.map(group => groupFacts(node, brokers, group, hasGroups))),
  ])
  return {
    topics: { value: topics },
    brokerSettings: new Map(brokerSettings),
    authorizer,
    mayWriteTransactions,
    groups,
  }
}

function unanswered(none: { readonly reason: string }, { groups }: KafkaQuestions) {
  return {
    topics: none,
    brokerSettings: new Map<number, Attempt<Settings>>(),
    authorizer: none,
    mayWriteTransactions: none,
    groups: groups.map(group => [group, none] as const),
    clocks: none,
  }
}

const UNKNOWN_TOPIC = 3

async function topicFacts(node: NodeConnection, topic: TopicMetadata): Promise<TopicFacts> {
  const { name, errorCode, partitions, operations } = topic
  const state =
    errorCode === UNKNOWN_TOPIC
      ? 'missing'
      : partitions.length === 0 && errorCode !== 0
        ? 'not visible'
        : 'there'
  const settings: Attempt<Settings> =
    state === 'there'
      ? await attempt(QUESTION_LIMIT_MS, () => describeConfigs(node, 2, name))
      : { reason: state === 'missing' ? 'the topic is missing' : protocolError(errorCode).message }
  return { name, state, partitions, operations, settings }
}

async function settingsOfBrokers(brokers: readonly OpenBroker[]) {
  const known = brokers.flatMap(({ nodeId, node }) => (nodeId === undefined ? [] : [{ nodeId, node }]))
  return await Promise.all(
    known.map(async ({ nodeId, node }) => {
      // A broker answers for itself only.
      const answer: Attempt<Settings> =
        'reason' in node
          ? node
          : await attempt(QUESTION_LIMIT_MS, () => describeConfigs(node.value, 4, String(nodeId)))
      return [nodeId, answer] as const
    }),
  )
}

interface ConfigAnswer {
  readonly resources: readonly {
    readonly configEntries: readonly { readonly configName: string; readonly configValue: string | null }[]
  }[]
}

/** `type`: 2 for a topic, 4 for a broker. */
async function describeConfigs(node: NodeConnection, type: number, name: string): Promise<Settings> {
  const { resources } = await node.ask<ConfigAnswer>(32, 'describeConfigs', {
    resources: [{ type, name, configNames: [] }],
    includeSynonyms: false,
  })
  const entries = resources.flatMap(({ configEntries }) => configEntries)
  return Object.fromEntries(entries.map(({ configName, configValue }) => [configName, configValue]))
}

const ANY = 1

/** Asks for all rules about the cluster: without an authorizer the broker refuses the question. */
async function findAuthorizer(node: NodeConnection): Promise<Authorizer> {
  try {
    await node.ask(29, 'describeAcls', {
      resourceType: ANY,
      resourceName: null,
      resourcePatternType: ANY,
      principal: null,
      host: null,
      operation: ANY,
      permissionType: ANY,
    })
    return 'there'
  } catch (error) {
    if (isProtocolError(error, 'SECURITY_DISABLED')) return 'none'
    // Who may not see the rules learns that there is somebody who refuses.
    if (isProtocolError(error, 'CLUSTER_AUTHORIZATION_FAILED')) return 'there'
    throw error
  }
}

/** No producer has it, so no transaction has it either. */
const NO_PRODUCER = { producerId: '-1', producerEpoch: -1 }

/**
 * Asks to abort a transaction that does not exist. A broker first checks whether the user may write with this
 * id, and then finds nothing to abort.
 */
async function mayWriteTransaction(node: NodeConnection, transactionalId: string): Promise<boolean> {
  try {
    await node.ask(26, 'endTxn', { transactionalId, ...NO_PRODUCER, transactionResult: false })
    return true
  } catch (error) {
    if (isProtocolError(error, 'TRANSACTIONAL_ID_AUTHORIZATION_FAILED')) return false
    if (NOTHING_TO_ABORT.some(type => isProtocolError(error, type))) return true
    throw error
  }
}

const NOTHING_TO_ABORT = [
  'INVALID_PRODUCER_ID_MAPPING',
  'NOT_COORDINATOR_FOR_GROUP',
  'GROUP_COORDINATOR_NOT_AVAILABLE',
  'GROUP_LOAD_IN_PROGRESS',
] as const

async function groupFacts(
  node: NodeConnection,
  brokers: readonly OpenBroker[],
  group: string,
  hasGroups: boolean,
): Promise<readonly [string, Attempt<GroupFacts>]> {
  if (!hasGroups) {
    const value = { group, state: 'Dead', members: [], operations: undefined }
    return [group, { value }]
  }
  return [group, await attempt(QUESTION_LIMIT_MS, () => describeGroup(node, brokers, group))]
}

async function describeGroup(
  node: NodeConnection,
  brokers: readonly OpenBroker[],
  group: string,
): Promise<GroupFacts> {
  const { coordinator } = await node.ask<{ readonly coordinator: { readonly nodeId: number } }>(
    10,
    'findCoordinator',
    { groupId: group, coordinatorType: 0 },
  )
  const owner = brokers.find(({ nodeId }) => nodeId === coordinator.nodeId)?.node
  if (owner === undefined || 'reason' in owner)
    throw new Error(`its coordinator, broker ${coordinator.nodeId}, does not answer`)
  const { errorCode, ...described } = await owner.value.askRaw(
    describeGroupRequest(group, describeGroupVersion(owner.value.versions)),
  )
  if (errorCode !== 0) throw protocolError(errorCode)
  return { group, ...described }
}

async function readClocks(
  connection: KafkaConnection,
  topics: readonly TopicMetadata[],
  { signals }: KafkaQuestions,
) {
  if (!topics.some(({ name, errorCode }) => name === signals && errorCode === 0)) return []
  const clients = kafkaClients(connection)
  try {
    const ranges = await kafkaAdmin(clients.create).offsets(signals)
    const cluster = createCluster(clients.create(), { allowAutoTopicCreation: false })
    await cluster.connect()
    const clocks = await Promise.all(
      Array.from(ranges, ([partition, range]) => readBrokerClock(cluster, signals, partition, range)),
    )
    return clocks.filter(clock => clock !== undefined)
  } finally {
    clients.close()
  }
}
