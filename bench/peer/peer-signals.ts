import type { Log } from '../../src/log/log.ts'
import { OccurrenceTimes } from '../signals/occurrence-times.ts'
import type { SignalRecord } from '../signals/signal-topic.ts'
import { PEER_SIGNALS } from './peer.ts'

export interface PeerSignals {
  readonly records: AsyncIterable<SignalRecord>
  /** Filled while the records are read. */
  readonly times: OccurrenceTimes
}

/**
 * The signals of the Kafka Streams job, from its topic, with the same bytes as keys and values and the same
 * timestamps. They go to another topic, since an Upswell log begins with its models.
 */
export function readPeerSignals(log: Log, signals: number): PeerSignals {
  const times = new OccurrenceTimes(signals)
  return { times, records: read(log, times) }
}

async function* read(log: Log, times: OccurrenceTimes): AsyncGenerator<SignalRecord> {
  const ranges = await log.ranges(PEER_SIGNALS)
  const partitions = [...ranges].map(([partition, { first, end }]) =>
    log.read(PEER_SIGNALS, [{ partition, from: first, to: end }])[Symbol.asyncIterator](),
  )
  // Reads the partitions in turn. One after the other would be written in larger batches than the other job's
  // producer makes.
  while (partitions.length > 0) {
    for (const [i, partition] of partitions.entries()) {
      const next = await partition.next()
      if (next.done === true) {
        partitions.splice(i, 1)
        break
      }
      const { key, value, timestamp } = next.value
      const text = value!.toString()
      // The record's time is the signal's own time.
      times.set(/"id":"([^"]*)"/.exec(text)![1]!, timestamp)
      yield { key: key!.toString(), value: text, timestamp }
    }
  }
}
