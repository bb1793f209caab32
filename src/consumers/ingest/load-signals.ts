import type { Log, OutgoingRecord, Position } from '../../log/log.ts'
import { liveRecord, signalRecord, tickRecord } from '../../log/signals-topic-records.ts'
import type { Signal } from '../../signals/signal.ts'
import { ticksFor } from '../scorer/tick-slices.ts'

export interface LoadOptions {
  readonly log: Log
  readonly topic: string
  readonly batchSize: number
  /**
   * `event`: history; each signal is observed when it occurred, and scores are as of the newest one.
   * `wall`: new signals; they are observed now.
   */
  readonly clock: 'wall' | 'event'
  /** What follows history: time stays at its end, or continues from now. */
  readonly afterwards: 'stay' | 'live'
  readonly now: () => number
  readonly onProgress: (sent: number) => void
}

export interface Loaded {
  readonly sent: number
  /** The newest `occurredAt`, ms; undefined: nothing was sent. */
  readonly until: number | undefined
  /** The last offset that was written to each partition. */
  readonly ends: ReadonlyMap<number, number>
}

/**
 * Appends signals to the log, in their order. History ends with ticks that advance every account to the time
 * of its newest signal, so that all scores are as of one moment.
 * @throws UpswellError LOG_UNAVAILABLE; the log holds what `onProgress` reported last
 */
export async function loadSignals(
  signals: AsyncIterable<Signal> | Iterable<Signal>,
  options: LoadOptions,
): Promise<Loaded> {
  const { log, topic, clock, now, onProgress } = options
  const ends = new Map<number, number>()
  const accounts = new Set<string>()
  let until: number | undefined
  let sent = 0
  let batch: OutgoingRecord[] = []
  const flush = async (): Promise<void> => {
    if (batch.length === 0) return
    noteEnds(ends, await log.append(batch))
    sent += batch.length
    batch = []
    onProgress(sent)
  }
  for await (const signal of signals) {
    batch.push(signalRecord(topic, signal, clock === 'event' ? signal.occurredAt : now(), clock))
    accounts.add(signal.accountId)
    until = Math.max(until ?? 0, signal.occurredAt)
    if (batch.length >= options.batchSize) await flush()
  }
  await flush()
  if (clock === 'event' && until !== undefined) {
    const partitions = await log.partitions(topic)
    const of = ticksFor(accounts.size / partitions)
    for (let partition = 0; partition < partitions; partition++) {
      const ticks = Array.from({ length: of }, (_, slice) =>
        tickRecord(topic, partition, until, { slice, of, scope: 'due', clock: 'event' }),
      )
      const live = options.afterwards === 'live' ? [liveRecord(topic, partition)] : []
      noteEnds(ends, await log.append([...ticks, ...live]))
    }
  }
  return { sent, until, ends }
}

function noteEnds(ends: Map<number, number>, positions: readonly Position[]): void {
  for (const { partition, offset } of positions)
    ends.set(partition, Math.max(offset, ends.get(partition) ?? -1))
}
