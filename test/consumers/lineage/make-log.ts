import fc from 'fast-check'
import type { OutgoingRecord } from '../../../src/log/log.ts'
import { partitionOf } from '../../../src/log/partition-of.ts'
import { liveRecord, modelsRecord, signalRecord, tickRecord } from '../../../src/log/signals-topic-records.ts'
import type { ModelSource } from '../../../src/models/model-library.ts'
import { arbitraryHistory } from '../../support/histories.ts'
import { MODEL_SETS } from '../../support/simulation/model-sets.ts'
import type { HistoryRecord } from '../../support/slow/slow-evaluator.ts'
import { type Installation, TOPICS } from './installation.ts'

/** The content of the log of signals, step by step. The records of a step are appended together. */
export interface LogPlan {
  readonly history: readonly HistoryRecord[]
  /** The sets of models in its `models` records. */
  readonly modelSets: readonly number[]
  /** The steps from `loadedFrom` to before `loaded` are loaded as history. */
  readonly loadedFrom: number
  readonly loaded: number
  /** Whether a record ends the history, or only live signals of the accounts do. */
  readonly hasEndRecord: boolean
  /** Steps at which a record comes that is not a signal. */
  readonly junk: readonly number[]
}

export function arbitraryLog(length: number, modelChanges = 2): fc.Arbitrary<LogPlan> {
  return fc.record({
    history: arbitraryHistory({ accounts: 6, length, modelChanges }),
    modelSets: fc.array(fc.nat(MODEL_SETS.length - 1), { minLength: 4, maxLength: 4 }),
    loadedFrom: fc.oneof(fc.constant(0), fc.nat(length)),
    loaded: fc.oneof(fc.constant(0), fc.nat(length)),
    hasEndRecord: fc.boolean(),
    junk: fc.array(fc.nat(length), { maxLength: 3 }),
  })
}

export function sourcesOf({ library }: Installation, set: number): ModelSource[] {
  return MODEL_SETS[set]!.map(model => library.sourceFor(model))
}

/** The newest models in the log. */
export function lastModels(installation: Installation, plan: LogPlan): ModelSource[] {
  const changes = plan.history.filter(record => 'models' in record).length
  return sourcesOf(installation, plan.modelSets[(changes - 1) % plan.modelSets.length]!)
}

export interface LogStep {
  readonly records: readonly OutgoingRecord[]
  /** The newest time in it, ms: no wall clock is behind that. */
  readonly time: number
}

export function stepsOf(installation: Installation, plan: LogPlan): LogStep[] {
  const { partitions } = installation.options
  const everywhere = (make: (partition: number) => OutgoingRecord[]): OutgoingRecord[] =>
    Array.from({ length: partitions }, (_, partition) => make(partition)).flat()
  const steps: LogStep[] = []
  let changes = 0
  for (const [i, record] of plan.history.entries()) {
    const { timestamp: time } = record
    const isLoaded = i >= plan.loadedFrom && i < plan.loaded
    const clock = isLoaded ? 'event' : 'wall'
    if (i === plan.loaded && i > 0 && plan.hasEndRecord)
      steps.push({ time, records: everywhere(partition => [liveRecord(TOPICS.signals, partition, 2)]) })
    if (plan.junk.includes(i)) steps.push({ time, records: [junk(i, time, partitions)] })
    if ('signal' in record) {
      steps.push({ time, records: [signalRecord(TOPICS.signals, record.signal, time, clock)] })
    } else if ('tick' in record) {
      const slices = [0, 1, 2].map(slice => ({ slice, of: 3, scope: 'due' as const, clock }) as const)
      steps.push({
        time,
        records: everywhere(partition =>
          slices.map(tick => tickRecord(TOPICS.signals, partition, time, tick)),
        ),
      })
    } else {
      const models = sourcesOf(installation, plan.modelSets[changes++ % plan.modelSets.length]!)
      const slices = [0, 1].map(slice => ({ slice, of: 2, scope: 'all' as const, clock: 'wall' as const }))
      steps.push({
        time,
        records: everywhere(partition => [
          modelsRecord(TOPICS.signals, partition, time, models),
          ...slices.map(tick => tickRecord(TOPICS.signals, partition, time, tick)),
        ]),
      })
    }
  }
  return steps
}

/**
 * A record that cannot be scored: not JSON, without the key of its account, in another partition than its
 * account, or with a header that only Upswell writes.
 */
function junk(i: number, time: number, partitions: number): OutgoingRecord {
  const common = { topic: TOPICS.signals, timestamp: time }
  const key = `account-${i % 6}`
  switch (i % 4) {
    case 0:
      return { ...common, key, value: 'no signal' }
    case 1:
      return { ...common, key: null, partition: i % partitions, value: '{}' }
    case 2: {
      // With one partition no partition is wrong, so the account of the value is.
      const accountId = partitions === 1 ? 'another' : key
      const signal = { id: `junk-${i}`, kind: 'usage', name: 'seat.invited', accountId }
      const value = JSON.stringify({ ...signal, occurredAt: new Date(time).toISOString() })
      return { ...common, key, partition: (partitionOf(key, partitions) + 1) % partitions, value }
    }
    default:
      return {
        ...common,
        key,
        partition: partitionOf(key, partitions),
        value: 'none',
        headers: { 'upswell-record': 'tick' },
      }
  }
}
