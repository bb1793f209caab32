import type { Backend } from '../../../src/consumers/backend.ts'
import { isHead } from '../../../src/consumers/checkpoints/checkpoint-records.ts'
import type {
  ConsumeOptions,
  Log,
  LogRecord,
  OffsetRange,
  OutgoingRecord,
  PartitionSession,
} from '../../../src/log/log.ts'
import { publishedMetadata } from '../../../src/log/published-offset.ts'
import { CHECKPOINTS } from '../../../src/log/topic-names.ts'
import type { LogClient } from './log-client.ts'
import type { StoreClient } from './store-client.ts'
import { TOPICS } from './topics.ts'
import type { Wiring } from './wiring.ts'

/**
 * The backend of a process, as Kafka and Redis make one: first the transaction, then the write of the store.
 */
export function loopBackend(log: LogClient, store: StoreClient, wiring: Wiring): Backend {
  return {
    log: miswired(log, store, wiring),
    store,
    async commitFlush(session, { outputs: given, nextOffset, metadata, write }) {
      const outputs = wiring.sendsHeadFirst ? headFirst(given) : given
      if (wiring.savesBeforeCommit) {
        await store.save(session.partition, write)
        await session.commit(outputs, nextOffset, metadata)
        return
      }
      await session.commit(outputs, nextOffset, metadata)
      await store.save(session.partition, write)
    },
    inNamespace: () => Promise.reject(new Error('no other namespace is simulated')),
    close: async () => {},
  }
}

/** The log as the loop sees it, with the mistakes that belong between loop and log. */
function miswired(log: LogClient, store: StoreClient, wiring: Wiring): Log {
  const consume = (options: ConsumeOptions) => {
    const { handler } = options
    /** The loop distinguishes sessions by identity. */
    const shown = new WeakMap<PartitionSession, PartitionSession>()
    const seen = new Map<string, number>()
    return log.consume({
      ...options,
      handler: {
        assigned: async session => {
          shown.set(session, await showSession(session, store, wiring))
          return handler.assigned(shown.get(session)!)
        },
        process: (session, records) =>
          handler.process(
            shown.get(session)!,
            wiring.forgetsIds ? Array.from(records, record => withOwnId(record, seen)) : records,
          ),
        released: session => handler.released(shown.get(session) ?? session),
      },
    })
  }
  return {
    partitions: topic => log.partitions(topic),
    append: records => log.append(records),
    consume,
    readAll: topic => log.readAll(topic),
    read: (topic, stretches) => log.read(topic, stretches),
    ranges: topic => (wiring.overlooksUndone ? rangesToHead(log, topic) : log.ranges(topic)),
    topics: () => log.topics(),
    createTopics: topics => log.createTopics(topics),
    deleteTopics: topics => log.deleteTopics(topics),
    group: (group, topic) => log.group(group, topic),
    deleteGroup: group => log.deleteGroup(group),
    ping: () => log.ping(),
    close: () => log.close(),
  }
}

function headFirst(outputs: readonly OutgoingRecord[]): OutgoingRecord[] {
  const isHead = ({ topic, key }: OutgoingRecord): boolean =>
    topic === TOPICS[CHECKPOINTS] && key === 'partition'
  return [...outputs.filter(isHead), ...outputs.filter(record => !isHead(record))]
}

/** Ranges of the checkpoints that end after the newest head. */
async function rangesToHead(log: LogClient, topic: string): Promise<ReadonlyMap<number, OffsetRange>> {
  const ranges = await log.ranges(topic)
  if (topic !== TOPICS[CHECKPOINTS]) return ranges
  const cut = new Map<number, OffsetRange>()
  for (const [partition, { first, end }] of ranges) {
    let headEnd = end
    for await (const record of log.read(topic, [{ partition, from: first, to: end }]))
      if (isHead(record)) headEnd = record.offset + 1
    cut.set(partition, { first, end: headEnd })
  }
  return cut
}

async function showSession(
  session: PartitionSession,
  store: StoreClient,
  wiring: Wiring,
): Promise<PartitionSession> {
  const { sendsOutputsAgain, overlooksUnpublished, publishesScoresAgain } = wiring
  if (!sendsOutputsAgain && !overlooksUnpublished && !publishesScoresAgain) return session
  const { storedOffset } = await store.readPartition(session.partition)
  const { topic, partition, firstOffset, endOffset, committedOffset, committedMetadata } = session
  return {
    topic,
    partition,
    firstOffset,
    endOffset,
    get isOver() {
      return session.isOver
    },
    committedOffset: sendsOutputsAgain ? Math.min(committedOffset, storedOffset) : committedOffset,
    committedMetadata: overlooksUnpublished
      ? undefined
      : publishesScoresAgain
        ? publishedMetadata(0)
        : committedMetadata,
    commit: (records, nextOffset, metadata) => session.commit(records, nextOffset, metadata),
    lose: reason => session.lose(reason),
  }
}

/** Gives a signal a new id if its id was seen at another offset. */
function withOwnId(record: LogRecord, seen: Map<string, number>): LogRecord {
  const text = String(record.value)
  const id = /^\{"id":"(s\d+)"/.exec(text)?.[1]
  if (id === undefined) return record
  const first = seen.get(id) ?? record.offset
  seen.set(id, first)
  if (first === record.offset) return record
  return { ...record, value: Buffer.from(text.replace(id, `${id} ${record.offset}`)) }
}
