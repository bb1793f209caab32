import type { ModelSource } from '../models/model-library.ts'
import type { TickSlice } from '../scoring/due-slices.ts'
import type { Promotion } from '../scoring/partition-memory.ts'
import type { Signal } from '../signals/signal.ts'
import type { OutgoingRecord } from './log.ts'

// Records of the `signals` topic. A signal is its canonical JSON. Records that Upswell writes itself carry
// the header `upswell-record`. No source can set it, since ingest writes every signal with headers of its
// own.

export const RECORD_HEADER = 'upswell-record'
/** Marks a signal that is loaded as history: its timestamp is its own time, not the wall clock's. */
export const CLOCK_HEADER = 'upswell-clock'

/** `clock`: `event` if the signal is history, whose `observedAt` is its own time. */
export function signalRecord(
  topic: string,
  signal: Signal,
  observedAt: number,
  clock: 'wall' | 'event' = 'wall',
): OutgoingRecord {
  return {
    topic,
    key: signal.accountId,
    value: JSON.stringify(canonicalSignal(signal)),
    // Scoring uses the record's time, which is never before the event itself.
    timestamp: Math.max(observedAt, signal.occurredAt),
    headers: clock === 'event' ? { [CLOCK_HEADER]: 'event' } : {},
  }
}

/** The fields of the contract, in its order. */
function canonicalSignal(signal: Signal): Record<string, unknown> {
  const { id, kind, name, accountId, userId, quantityThousandths, properties, occurredAt } = signal
  return {
    id,
    kind,
    name,
    accountId,
    ...(userId === undefined ? {} : { userId }),
    quantity: quantityThousandths / 1000,
    ...(Object.keys(properties).length === 0 ? {} : { properties }),
    occurredAt: new Date(occurredAt).toISOString(),
  }
}

export function tickRecord(topic: string, partition: number, time: number, tick: TickSlice): OutgoingRecord {
  return {
    topic,
    partition,
    key: null,
    value: JSON.stringify(tick),
    timestamp: time,
    headers: { [RECORD_HEADER]: 'tick' },
  }
}

export function modelsRecord(
  topic: string,
  partition: number,
  time: number,
  models: readonly ModelSource[],
): OutgoingRecord {
  return {
    topic,
    partition,
    key: null,
    value: JSON.stringify(models),
    timestamp: time,
    headers: { [RECORD_HEADER]: 'models' },
  }
}

/** See `Promotion`. */
export function promotionRecord(
  topic: string,
  partition: number,
  time: number,
  promotion: Omit<Promotion, 'offset' | 'isComplete'>,
): OutgoingRecord {
  return {
    topic,
    partition,
    key: null,
    value: JSON.stringify(promotion),
    timestamp: time,
    headers: { [RECORD_HEADER]: 'promotion' },
  }
}

/** Describes a replay: the first record of its log; see consumers/lineage/replay-record.ts. */
export function replayRecord(topic: string, partition: number, time: number, replay: object): OutgoingRecord {
  return {
    topic,
    partition,
    key: null,
    value: JSON.stringify(replay),
    timestamp: time,
    headers: { [RECORD_HEADER]: 'replay' },
  }
}

/**
 * Makes all accounts of the partition live that are in history. `slices`: only a series of at least so many
 * ticks touches them.
 */
export function liveRecord(topic: string, partition: number, slices = 1): OutgoingRecord {
  const value = JSON.stringify({ slices })
  return { topic, partition, key: null, value, headers: { [RECORD_HEADER]: 'live' } }
}
