import type { Log } from '../../src/log/log.ts'
import { signalRecord } from '../../src/log/signals-topic-records.ts'
import type { ModelSource } from '../../src/models/model-library.ts'
import type { Signal } from '../../src/signals/signal.ts'
import { fillTopic, type SignalRecord } from './signal-topic.ts'

/**
 * Writes the models, then the signals as history, to an empty topic. Returns the number of records written.
 */
export async function fillLog(
  log: Log,
  topic: string,
  models: readonly ModelSource[],
  signals: Iterable<Signal>,
): Promise<number> {
  const filled = await fillTopic(log, topic, models, recordsOf(signals, 'event'))
  return filled.signals + (await log.partitions(topic))
}

/** `clock`: `event` for history; `wall` if signals are observed when they occur, as live signals are. */
export function* recordsOf(signals: Iterable<Signal>, clock: 'wall' | 'event'): Generator<SignalRecord> {
  for (const signal of signals) yield signalRecord('', signal, signal.occurredAt, clock)
}
