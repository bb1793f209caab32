import { ByteQuota } from '../../lib/byte-quota.ts'
import { outagesOf } from '../../lib/outages.ts'
import { settlesWithin } from '../../lib/waiting.ts'
import type { Log } from '../log.ts'
import type { LogMeter } from '../log-meter.ts'
import { kafkaAdmin } from './admin.ts'
import { kafkaAppender } from './append.ts'
import { type KafkaConnection, kafkaClients } from './client.ts'
import { type FetchSettings, MAX_BYTES } from './fetch-settings.ts'
import { GroupConsumption } from './group-consumption.ts'
import { createMissingTopics, deleteTopics } from './kafka-topics.ts'
import { readRecords } from './read.ts'

export interface KafkaLogOptions extends KafkaConnection {
  /** A prefix for the name of every group. */
  readonly groupPrefix?: string
  /**
   * A prefix for every transactional id. Workers of one group must share it, since they fence each other by
   * these ids. Installations that share a cluster must have different ones.
   */
  readonly transactionalIdPrefix: string
  /** How long a silent worker keeps its partitions. */
  readonly sessionTimeoutMs?: number
  /**
   * Names this process in its groups, the same after a restart: the restarted process has its partitions at
   * once, and the others do not stop. Undefined: each start is a new member.
   */
  readonly instanceId?: string | undefined
  readonly fetch?: FetchSettings
  /** For all answers that are held; if left out, one of `fetch.maxBytes`. */
  readonly quota?: ByteQuota
  readonly meter?: LogMeter | undefined
}

const SESSION_TIMEOUT_MS = 30_000
const CLOSE_TIMEOUT_MS = 3_000

/**
 * The log port on Kafka. Opening it makes no connection; every call connects when it needs to. While the
 * cluster is away, `consume` waits and all other calls fail with LOG_UNAVAILABLE after some seconds. All work
 * again once it is back.
 */
export function openKafkaLog(options: KafkaLogOptions): Log {
  // One for all groups and partitions of this log: they fail together.
  const { logger } = options
  const outages = outagesOf(logger)
  const clients = kafkaClients(options)
  const admin = kafkaAdmin(clients.create)
  const appender = kafkaAppender(clients.create, options.transactionalIdPrefix)
  const consumptions = new Set<GroupConsumption>()
  const groupPrefix = options.groupPrefix ?? ''
  const { fetch = {} } = options
  const quota = options.quota ?? new ByteQuota(fetch.maxBytes ?? MAX_BYTES)
  const reading = { createKafka: clients.create, admin }
  return {
    partitions: topic => admin.partitions(topic),
    append: records => appender.append(records),
    readAll: topic => readRecords(reading, topic),
    read: (topic, stretches) => readRecords(reading, topic, stretches),
    ranges: topic => admin.offsets(topic),
    topics: () => admin.topics(),
    createTopics: topics => createMissingTopics(admin, topics),

    async deleteTopics(topics) {
      await deleteTopics(admin, topics)
      await appender.forgetTopics()
    },

    group: (group, topic) => admin.group(groupPrefix + group, topic),
    deleteGroup: group => admin.deleteGroup(groupPrefix + group),
    ping: () => admin.ping(),

    async consume(consumeOptions) {
      const { transactionalIdPrefix, instanceId, sessionTimeoutMs = SESSION_TIMEOUT_MS, meter } = options
      const group = groupPrefix + consumeOptions.group
      const consumption = new GroupConsumption(
        {
          createKafka: clients.create,
          admin,
          logger,
          outages,
          group,
          transactionalIdPrefix,
          sessionTimeoutMs,
          instanceId,
          fetch,
          quota,
          meter,
        },
        consumeOptions,
      )
      consumptions.add(consumption)
      await consumption.joined
      return consumption
    },

    async close() {
      await Promise.all([...consumptions].map(consumption => consumption.stop()))
      await settlesWithin(CLOSE_TIMEOUT_MS, appender.close())
      clients.close()
    },
  }
}
