import { randomUUID } from 'node:crypto'
import type { Config } from '../../app/config.ts'
import { instanceIdOf } from '../../app/instance-id.ts'
import { openBackend, transactionalIdPrefix } from '../../app/open-backend.ts'
import { findServed } from '../../consumers/lineage/find-served.ts'
import { type LineageNames, scoreGroup } from '../../consumers/lineage/lineage-names.ts'
import { Lineages } from '../../consumers/lineage/lineages.ts'
import { answered, attempt } from '../../lib/attempt.ts'
import { type KafkaInspection, openKafkaInspection } from '../../log/kafka/inspect/inspect-kafka.ts'
import { type KafkaFacts, OFFSETS_TOPIC } from '../../log/kafka/inspect/kafka-facts.ts'
import type { Log } from '../../log/log.ts'
import { SOURCE_TOPICS, type SourceTopic, topicNames } from '../../log/topic-names.ts'
import type { ModelLibrary } from '../../models/model-library.ts'
import { inspectRedis, type RedisFacts } from '../../store/redis/inspect-redis.ts'
import { lineLogger } from '../terminal.ts'
import {
  type ConfiguredModels,
  checkData,
  checkModels,
  DATA_LIMIT_MS,
  type DataQuestions,
  judged,
} from './check-data.ts'
import { checkedTopics, neededOperations } from './checked-topics.ts'
import { type CheckId, type Finding, notChecked } from './finding.ts'
import { readGroupPosition } from './gather-log.ts'
import {
  judgeBrokers,
  judgeInternalTopics,
  judgeKafkaSettings,
  judgeKeptOffsets,
  judgeTransactions,
} from './judge-brokers.ts'
import { judgeKafkaClock, judgeRedisClock } from './judge-clocks.ts'
import { judgeInstanceIds } from './judge-instance-ids.ts'
import { judgePermissions } from './judge-permissions.ts'
import { judgeRedis } from './judge-redis.ts'
import { judgeGroup } from './judge-store.ts'
import { judgeTopics } from './judge-topics.ts'

const SILENT = lineLogger('silent')

// Each question has a deadline:
//
//   brokers of the settings      2.5 s if one is frozen
//   Redis, the serving lineage   3 s if it is frozen
//   all brokers, topics, groups  2.5 s if a further broker is frozen, 2.5 s for the questions
//   log and store                2.5 s, side by side
/** The checks of an installation on Kafka and Redis. @throws UpswellError INVALID_INSTALLATION */
export async function checkKafkaRedis(
  config: Config,
  library: ModelLibrary,
  models: ConfiguredModels,
): Promise<Finding[]> {
  const connection = { brokers: config.kafkaBrokers, clientId: 'upswell-doctor', logger: SILENT }
  const inspection = await openKafkaInspection(connection)
  const { answering } = inspection
  // A client that begins with a frozen broker would wait for it.
  const reachable = answering.length === 0 ? config : { ...config, kafkaBrokers: answering }
  const [redis, backend] = await Promise.all([
    inspectRedis(config.redisUrl, config.namespace),
    openBackend(reachable, SILENT),
  ])
  const lineages = new Lineages(config, backend, library)
  try {
    const [served, stored] = await Promise.all([
      attempt(DATA_LIMIT_MS, () => findServed(lineages)),
      attempt(DATA_LIMIT_MS, () => lineages.served()),
    ])
    // Without Redis nobody knows which lineage serves: the first one is checked.
    const serving = answered(served) ?? answered(stored) ?? lineages.original
    const names = { original: lineages.original.names, serving: serving.names }
    const kafka = await askKafka(config, inspection, names)
    const questions = { config, lineages, serving, library, models }
    const isLogThere = hasTopic(kafka, serving.names.topics.signals)
    const data =
      isLogThere && 'reason' in served && 'value' in stored
        ? withoutServing(served.reason)
        : isLogThere
          ? checkData(questions)
          : withoutLog(questions)
    const groups = isLogThere ? checkGroups(config, backend.log, kafka, serving.names) : []
    return [...judgeServers(config, kafka, redis, names), ...(await data), ...(await groups)]
  } finally {
    inspection.close()
    await lineages.close()
    await backend.close()
  }
}

interface CheckedNames {
  readonly original: LineageNames
  readonly serving: LineageNames
}

function groupsOf({ group }: Config, { serving }: CheckedNames): readonly [ingest: string, score: string] {
  return [`${group}-ingest`, scoreGroup(serving)]
}

async function askKafka(
  config: Config,
  inspection: KafkaInspection,
  names: CheckedNames,
): Promise<KafkaFacts> {
  const topics = checkedTopics(names.original, names.serving, config.partitions)
  return await inspection.ask({
    topics: topics.map(({ name }) => name),
    groups: groupsOf(config, names),
    transactionalId: `${transactionalIdPrefix(config)}-doctor-${randomUUID()}`,
    signals: names.serving.topics.signals,
  })
}

function judgeServers(
  config: Config,
  kafka: KafkaFacts,
  redis: RedisFacts,
  { original, serving }: CheckedNames,
): Finding[] {
  const topics = checkedTopics(original, serving, config.partitions)
  return [
    ...judgeBrokers(kafka),
    judgeKafkaSettings(kafka, config),
    judgeTransactions(kafka),
    judgeKeptOffsets(kafka),
    judgeInternalTopics(kafka),
    judgeInstanceIds(kafka, instanceIdOf(config)),
    ...judgePermissions(kafka, neededOperations(topics), transactionalIdPrefix(config)),
    ...judgeTopics(kafka, topics),
    ...judgeRedis(redis),
    judgeRedisClock(redis),
    judgeKafkaClock(kafka),
  ]
}

function hasTopic({ topics }: KafkaFacts, topic: string): boolean {
  return 'value' in topics && topics.value.some(({ name, state }) => name === topic && state === 'there')
}

const OF_LOG: readonly CheckId[] = [
  'log-beginning',
  'store-partitions',
  'store-position',
  'score-group',
  'ingest-group',
  'dead-letters',
  'replays',
]
const OF_MODELS: readonly CheckId[] = ['active-models', 'model-names']

/** Redis answers, but it is not known yet which lineage serves: a retired one would look broken. */
function withoutServing(reason: string): Finding[] {
  const checks = [...OF_LOG.filter(check => !check.endsWith('-group')), ...OF_MODELS]
  return checks.map(check => notChecked(check, `it is not known which lineage serves: ${reason}`))
}

async function withoutLog(questions: DataQuestions): Promise<Finding[]> {
  const { signals } = questions.serving.names.topics
  const unknown = OF_LOG.map(check => notChecked(check, `${signals} cannot be read: see brokers and topics`))
  return [...(await checkModels(questions)), ...unknown]
}

async function checkGroups(
  config: Config,
  log: Log,
  kafka: KafkaFacts,
  serving: LineageNames,
): Promise<Finding[]> {
  // The question would create Kafka's own topic.
  if (!hasTopic(kafka, OFFSETS_TOPIC))
    return (['score-group', 'ingest-group'] as const).map(check =>
      notChecked(check, 'no group has ever been used on these brokers'),
    )
  const facts = new Map(kafka.groups)
  const sources = (Object.keys(SOURCE_TOPICS) as SourceTopic[])
    .map(role => topicNames(config.topicPrefix)[role])
    .filter(topic => hasTopic(kafka, topic))
  const score = scoreGroup(serving)
  const ingest = `${config.group}-ingest`
  const found = await Promise.all([
    judged(
      ['score-group'],
      () => readGroupPosition(log, score, [serving.topics.signals], facts.get(score)!),
      position => [judgeGroup('score-group', position)],
    ),
    judged(
      ['ingest-group'],
      () => readGroupPosition(log, ingest, sources, facts.get(ingest)!),
      position => [judgeGroup('ingest-group', position)],
    ),
  ])
  return found.flat()
}
