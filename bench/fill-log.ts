import type { Log, OutgoingRecord } from '../src/consumers/log.ts'
import { modelsRecord, signalRecord } from '../src/consumers/log-entries.ts'
import type { ModelSource } from '../src/models/model-library.ts'
import type { Signal } from '../src/scoring/signal.ts'

/** Enough that appending takes seconds, and still far below what a transaction may hold. */
const RECORDS_AT_ONCE = 5_000

/**
 * Writes the models, then the signals as history, to an empty topic. No tick follows: what is measured, and compared with
 * the Kafka Streams job, ends with the last signal. Returns how many records it wrote.
 */
export async function fillLog(
  log: Log,
  topic: string,
  models: readonly ModelSource[],
  signals: Iterable<Signal> | AsyncIterable<Signal>,
): Promise<number> {
  const partitions = await log.partitions(topic)
  let records: OutgoingRecord[] = Array.from({ length: partitions }, (_, partition) =>
    modelsRecord(topic, partition, 0, models),
  )
  let written = 0
  const flush = async (): Promise<void> => {
    await log.append(records)
    written += records.length
    records = []
  }
  for await (const signal of signals) {
    records.push(signalRecord(topic, signal, signal.occurredAt, 'event'))
    if (records.length >= RECORDS_AT_ONCE) await flush()
  }
  await flush()
  return written
}
