import type { Logger } from '../../lib/logger.ts'
import type {
  Consumption,
  Log,
  OutgoingRecord,
  PartitionHandler,
  PartitionSession,
  RecordList,
} from '../../log/log.ts'
import { deadLetterRecord } from '../../log/output-records.ts'
import { signalRecord } from '../../log/signals-topic-records.ts'
import { SOURCE_TOPICS, type SourceTopic, type TopicNames } from '../../log/topic-names.ts'
import { parseSignal } from '../../signals/parse-signal.ts'
import type { RejectionCode } from '../../signals/rejection.ts'

export interface IngestOptions {
  readonly log: Log
  readonly topics: TopicNames
  /** Where signals go now: the log of the serving lineage. Undefined: `topics.signals`. */
  readonly signalsTopic?: () => string
  readonly group: string
  readonly batchSize: number
  readonly now: () => number
  readonly logger: Logger
  readonly onIngested: (topic: string, outcome: 'accepted' | 'rejected', count: number) => void
  /** Called for each batch with such records, after their commit. */
  readonly onDeadLetters?: (topic: string, reasons: readonly RejectionCode[]) => void
}

/**
 * Moves records from source topics to `signals`, or to dead-letter. It settles everything that could
 * differ between two runs, above all when the system learnt of a signal, and writes it into the record. The
 * source offset moves in the same transaction.
 */
export function startIngest(options: IngestOptions): Promise<Consumption> {
  const roles = new Map(
    (Object.keys(SOURCE_TOPICS) as SourceTopic[]).map(role => [options.topics[role], role]),
  )
  const handler: PartitionHandler = {
    assigned: async session => session.committedOffset,
    process: (session, records) => ingestBatch(options, roles.get(session.topic)!, session, records),
    released: () => {},
  }
  return options.log.consume({
    group: options.group,
    topics: [...roles.keys()],
    handler,
    batchSize: options.batchSize,
  })
}

async function ingestBatch(
  options: IngestOptions,
  role: SourceTopic,
  session: PartitionSession,
  records: RecordList,
): Promise<void> {
  const observedAt = options.now()
  const signalsTopic = options.signalsTopic?.() ?? options.topics.signals
  const outputs: OutgoingRecord[] = []
  const reasons: RejectionCode[] = []
  for (const record of records) {
    const parsed = parseSignal(record.value, {
      observedAt,
      defaultKind: SOURCE_TOPICS[role],
      place: 'edge',
    })
    if ('rejection' in parsed) {
      reasons.push(parsed.rejection.code)
      outputs.push(deadLetterRecord(options.topics, record, parsed.rejection))
    } else {
      outputs.push(signalRecord(signalsTopic, parsed.signal, observedAt))
    }
  }
  const rejected = reasons.length
  await session.commit(outputs, records.at(-1)!.offset + 1)
  options.onIngested(session.topic, 'accepted', records.length - rejected)
  options.onIngested(session.topic, 'rejected', rejected)
  if (rejected === 0) return
  options.onDeadLetters?.(session.topic, reasons)
  options.logger.warn(
    // No number in the text: it is the same for each batch, so that the logger can hold them together.
    `records of ${session.topic} went to ${options.topics['dead-letter']}`,
    { topic: session.topic, partition: session.partition, rejected, read: records.length },
  )
}
