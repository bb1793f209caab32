import type { Log, OutgoingRecord } from '../../src/log/log.ts'
import { modelsRecord } from '../../src/log/signals-topic-records.ts'
import type { ModelSource } from '../../src/models/model-library.ts'

/** A signal as a record of the log. */
export type SignalRecord = Pick<OutgoingRecord, 'key' | 'value' | 'timestamp' | 'headers'>

/** A filled topic of signals. */
export interface FilledTopic {
  readonly signals: number
  /**
   * The offset after the last record of each partition. Only the marker that ends a transaction comes after
   * it.
   */
  readonly ends: ReadonlyMap<number, number>
}

/** About 250 KiB for each of four partitions: batches as a busy producer makes them. */
const RECORDS_AT_ONCE = 4_000

/**
 * Writes the models to each partition of an empty topic, then the signals. Writes no tick: the measurement,
 * and the comparison with the Kafka Streams job, end with the last signal.
 */
export async function fillTopic(
  log: Log,
  topic: string,
  models: readonly ModelSource[],
  signals: Iterable<SignalRecord> | AsyncIterable<SignalRecord>,
): Promise<FilledTopic> {
  const partitions = await log.partitions(topic)
  const ends = new Map<number, number>()
  let records: OutgoingRecord[] = Array.from({ length: partitions }, (_, partition) =>
    modelsRecord(topic, partition, 0, models),
  )
  let written = 0
  let writing: Promise<void> = Promise.resolve()
  const write = async (batch: readonly OutgoingRecord[]): Promise<void> => {
    for (const { partition, offset } of await log.append(batch)) ends.set(partition, offset + 1)
  }
  for await (const signal of signals) {
    records.push({ ...signal, topic })
    written++
    if (records.length < RECORDS_AT_ONCE) continue
    // Makes the next records while these are on their way.
    await writing
    writing = write(records)
    writing.catch(() => {})
    records = []
  }
  await writing
  await write(records)
  return { signals: written, ends }
}
