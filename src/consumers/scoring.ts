import { randomUUID } from 'node:crypto'
import type { Consumption, PartitionHandler } from './log.ts'
import { type OwnedPartition, scoreRecords, startOffset, takePartition } from './score-partition.ts'
import type { ScoringOptions } from './scoring-options.ts'
import { Ticker } from './ticker.ts'

export interface Scoring extends Consumption {
  /** Whether every partition that is ours runs the configured models. */
  modelsActive(): boolean
}

/** The score loop: `signals` → fold → outputs and state, for the partitions that the group gives us. */
export async function startScoring(options: ScoringOptions): Promise<Scoring> {
  const { backend, topics } = options
  await backend.store.claimPartitions(await backend.log.partitions(topics.signals))
  const owned = new Map<number, OwnedPartition>()
  const ticker = new Ticker(options, owned)
  const handler: PartitionHandler = {
    assigned: async session => {
      const partition = await takePartition(options, session, randomUUID())
      owned.set(session.partition, partition)
      ticker.look(session.partition)
      return startOffset(partition)
    },
    process: async (session, records) => {
      await scoreRecords(options, owned.get(session.partition)!, records)
      ticker.look(session.partition)
    },
    released: session => {
      if (owned.get(session.partition)?.session === session) owned.delete(session.partition)
    },
  }
  const consumption = await backend.log.consume({
    group: options.group,
    topics: [topics.signals],
    handler,
    batchSize: options.batchSize,
  })
  ticker.start()
  return {
    stop: async () => {
      ticker.stop()
      await consumption.stop()
    },
    problem: () => consumption.problem(),
    assignments: () => consumption.assignments(),
    modelsActive: () => [...owned.values()].every(partition => ticker.runsConfiguredModels(partition)),
  }
}
