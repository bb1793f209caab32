import { BatchReader } from '../../../kafka-wire/fetch/batch-reader.ts'
import { FetchedRecords } from '../../../kafka-wire/fetch/fetched-records.ts'
import { markerTimes } from '../../../kafka-wire/fetch/marker-times.ts'
import { PartitionFetcher } from '../../../kafka-wire/fetch/partition-fetcher.ts'
import type { KafkaCluster } from '../../../kafka-wire/hooks/kafkajs-cluster.ts'
import { isHistory } from '../../decode-signals-topic.ts'
import type { LogRecord, OffsetRange } from '../../log.ts'
import { recordKind } from '../../own-records.ts'

/** A broker's clock against the clock of the process that wrote a record. */
export interface BrokerClock {
  readonly partition: number
  /** How far the broker was ahead, ms. */
  readonly aheadMs: number
  /** When the newest of the compared transactions ended, ms by the broker's clock. */
  readonly at: number
}

const LATEST_OFFSETS = 500
const FETCH_BYTES = 1024 * 1024
const MOST_RECORDS = 10_000
/** Replays copy records with their old times. */
const COPY_HEADER = 'upswell-origin'

// Brokers do not answer the question what time it is. But a broker writes the marker that ends a transaction
// with its own clock, milliseconds after a process wrote the record with its clock.

/**
 * Compares the clock of the partition's leader with the clocks of the processes that wrote the latest
 * transactions of live signals. Undefined: there is none among the latest offsets.
 */
export async function readBrokerClock(
  cluster: KafkaCluster,
  topic: string,
  partition: number,
  { first, end }: OffsetRange,
): Promise<BrokerClock | undefined> {
  if (first === end) return undefined
  const fetcher = new PartitionFetcher(cluster, topic, partition)
  try {
    const offset = Math.max(first, end - LATEST_OFFSETS)
    const fetched = await fetcher.fetch({ offset, maxBytes: FETCH_BYTES, minBytes: 1, maxWaitMs: 100 })
    if (fetched === undefined) return undefined
    const records = new FetchedRecords()
    await new BatchReader(fetched, offset).read(records, MOST_RECORDS)
    const byOffset = new Map<number, LogRecord>(Array.from(records, record => [record.offset, record]))
    const compared = markerTimes(fetched.bytes).flatMap(({ time, lastRecordOffset }) => {
      const record = byOffset.get(lastRecordOffset)
      return record !== undefined && isLive(record) ? [{ time, aheadMs: time - record.timestamp }] : []
    })
    if (compared.length === 0) return undefined
    // The median: a signal may have occurred some minutes ahead of the clock of its writer.
    const sorted = compared.map(({ aheadMs }) => aheadMs).sort((a, b) => a - b)
    return { partition, aheadMs: sorted[sorted.length >> 1]!, at: compared.at(-1)!.time }
  } finally {
    fetcher.close()
  }
}

function isLive(record: LogRecord): boolean {
  return recordKind(record) === undefined && !isHistory(record) && !(COPY_HEADER in record.headers)
}
